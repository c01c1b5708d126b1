// One connection of HTTP/2 over TLS, by the client that Node has built in: what is asked is read as JSON lines, what happens is printed as JSON lines.
// Commands: `post` (an `id`, a `path` and a `body`) begins a stream, `reset` ends one from this side, `end` the connection.

import { readFileSync } from "node:fs";
import { connect, constants } from "node:http2";
import { createInterface } from "node:readline";

const options = JSON.parse(process.argv[2]);

function tell(event, facts) {
  console.log(JSON.stringify({ event, ...facts }));
}

const session = connect(`https://${options.address}`, { ca: readFileSync(options.ca), servername: options.domain });
session.on("connect", () => tell("connected", { protocol: session.alpnProtocol }));
session.on("error", (error) => tell("error", { text: String(error) }));
session.on("goaway", (code) => tell("goaway", { code }));
session.on("close", () => tell("closed", {}));

const streams = new Map();

function post({ id, path, body }) {
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    ":authority": options.domain,
    "content-type": "text/xml; charset=utf-8",
  });
  streams.set(id, stream);
  let status = 0;
  let text = "";
  stream.setEncoding("utf8");
  stream.on("response", (headers) => (status = headers[":status"]));
  stream.on("data", (piece) => (text += piece));
  stream.on("end", () => tell("answer", { id, stream: stream.id, status, body: text }));
  stream.on("error", (error) => tell("failed", { id, text: String(error) }));
  stream.on("close", () => tell("over", { id, code: stream.rstCode }));
  stream.end(body);
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const command = JSON.parse(line);
  if (command.do === "post") post(command);
  else if (command.do === "reset") streams.get(command.id).close(constants.NGHTTP2_CANCEL);
  else if (command.do === "end") session.close();
});
