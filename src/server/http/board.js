// The board that is there before any web app is installed: who is in, live, over the WebSocket of the same server (RFC 7395). One file without libraries:
// a stream, a login (SCRAM-SHA-256, or PLAIN where the way is safe), the contact list, presence. What comes from the network becomes text, never HTML.
'use strict';

(() => {
  const NS = {
    bind: 'urn:ietf:params:xml:ns:xmpp-bind',
    client: 'jabber:client',
    framing: 'urn:ietf:params:xml:ns:xmpp-framing',
    idle: 'urn:xmpp:idle:1',
    ping: 'urn:xmpp:ping',
    roster: 'jabber:iq:roster',
    sasl: 'urn:ietf:params:xml:ns:xmpp-sasl',
    stanzas: 'urn:ietf:params:xml:ns:xmpp-stanzas',
  };
  const WORDS = { chat: 'Free for a chat', available: 'Available', dnd: 'Do not disturb', away: 'Away', xa: 'Away for long', offline: 'Not here' };
  const ORDER = Object.keys(WORDS);
  const KEPT = 'adsum-status'; // the resource of a status that outlives logout: it leads, and is no device
  const $ = (id) => document.getElementById(id);

  // ---- XML

  const xml = document.implementation.createDocument(null, null);
  const make = (namespace, name, attributes = {}, ...inside) => {
    const element = xml.createElementNS(namespace, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...inside);
    return element;
  };
  const child = (element, name, namespace) => [...(element?.children ?? [])].find((one) => one.localName === name && (!namespace || one.namespaceURI === namespace));
  const text = (element, name) => child(element, name)?.textContent.trim() ?? '';
  const bare = (jid) => jid.split('/', 1)[0].toLowerCase();

  // ---- Octets, and SCRAM (RFC 5802, RFC 7677)

  const utf8 = (words) => new TextEncoder().encode(words);
  const base64 = (octets) => btoa(String.fromCharCode(...new Uint8Array(octets)));
  const octets = (words) => Uint8Array.from(atob(words), (letter) => letter.charCodeAt(0));
  const hmac = async (key, message) => {
    const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
    return new Uint8Array(await crypto.subtle.sign('HMAC', imported, typeof message === 'string' ? utf8(message) : message));
  };
  const fields = (message) => Object.fromEntries(message.split(',').map((field) => [field[0], field.slice(2)]));

  class Scram {
    constructor(user, password) {
      this.password = password;
      this.nonce = base64(crypto.getRandomValues(new Uint8Array(18)));
      this.first = `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${this.nonce}`;
    }

    begin() {
      return base64(utf8(`n,,${this.first}`));
    }

    async answer(challenge) {
      const server = new TextDecoder().decode(octets(challenge));
      const { r: nonce, s: salt, i: rounds } = fields(server);
      const iterations = Number(rounds);
      if (!nonce?.startsWith(this.nonce) || nonce === this.nonce || !salt || !(iterations >= 4096 && iterations <= 5_000_000)) throw new Error('The server answered wrongly.');
      const password = await crypto.subtle.importKey('raw', utf8(this.password.normalize('NFKC')), 'PBKDF2', false, ['deriveBits']);
      const salted = await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: octets(salt), iterations }, password, 256);
      const last = `c=biws,r=${nonce}`;
      const signed = `${this.first},${server},${last}`;
      const key = await hmac(salted, 'Client Key');
      const signature = await hmac(await crypto.subtle.digest('SHA-256', key), signed);
      this.expected = base64(await hmac(await hmac(salted, 'Server Key'), signed));
      return base64(utf8(`${last},p=${base64(key.map((octet, at) => octet ^ signature[at]))}`));
    }

    /** Whether the other side knew the password as well: else it is not our server. */
    proves(success) {
      return Boolean(success) && fields(new TextDecoder().decode(octets(success))).v === this.expected;
    }
  }

  // ---- The stream

  class Refused extends Error {}

  /** One connection, from the open socket to a session; `took` gets every stanza, `ended` is called once with a reason or nothing. */
  class Stream {
    constructor(account, password, took, begun, ended) {
      Object.assign(this, { account, password, took, begun, ended, requests: new Map(), count: 0, heard: Date.now() });
      [this.user, this.domain] = account.split('@');
      this.socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/xmpp-websocket`, 'xmpp');
      this.socket.onopen = () => this.open();
      this.socket.onclose = () => this.end();
      this.queue = Promise.resolve(); // elements are handled one after the other, although SCRAM takes its time
      this.socket.onmessage = ({ data }) => {
        this.queue = this.queue.then(() => this.element(data)).catch((error) => this.end(error));
      };
      this.timer = setInterval(() => this.watch(), 15_000);
    }

    send(element) {
      if (this.socket.readyState === WebSocket.OPEN) this.socket.send(new XMLSerializer().serializeToString(element));
    }

    open() {
      this.send(make(NS.framing, 'open', { to: this.domain, version: '1.0' }));
    }

    request(type, ...inside) {
      const id = `b${(this.count += 1)}-${Math.random().toString(36).slice(2)}`;
      this.send(make(NS.client, 'iq', { type, id }, ...inside));
      return new Promise((resolve, reject) => this.requests.set(id, { resolve, reject }));
    }

    async element(data) {
      this.heard = Date.now();
      const element = new DOMParser().parseFromString(data, 'text/xml').documentElement;
      const take = this[`on_${element.localName}`];
      if (take) await take.call(this, element);
      else if (element.namespaceURI === NS.client) this.took(element);
    }

    on_open() {}

    on_close() {
      this.end();
    }

    on_error(element) {
      const condition = element.firstElementChild?.localName;
      const known = { 'host-unknown': 'This server does not serve the domain of the address.', conflict: 'The board was opened elsewhere.' };
      this.end(known[condition] && new Refused(known[condition]));
    }

    on_features(features) {
      if (this.authenticated) return this.bind();
      const offered = [...(child(features, 'mechanisms', NS.sasl)?.children ?? [])].map((one) => one.textContent);
      const safe = location.protocol === 'https:' || window.isSecureContext;
      if (offered.includes('SCRAM-SHA-256') && window.crypto?.subtle) {
        this.scram = new Scram(this.user, this.password);
        this.send(make(NS.sasl, 'auth', { mechanism: 'SCRAM-SHA-256' }, this.scram.begin()));
      } else if (offered.includes('PLAIN') && safe) {
        this.send(make(NS.sasl, 'auth', { mechanism: 'PLAIN' }, base64(utf8(`\0${this.user}\0${this.password}`))));
      } else throw new Refused('The password cannot be sent safely over this connection. Open this page by https.');
    }

    async on_challenge(element) {
      this.send(make(NS.sasl, 'response', {}, await this.scram.answer(element.textContent)));
    }

    on_success(element) {
      if (this.scram && !this.scram.proves(element.textContent)) throw new Refused('This server does not know the password: it is not the one that it says it is.');
      this.authenticated = true;
      this.open();
    }

    on_failure(element) {
      const condition = element.firstElementChild?.localName;
      if (condition === 'temporary-auth-failure') throw new Error('busy');
      throw new Refused(condition === 'account-disabled' ? 'This account has been disabled.' : 'The address or the password is wrong.');
    }

    bind() {
      const bind = make(NS.bind, 'bind', {}, make(NS.bind, 'resource', {}, `board-${Math.random().toString(36).slice(2, 8)}`));
      this.request('set', bind).then(() => this.begun(this), () => this.end(new Refused('The server gives no session.')));
    }

    on_iq(element) {
      const [type, id] = [element.getAttribute('type'), element.getAttribute('id')];
      const asked = this.requests.get(id);
      if (type === 'result' || type === 'error') {
        this.requests.delete(id);
        if (asked) type === 'result' ? asked.resolve(element) : asked.reject(new Error('refused'));
        return;
      }
      if (type === 'set' && child(element, 'query', NS.roster)) this.took(element);
      const known = child(element, 'ping', NS.ping) || child(element, 'query', NS.roster);
      const error = make(NS.client, 'error', { type: 'cancel' }, make(NS.stanzas, 'service-unavailable'));
      const to = element.getAttribute('from') ?? this.domain;
      this.send(known ? make(NS.client, 'iq', { type: 'result', id, to }) : make(NS.client, 'iq', { type: 'error', id, to }, error));
    }

    // A connection may be gone without a word: silence is asked about, and no answer is an answer.
    watch() {
      const silent = Date.now() - this.heard;
      if (silent > 60_000) this.end();
      else if (silent > 30_000 && this.authenticated) this.request('get', make(NS.ping, 'ping')).catch(() => {});
    }

    close() {
      this.send(make(NS.client, 'presence', { type: 'unavailable' }));
      this.send(make(NS.framing, 'close'));
      this.end();
    }

    end(error) {
      if (this.over) return;
      this.over = true;
      clearInterval(this.timer);
      this.socket.onclose = this.socket.onmessage = null;
      this.socket.close();
      this.ended(error);
    }
  }

  // ---- People

  const people = new Map(); // jid → { name, groups }
  const presences = new Map(); // jid → Map(resource → { show, note, idle, priority })

  function item(element) {
    const jid = bare(element.getAttribute('jid') ?? '');
    if (element.getAttribute('subscription') === 'remove') return people.delete(jid);
    const groups = [...element.children].filter(({ localName }) => localName === 'group').map((group) => group.textContent.trim());
    people.set(jid, { jid, name: element.getAttribute('name')?.trim() || nameOf(jid), groups: groups.filter(Boolean) });
  }

  const nameOf = (jid) => {
    const words = jid.split('@', 1)[0].split(/[._-]+/).filter(Boolean);
    return words.map((word) => word[0].toUpperCase() + word.slice(1)).join(' ') || jid;
  };

  function took(stanza) {
    if (stanza.localName === 'iq') [...child(stanza, 'query', NS.roster).children].forEach(item);
    else if (stanza.localName === 'presence') presence(stanza);
    else return;
    later();
  }

  function presence(stanza) {
    const from = stanza.getAttribute('from') ?? '';
    const type = stanza.getAttribute('type');
    const devices = presences.get(bare(from)) ?? new Map();
    const resource = from.includes('/') ? from.slice(from.indexOf('/') + 1) : '';
    if (type === 'unavailable') resource ? devices.delete(resource) : devices.clear();
    else if (!type) {
      const idle = Date.parse(child(stanza, 'idle', NS.idle)?.getAttribute('since') ?? '') || 0;
      devices.set(resource, { resource, show: text(stanza, 'show') || 'available', note: text(stanza, 'status'), idle, priority: Number(text(stanza, 'priority')) || 0 });
    }
    presences.set(bare(from), devices);
  }

  /** One line about somebody: a status that was kept leads, then who is busy at a device in use, then the most available device. */
  function sum(person) {
    const all = [...(presences.get(person.jid)?.values() ?? [])];
    const kept = all.find(({ resource }) => resource === KEPT);
    const devices = all.filter((device) => device !== kept);
    const rank = ({ show, idle }) => (show === 'dnd' && !idle ? -1 : ['chat', 'available', 'away', 'xa', 'dnd'].indexOf(show));
    devices.sort((a, b) => rank(a) - rank(b) || b.priority - a.priority);
    const lead = kept ?? devices[0];
    const idle = devices.length && devices.every((device) => device.idle) ? Math.max(...devices.map((device) => device.idle)) : 0;
    return { ...person, show: lead?.show ?? 'offline', note: lead?.note ?? '', idle, inside: devices.length > 0, phone: devices.some(({ resource }) => /^sip-[0-9a-f]{8}$/.test(resource)) };
  }

  function ago(since) {
    const minutes = Math.floor((Date.now() - since) / 60_000);
    if (!since || minutes < 1) return '';
    return minutes < 60 ? `${minutes} min` : minutes < 1440 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
  }

  // ---- The page

  const html = (name, attributes = {}, ...inside) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...inside.filter(Boolean));
    return element;
  };

  let waiting = false;
  function later() {
    if (waiting) return;
    waiting = true;
    setTimeout(() => {
      waiting = false;
      draw();
    }, 50);
  }

  function draw() {
    const now = new Date();
    $('date').textContent = now.toLocaleDateString([], { weekday: 'long', day: 'numeric', month: 'long' });
    $('clock').textContent = now.toLocaleTimeString([], { hour: 'numeric', minute: '2-digit' });
    const all = [...people.values()].map(sum);
    const inside = all.filter((person) => person.inside).length;
    $('headline').textContent = !all.length ? 'Nobody is on the board yet' : !inside ? 'Nobody is in' : `${inside} of ${all.length} ${inside === 1 ? 'is' : 'are'} in`;
    document.title = all.length ? `${inside}/${all.length} · Adsum` : 'Adsum';
    $('groups').replaceChildren(...groups(all).flatMap(([name, members]) => [html('h2', {}, name), html('ul', { 'aria-label': name }, ...members.map(row))]));
  }

  function groups(all) {
    const found = new Map();
    for (const person of all) for (const name of person.groups.length ? person.groups : ['Contacts']) found.set(name, [...(found.get(name) ?? []), person]);
    const order = (a, b) => b.inside - a.inside || ORDER.indexOf(a.show) - ORDER.indexOf(b.show) || a.name.localeCompare(b.name);
    return [...found].sort(([a], [b]) => a.localeCompare(b)).map(([name, members]) => [name, members.sort(order)]);
  }

  function row(person) {
    const letters = person.name.split(/\s+/).filter((word) => /^[\p{L}\p{N}]/u.test(word));
    const face = html('span', { class: 'face', 'aria-hidden': 'true' }, [letters[0], letters.length > 1 && letters.at(-1)].filter(Boolean).map((word) => [...word][0].toUpperCase()).join('') || '?');
    let hue = 0;
    for (const letter of person.jid) hue = (hue * 31 + letter.codePointAt(0)) % 360;
    face.style.background = `oklch(0.52 0.09 ${hue})`;
    const facts = [ago(person.idle) && `idle ${ago(person.idle)}`, person.phone && 'desk phone'].filter(Boolean).map((fact) => html('span', {}, fact));
    return html('li', { 'data-testid': 'contact', 'data-jid': person.jid, 'data-show': person.show, 'data-in': person.inside },
      face, html('span', { class: 'name' }, person.name), html('span', { class: 'show' }, WORDS[person.show] ?? person.show, ...facts), person.note && html('span', { class: 'note', 'data-testid': 'contact-note' }, person.note));
  }

  // ---- Signing in, staying, leaving

  let stream = null;
  let attempt = 0;
  let retry = 0;
  let again = null; // how to try again, while there is no connection
  let been = false;

  function show(signedIn, trouble = '') {
    $('door').hidden = signedIn;
    $('office').hidden = !signedIn;
    $('trouble').textContent = trouble;
    $('submit').disabled = false;
    $('submit').textContent = 'Sign in';
    if (!signedIn) $($('jid').value ? 'password' : 'jid').focus();
  }

  function notice(words) {
    $('notice').hidden = !words;
    $('notice').textContent = words;
    document.body.classList.toggle('offline', Boolean(words));
  }

  function connect(account, password) {
    clearTimeout(retry);
    again = null;
    stream = new Stream(account, password, took, begun, (error) => {
      stream = null;
      if (error instanceof Refused) return leave(error.message);
      if (!been) return leave(error?.message === 'busy' ? 'The server takes no sign-ins from here at the moment. Try again in a minute.' : 'The server cannot be reached.');
      const wait = Math.min(60_000, 1000 * 2 ** attempt) * (0.5 + Math.random() / 2);
      attempt += 1;
      notice('No connection. This is what was known last.');
      again = () => connect(account, password);
      retry = setTimeout(() => again(), wait);
    });
  }

  async function begun(session) {
    const answer = await session.request('get', make(NS.roster, 'query'));
    people.clear();
    presences.clear();
    [...child(answer, 'query', NS.roster).children].forEach(item);
    // The board looks on: with a negative priority no message is sent to it, and it says that nobody is at it.
    session.send(make(NS.client, 'presence', {}, make(NS.client, 'show', {}, 'xa'), make(NS.client, 'priority', {}, '-1')));
    been = true;
    attempt = 0;
    $('password').value = '';
    notice('');
    show(true);
    draw();
  }

  function leave(trouble) {
    clearTimeout(retry);
    again = null;
    been = false;
    people.clear();
    presences.clear();
    notice('');
    show(false, trouble);
  }

  $('sign-in').addEventListener('submit', (event) => {
    event.preventDefault();
    const account = bare($('jid').value.trim());
    if (!/^[^@\s]+@[^@\s]+$/.test(account) || !$('password').value) return show(false, 'Address and password, please: the address is like a mail address.');
    $('submit').disabled = true;
    $('submit').textContent = 'Signing in …';
    connect(account, $('password').value);
  });
  $('sign-out').addEventListener('click', () => {
    if (stream) stream.ended = () => {};
    stream?.close();
    stream = null;
    leave('');
  });
  addEventListener('online', () => again?.());
  addEventListener('offline', () => stream?.end());
  addEventListener('pagehide', () => stream?.close());
  setInterval(() => $('office').hidden || draw(), 20_000);
  show(false);
})();
