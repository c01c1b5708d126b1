// Everything wired together: one account, its people, its conversations, its status. This is the whole interface that the screen uses:
//
//   const office = new Office();
//   await office.signIn('ann@office.example', 'password', { keep: true });
//   office.roster.people; office.chats.say('bob@office.example', 'Lunch?'); office.status.set('dnd', 'Writing');
//
// Models (`roster`, `chats`, `status`) and the connection tell when they have changed, see store.js.

import { Avatars } from './avatars.js';
import { Chats } from './chat.js';
import { Connection } from './connection.js';
import { describe } from './devices.js';
import { bare } from './jid.js';
import { Names } from './names.js';
import { Roster } from './roster.js';
import { Status } from './status.js';
import { NS, child, randomId, stx } from './stanza.js';

const TAB = 'adsum.session';
const RESOURCE = 'adsum.resource';
const STATUS = 'adsum.status';

export class Office {
  /** Whether somebody is being signed in again after a reload. */
  restoring = false;

  constructor() {
    this.connection = new Connection();
    this.avatars = new Avatars(this.connection);
    this.names = new Names(this.connection);
    this.roster = new Roster(this.connection, this.avatars, this.names);
    this.status = new Status(this.connection);
    this.chats = new Chats(this.connection, this.roster);
    this.connection.on('session', ({ resumed }) => (resumed ? this.#carryOn() : this.#begin()));
    this.connection.on('push', (iq) => this.#answer(iq));
    this.connection.on('state', ({ phase }) => phase === 'signed-out' && this.#forget());
    this.status.on('change', () => this.#remember());
  }

  /** Signs in. `keep`: also after a reload of this tab. */
  async signIn(account, password, { keep = false } = {}) {
    this.keep = keep;
    this.#recall(bare(account));
    return this.connection.signIn(bare(account), password, await this.#resource());
  }

  signOut() {
    this.connection.signOut();
    this.names.forget();
    sessionStorage.clear();
    location.hash = '';
    location.reload(); // nothing of the account stays in memory
  }

  /** After a reload: goes on as who was signed in, if that was wanted. */
  restore() {
    const kept = read(TAB);
    if (!kept) return false;
    this.restoring = true;
    this.signIn(kept.account, kept.secret, { keep: true });
    return true;
  }

  async #begin() {
    // SCRAM keys are no password: they open this account at this server, and die with the tab. On pages without WebCrypto there are none, and the password is kept.
    if (this.keep) sessionStorage.setItem(TAB, JSON.stringify({ account: this.connection.account, secret: this.connection.secret }));
    try {
      await this.roster.load();
    } catch {
      return; // the connection broke; the next session begins anew
    }
    this.status.announce();
    this.chats.resume();
  }

  #carryOn() {
    this.status.carryOn();
    this.chats.carryOn();
  }

  // What others and the server may ask of a client. What is not known is said to be so (RFC 6120 §8.2.3).
  #answer(iq) {
    const type = iq.getAttribute('type');
    if (type === 'set' && child(iq, 'query', NS.roster)) return;
    if (type === 'get' && child(iq, 'query', NS.discoInfo)) return this.connection.send(describe(iq));
    const [id, to] = [iq.getAttribute('id'), iq.getAttribute('from') ?? this.connection.domain];
    if (type === 'get' && child(iq, 'ping', NS.ping)) return this.connection.send(stx`<iq xmlns="jabber:client" type="result" id="${id}" to="${to}"/>`);
    this.connection.send(
      stx`<iq xmlns="jabber:client" type="error" id="${id}" to="${to}"><error type="cancel"><service-unavailable xmlns="${NS.stanzas}"/></error></iq>`,
    );
  }

  #forget() {
    this.restoring = false;
    [TAB, RESOURCE].forEach((key) => sessionStorage.removeItem(key));
  }

  // The name of this window at the server: the same after a reload, so that the session before it is replaced instead of lingering. A tab that was duplicated
  // has the storage of the other, and would throw it out: who holds the lock keeps the name.
  async #resource() {
    const fresh = `web-${randomId().slice(0, 8)}`;
    const last = sessionStorage.getItem(RESOURCE) ?? fresh;
    const name = (await held(`adsum.${last}`)) ? last : fresh;
    sessionStorage.setItem(RESOURCE, name);
    return name;
  }

  #remember() {
    if (!this.connection.account) return;
    const { show, note } = this.status;
    localStorage.setItem(STATUS, JSON.stringify({ account: this.connection.account, show, note }));
  }

  #recall(account) {
    const last = read(STATUS, localStorage);
    const { show, note } = last?.account === account ? last : { show: 'available', note: '' };
    Object.assign(this.status, { show, note });
  }
}

// Takes a lock for as long as the page lives; false if another page has it. Where there are no locks nobody has.
function held(name) {
  if (!navigator.locks) return true;
  return new Promise((resolve) => {
    navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      resolve(Boolean(lock) || mine.has(name));
      if (lock) mine.add(name);
      return lock && new Promise(() => {});
    });
  });
}

const mine = new Set();

function read(key, storage = sessionStorage) {
  try {
    return JSON.parse(storage.getItem(key));
  } catch {
    return null;
  }
}
