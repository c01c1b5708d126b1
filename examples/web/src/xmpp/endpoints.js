// Where the server is. XEP-0156 asks the origin of the page for /.well-known/host-meta.json; without an answer the usual paths of the same origin are
// tried. What got through last is remembered for a day, so that who sits behind a proxy that breaks WebSockets waits for it once.

const RELATIONS = {
  'urn:xmpp:alt-connections:websocket': 'websocket',
  'urn:xmpp:alt-connections:xbosh': 'bosh',
};
const REMEMBERED = 'adsum.transport';
const DAY = 24 * 60 * 60 * 1000;

/** The links of a host-meta document, as [{ transport, url }]. What the page may not reach (plain from a secure page) is left out. */
export function links(document, secure) {
  const found = Array.isArray(document?.links) ? document.links : [];
  return found
    .map((link) => ({ transport: RELATIONS[link?.rel], url: String(link?.href ?? '') }))
    .filter(({ transport, url }) => transport && (secure ? /^(wss|https):/ : /^(wss?|https?):/).test(url));
}

/** The usual places at an origin like `https://office.example`. */
export function defaults(origin) {
  return [
    { transport: 'websocket', url: `${origin.replace(/^http/, 'ws')}/xmpp-websocket` },
    { transport: 'bosh', url: `${origin}/http-bind` },
  ];
}

/** In which order to try: WebSocket before BOSH; the page's own origin if it is named or on this machine, then what is named, then the page's own origin as a
 * guess. `last` is the transport that worked, `only` the one that is wanted. */
export function order(found, origin, { last, only } = {}) {
  const { hostname } = new URL(origin);
  const near = !found.length || hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
  const own = defaults(origin).map(({ url }) => url);
  const named = found.map(({ url }) => url);
  const all = [...found, ...defaults(origin)];
  const once = all.filter(({ url }, at) => all.findIndex((other) => other.url === url) === at);
  const place = (url) => (own.includes(url) ? (near || named.includes(url) ? 0 : 2) : 1);
  const weight = ({ transport, url }) => (transport === (last ?? 'websocket') ? 0 : 4) + place(url);
  return once.filter(({ transport }) => !only || transport === only).sort((a, b) => weight(a) - weight(b));
}

/** Asks, and says where to try in which order. */
export async function discover({ location = window.location, storage = window.localStorage, now = Date.now() } = {}) {
  const only = new URLSearchParams(location.search).get('transport');
  let found = [];
  try {
    const answer = await fetch('/.well-known/host-meta.json', { signal: AbortSignal.timeout(4000) });
    if (answer.ok) found = links(await answer.json(), location.protocol === 'https:');
  } catch {
    // No such document, or no server: the usual places are as good a guess as any.
  }
  return order(found, location.origin, { last: remembered(storage, now), only });
}

export function remember(storage, transport, now = Date.now()) {
  try {
    if (transport === 'websocket') storage.removeItem(REMEMBERED);
    else storage.setItem(REMEMBERED, JSON.stringify({ transport, at: now }));
  } catch {
    // Storage may be forbidden; then it is found out anew each time.
  }
}

export function remembered(storage, now = Date.now()) {
  try {
    const { transport, at } = JSON.parse(storage.getItem(REMEMBERED));
    return now - at < DAY ? transport : undefined;
  } catch {
    return undefined;
  }
}
