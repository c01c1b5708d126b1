// One signed-in account over connections that come and go. Each attempt is a strophe connection of its own; what outlives it is here: how to log in
// again, what a resumed stream needs (XEP-0198), requests that wait for an answer, and when to try again.
//
// Tells: 'state' (see `state`), 'session' ({ resumed }) each time that stanzas can be sent, 'message', 'presence', 'push' (an <iq/> that asks something), 'acked'.

import { Emitter } from '../store.js';
import { discover, remember } from './endpoints.js';
import { bare, domain } from './jid.js';
import { another, busy, delay, final } from './reconnect.js';
import { NS, Strophe, StanzaError, child, randomId, stx } from './stanza.js';

const ATTEMPT = 12_000; // an attempt that took longer goes nowhere
const SILENCE = 45_000; // after so long without a word the server is asked whether it is there
const ANSWER = 10_000; // and that is how long it may take to say so
const REQUEST = 30_000;

const { Status } = Strophe;

export class Connection extends Emitter {
  /** phase: 'signed-out', 'connecting', 'online', 'offline'; error: what to tell; retryAt: when the next attempt is due; transport: of the last success. */
  state = { phase: 'signed-out', error: '', retryAt: 0, transport: '' };
  jid = '';

  #secret = null; // the password, or the SCRAM keys made of it
  #resource = '';
  #strophe = null;
  #streams = new Strophe.MemoryStorageBackend();
  #pending = new Map();
  #places = [];
  #place = 0;
  #attempt = 0;
  #ever = false; // whether this sign-in has worked once
  #condition = '';
  #timers = {};
  #heard = 0;

  constructor() {
    super();
    window.addEventListener('online', () => this.retry());
    window.addEventListener('offline', () => this.#lost('Your device has no network.'));
    document.addEventListener('visibilitychange', () => this.#seen());
    window.addEventListener('pagehide', (event) => event.persisted || this.#leave());
  }

  get account() {
    return bare(this.jid);
  }

  get domain() {
    return domain(this.jid);
  }

  get online() {
    return this.state.phase === 'online';
  }

  /** What can be kept to log in again without the password: SCRAM keys where that was how, else the password. */
  get secret() {
    return this.#secret;
  }

  /** Signs in. `resource` is this window's, the same after a reload, so that a session that was left behind is replaced. */
  async signIn(account, secret, resource) {
    this.jid = account;
    this.#secret = secret;
    this.#resource = resource;
    this.#ever = false;
    this.#attempt = 0;
    this.#tell({ phase: 'connecting', error: '' });
    this.#streams = new Strophe.MemoryStorageBackend();
    const places = await discover();
    if (this.state.phase !== 'connecting') return;
    this.#places = places;
    this.#place = 0;
    this.#open();
  }

  /** Signs out; the server hears of it when there is a way. */
  signOut(error = '') {
    const strophe = this.#strophe;
    this.#strophe = null;
    this.#clear();
    this.#secret = null;
    strophe?.disconnect('signed out');
    this.#reject();
    this.#tell({ phase: 'signed-out', error, retryAt: 0 });
  }

  /** Tries again now, if there is no connection; else finds out whether it still stands. */
  retry() {
    if (this.online) this.#probe(ANSWER / 2);
    else if (this.#ever && this.state.phase !== 'signed-out') {
      this.#drop();
      this.#attempt = 0;
      this.#place = 0;
      this.#open();
    }
  }

  /** Sends a stanza. False when there is no connection. */
  send(stanza) {
    if (!this.online) return false;
    this.#strophe.send(stanza);
    return true;
  }

  /** Asks, and resolves with the answer; rejects with a StanzaError, or an Error when none came. `make` is given the id of the request. */
  request(make, patience = REQUEST) {
    const id = randomId();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(id, null, new Error('The server did not answer.')), patience);
      this.#pending.set(id, { resolve, reject, timer });
      if (!this.send(make(id))) this.#settle(id, null, new Error('There is no connection.'));
    });
  }

  /** Whether a stanza with this id has been sent and not yet been counted by the server. Without stream management nobody knows, so: no. */
  unacknowledged(id) {
    return this.#strophe?.sm?.state.unacked.some(({ stanza }) => stanza.includes(`id="${id}"`)) ?? false;
  }

  /** Whether what was sent and got lost will be sent again by itself. */
  get managed() {
    return this.#strophe?.isStreamManagementEnabled() ?? false;
  }

  #tell(change) {
    this.state = { ...this.state, ...change };
    this.emit('state', this.state);
  }

  #open() {
    this.#clear();
    this.#condition = '';
    const place = this.#places[this.#place];
    if (!place) return this.#failed();
    const managed = { enableStreamManagement: true, streamManagement: { storage: this.#streams, maxUnacked: 1 } };
    const strophe = new Strophe.Connection(place.url, place.transport === 'websocket' ? managed : {});
    this.#strophe = strophe;
    strophe.maxRetries = 3;
    strophe.addHandler((stanza) => this.#take(strophe, stanza) || true);
    this.#tell({ phase: 'connecting', retryAt: 0 });
    this.#timers.attempt = setTimeout(() => this.#over(strophe, 'timeout'), ATTEMPT);
    strophe.connect(`${this.account}/${this.#resource}`, this.#secret, (status, condition, element) => {
      if (strophe === this.#strophe) this.#status(strophe, place, status, condition, element);
    });
  }

  #status(strophe, place, status, condition, element) {
    if (status === Status.CONNECTED) return this.#connected(strophe, place);
    if (status === Status.AUTHFAIL) {
      const why = element && [...element.children].find(({ localName }) => localName !== 'text')?.localName;
      return this.#over(strophe, condition || why || 'not-authorized');
    }
    if (status === Status.CONNFAIL || status === Status.ERROR) this.#condition ||= condition || 'failed';
    else if (status === Status.DISCONNECTED) this.#over(strophe, this.#condition || condition || '');
  }

  #connected(strophe, place) {
    clearTimeout(this.#timers.attempt);
    const resumed = strophe.hasResumed();
    this.jid = strophe.jid;
    this.#secret = strophe.scram_keys ?? this.#secret;
    if (!this.#ever) remember(window.localStorage, place.transport);
    this.#places = [place, ...this.#places.filter((other) => other !== place)];
    this.#ever = true;
    this.#attempt = 0;
    this.#heard = Date.now();
    if (!resumed) this.#reject();
    this.#timers.silence = setInterval(() => this.#quiet(), SILENCE / 3);
    this.#tell({ phase: 'online', error: '', retryAt: 0, transport: place.transport });
    this.emit('session', { resumed });
    this.#seen();
  }

  // The end of an attempt or a connection. What comes of it depends on the reason.
  #over(strophe, condition) {
    if (strophe !== this.#strophe) return;
    const was = this.state.phase;
    this.#drop(condition);
    const kept = typeof this.#secret !== 'string'; // nobody has typed a password just now
    const more = another(condition) && !this.#ever && this.#place + 1 < this.#places.length;
    if (final(condition) && !more) return this.signOut(kept && condition === 'not-authorized' ? 'Please sign in again.' : final(condition));
    if (was === 'online') {
      this.#place = 0;
      return this.#later();
    }
    if (!this.#ever && busy(condition)) return this.signOut(busy(condition));
    if (this.#ever && this.#attempt < 2) return this.#later(); // the way that worked is likely to work again
    this.#place += 1;
    if (this.#place < this.#places.length) return this.#open();
    this.#failed();
  }

  #failed() {
    this.#place = 0;
    if (this.#ever) return this.#later();
    this.signOut('The server cannot be reached. Is there a network?');
  }

  #later(error = '') {
    const wait = delay(this.#attempt);
    this.#attempt += 1;
    this.#timers.retry = setTimeout(() => this.#open(), wait);
    this.#tell({ phase: 'offline', error, retryAt: Date.now() + wait });
  }

  #lost(error) {
    if (!this.online && this.state.phase !== 'connecting') return;
    if (!this.#ever) return;
    this.#drop();
    this.#later(error);
  }

  // Lets go of a connection at once, without the farewell that would make its stream one that cannot be resumed.
  #drop(condition) {
    const strophe = this.#strophe;
    this.#strophe = null;
    this.#clear();
    strophe?._doDisconnect?.(condition);
  }

  #clear() {
    Object.values(this.#timers).forEach((timer) => clearTimeout(timer));
    this.#timers = {};
  }

  // The page goes, and nobody should be seen here any longer. A WebSocket still takes a farewell; of BOSH requests only a beacon outlives the page.
  #leave() {
    const strophe = this.#strophe;
    const { sid, rid } = strophe?._proto ?? {};
    if (!sid || !this.online) return strophe?.disconnect();
    const body = stx`<body xmlns="http://jabber.org/protocol/httpbind" rid="${String(rid)}" sid="${sid}" type="terminate"><presence xmlns="jabber:client" type="unavailable"/></body>`;
    navigator.sendBeacon(strophe.service, new Blob([body.toString()], { type: 'text/xml; charset=utf-8' }));
  }

  // Both ends may be gone without a word: a quiet connection is asked now and then.
  #quiet() {
    if (Date.now() - this.#heard > SILENCE) this.#probe(ANSWER);
  }

  #probe(patience) {
    if (this.#timers.probe) return;
    const asked = Date.now();
    this.request((id) => stx`<iq xmlns="jabber:client" type="get" id="${id}" to="${this.domain}"><ping xmlns="${NS.ping}"/></iq>`, patience).catch(() => {});
    this.#timers.probe = setTimeout(() => {
      delete this.#timers.probe;
      if (this.online && this.#heard < asked) this.#lost('The server does not answer.');
    }, patience);
  }

  // A hidden page needs no news of presence at once (XEP-0352); one that is seen again finds out whether it is still connected.
  #seen() {
    const features = this.#strophe?.features;
    if (this.online && child(features, 'csi', NS.csi)) {
      const name = document.hidden ? 'inactive' : 'active';
      this.#strophe.send(Strophe.Stanza.toElement(`<${name} xmlns="${NS.csi}"/>`));
    }
    if (!document.hidden && Date.now() - this.#heard > ANSWER) this.retry();
  }

  #take(strophe, stanza) {
    if (strophe !== this.#strophe) return;
    this.#heard = Date.now();
    const type = stanza.getAttribute('type');
    try {
      if (stanza.localName === 'iq' && (type === 'result' || type === 'error')) this.#answered(stanza, type);
      else if (stanza.localName === 'iq') this.emit('push', stanza);
      else if (stanza.localName === 'a') queueMicrotask(() => this.emit('acked')); // strophe counts only after this
      else this.emit(stanza.localName, stanza);
    } catch (error) {
      console.error('A stanza was not understood', error); // strophe drops a handler that throws
    }
  }

  #answered(stanza, type) {
    // The id is random and long: nobody else can guess it and answer in the place of who was asked.
    this.#settle(stanza.getAttribute('id'), stanza, type === 'error' ? new StanzaError(stanza) : null);
  }

  #settle(id, stanza, error) {
    const waiting = this.#pending.get(id);
    if (!waiting) return;
    clearTimeout(waiting.timer);
    this.#pending.delete(id);
    if (error) waiting.reject(error);
    else waiting.resolve(stanza);
  }

  #reject() {
    for (const id of [...this.#pending.keys()]) this.#settle(id, null, new Error('The connection was lost.'));
  }
}
