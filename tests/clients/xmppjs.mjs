// A client of xmpp.js: what happens to it is printed as JSON lines, what it shall do is read as JSON lines.

import { createInterface } from "node:readline";

const options = JSON.parse(process.argv[2]);
const { client, xml } = await import(`${options.modules}/@xmpp/client/index.js`);

function tell(event, facts) {
  console.log(JSON.stringify({ event, ...facts }));
}

const xmpp = client({
  service: `xmpp://${options.host}:${options.port}`,
  domain: options.domain,
  username: options.username,
  password: options.password,
  resource: "xmppjs",
  userAgent: xml("user-agent", { id: options.id }, xml("software", {}, "xmpp.js")),
});
if (!options.reconnect) xmpp.reconnect.stop();

let token = options.token;
xmpp.fast.fetchToken = async () => token;
xmpp.fast.saveToken = async (fresh) => {
  token = fresh;
  tell("token", { token });
};
xmpp.fast.deleteToken = async () => {
  token = undefined;
  tell("token-refused", {});
};

xmpp.on("element", (element) => {
  if (element.is("success")) tell("success", { namespace: element.getNS(), xml: element.toString() });
  if (element.is("authentication")) tell("offer", {});
});
xmpp.on("send", (element) => {
  const mechanism = element.attrs.mechanism;
  if (mechanism) tell("mechanism", { mechanism });
});
xmpp.on("online", async (jid) => {
  await xmpp.send(xml("presence"));
  tell("online", { jid: jid.toString() });
});
xmpp.on("stanza", (stanza) => {
  const body = stanza.is("message") && stanza.getChildText("body");
  if (body) tell("message", { sender: stanza.attrs.from, body });
});
xmpp.on("error", (error) => tell("error", { message: String(error), condition: error.condition }));
xmpp.on("disconnect", () => tell("disconnected", {}));
xmpp.streamManagement?.on("resumed", () => tell("resumed", { jid: xmpp.jid.toString() }));

createInterface({ input: process.stdin }).on("line", async (line) => {
  const command = JSON.parse(line);
  if (command.do === "send") {
    const body = xml("body", {}, command.body);
    await xmpp.send(xml("message", { to: command.to, type: "chat" }, body));
  } else if (command.do === "stop") {
    await xmpp.stop();
  } else if (command.do === "cut") {
    xmpp.socket.destroy?.() ?? xmpp.socket.end();
  }
});

xmpp.start().catch((error) => tell("failed", { message: String(error), condition: error.condition }));
