// Chromium, driven by playwright-core: what happens in its pages is printed as JSON lines, what it shall do is read as JSON lines.
// Each command has an `id` and is answered by one `done` (with `value`) or one `failed` of that id.

import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { createInterface } from "node:readline";
import { connect } from "node:tls";

const options = JSON.parse(process.argv[2]);
// Profiles go where the test cleans up.
process.env.TMPDIR = options.folder;
const { chromium } = await import(`${options.modules}/playwright-core/index.mjs`);
const esbuild = await import(`${options.modules}/esbuild/lib/main.js`);

const DEADLINE = 30_000;
// Playwright adds styles of its own otherwise, which strict pages forbid.
const AS_IT_IS = { animations: "allow", caret: "initial" };

function tell(event, facts) {
  console.log(JSON.stringify({ event, ...facts }));
}

// Pages of the test, at an origin that is not the server's: what they ask of the server is cross-origin.
const made = new Map();
const TYPES = { ".css": "text/css", ".js": "text/javascript", ".json": "application/json", ".svg": "image/svg+xml", ".wasm": "application/wasm" };
const site = createServer((request, response) => {
  const path = normalize(decodeURIComponent(new URL(request.url, "http://site").pathname));
  const page = made.get(path);
  if (page) {
    response.writeHead(200, { "Content-Type": page.type });
    response.end(page.text);
  } else if (path.startsWith("/converse/")) {
    const file = createReadStream(join(options.modules, "converse.js/dist", path.slice("/converse/".length)));
    file.on("open", () => response.writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream" }));
    file.on("error", () => response.writeHead(404).end());
    file.pipe(response);
  } else {
    response.writeHead(path === "/favicon.ico" ? 204 : 404).end();
  }
});
await new Promise((done) => site.listen(0, "127.0.0.1", done));
const origin = `http://127.0.0.1:${site.address().port}`;

// The certificate of the server, which is for its name and by its own authority. A browser cannot be given an authority on the command line, but a key.
const [host, port] = options.hosts[`${options.domain}:443`].split(":");
const certificate = await new Promise((done, failed) => {
  const ca = readFileSync(options.ca);
  const socket = connect({ host, port, servername: options.domain, ca }, () => {
    done(socket.getPeerX509Certificate());
    socket.end();
  });
  socket.on("error", failed);
});
const key = certificate.publicKey.export({ type: "spki", format: "der" });

// The names of the server lead to where it listens; every other name leads nowhere.
const rules = [...Object.entries(options.hosts).map(([name, to]) => `MAP ${name} ${to}`), "MAP * ~NOTFOUND", "EXCLUDE 127.*"];
const browser = await chromium.launch({
  executablePath: options.chromium ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    `--ignore-certificate-errors-spki-list=${createHash("sha256").update(key).digest("base64")}`,
    `--host-resolver-rules=${rules.join(",")}`,
  ],
});
const pages = new Map();

async function open({ page: name, url, width = 1280, height = 800, scheme = "light" }) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, locale: "en-GB", reducedMotion: "reduce" });
  context.setDefaultTimeout(DEADLINE);
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`Content Security Policy: ${event.violatedDirective} forbids ${event.blockedURI}`);
    });
  });
  const page = await context.newPage();
  const said = [];
  pages.set(name, { page, context, said });
  page.on("console", (message) => {
    const text = message.text();
    said.push(`${message.type()}: ${text}`);
    tell("console", { page: name, text });
    if (text.includes("Content Security Policy")) tell("fault", { page: name, text });
  });
  page.on("pageerror", (error) => {
    said.push(`uncaught: ${error.stack ?? error}`);
    tell("fault", { page: name, text: `uncaught: ${error.stack ?? error}` });
  });
  page.on("crash", () => tell("fault", { page: name, text: "the page crashed" }));
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    const known = /^127\./.test(hostname) || hostname === options.domain || /^(data|blob|about):$/.test(protocol);
    if (!known) tell("fault", { page: name, text: `asks outside: ${request.url()}` });
  });
  await page.goto(url.startsWith("/") ? origin + url : url);
}

// What is at a selector, with a text where one is given. `>>` joins selectors, as playwright has it.
function at(page, { at, text }) {
  const found = page.locator(at);
  return (text ? found.filter({ hasText: text }) : found).first();
}

const verbs = {
  open,
  // A page of the site: `text` as it is, or `script` with the libraries that it imports.
  async make({ path, type = "text/html", text, script }) {
    if (script === undefined) return void made.set(path, { type, text });
    const built = await esbuild.build({
      stdin: { contents: script, resolveDir: options.modules, sourcefile: path },
      bundle: true,
      format: "esm",
      platform: "browser",
      nodePaths: [options.modules],
      define: { global: "globalThis" },
      write: false,
      logLevel: "silent",
    });
    made.set(path, { type: "text/javascript", text: built.outputFiles[0].text });
  },
  click: (command, { page }) => at(page, command).click(),
  fill: (command, { page }) => page.locator(command.at).first().fill(command.with),
  press: (command, { page }) => page.keyboard.press(command.key),
  tick: (command, { page }) => at(page, command).check(),
  there: (command, { page }) => at(page, command).waitFor({ state: "attached" }),
  see: (command, { page }) => at(page, command).waitFor({ state: "visible" }),
  focused: ({ at }, { page }) => page.locator(at).and(page.locator(":focus")).waitFor(),
  gone: (command, { page }) => at(page, command).waitFor({ state: "hidden" }),
  read: (command, { page }) => at(page, command).textContent(),
  count: (command, { page }) => page.locator(command.at).count(),
  run: (command, { page }) => page.evaluate(command.code),
  offline: (command, { context }) => context.setOffline(command.on),
  reload: (command, { page }) => page.reload(),
  scheme: (command, { page }) => page.emulateMedia({ colorScheme: command.scheme }),
  size: (command, { page }) => page.setViewportSize({ width: command.width, height: command.height }),
  picture: (command, { page }) => page.screenshot({ path: command.path, ...AS_IT_IS }),
  // The person is gone: nothing of the page gets to say goodbye.
  close: async (command, { context }) => {
    await context.close();
    pages.delete(command.page);
  },
  async report({ folder }) {
    const all = await Promise.all(
      [...pages].map(async ([name, { page, said }]) => {
        const path = join(folder, `${name}-${process.pid}.png`);
        const shown = await page.screenshot({ path, timeout: 5000, ...AS_IT_IS }).then(
          () => path,
          (error) => `no screenshot: ${error.message}`,
        );
        return `page ${name} (${page.url()}): ${shown}\n${said.slice(-60).join("\n")}`;
      }),
    );
    return all.join("\n");
  },
  async end() {
    await browser.close();
    site.close();
  },
};

const ANSWERS = new Set(["read", "count", "run", "report"]);

createInterface({ input: process.stdin }).on("line", async (line) => {
  const command = JSON.parse(line);
  try {
    const value = await verbs[command.do](command, pages.get(command.page) ?? {});
    tell("done", { id: command.id, value: ANSWERS.has(command.do) ? value : null });
  } catch (error) {
    tell("failed", { id: command.id, error: String(error.message ?? error) });
  }
  if (command.do === "end") process.exit(0);
});
tell("ready", { origin });
