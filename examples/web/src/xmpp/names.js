// What people are called who have no name in the contact list, as those of shared groups: by their cards (XEP-0054), which are kept for some days, so that an office
// that signs in does not ask for every card each morning.

import { Emitter } from '../store.js';
import { NS, child, stx, text } from './stanza.js';

const CARDS = 'adsum.names';
const DAY = 24 * 60 * 60 * 1000;
const AT_ONCE = 4;

/** Tells 'changed' with the address of whose name became known. */
export class Names extends Emitter {
  #known = {}; // jid → [name, when it was asked for]
  #waiting = new Set();
  #running = 0;

  constructor(connection) {
    super();
    this.connection = connection;
    try {
      this.#known = JSON.parse(localStorage.getItem(CARDS)) ?? {};
    } catch {
      // Nothing is known yet.
    }
  }

  /** The name, or ''. */
  of(jid) {
    return this.#known[jid]?.[0] ?? '';
  }

  /** Asks for the names that are not known or were asked for long ago. */
  learn(jids) {
    const old = ([name, at] = ['', 0]) => Date.now() - at > (name ? 7 * DAY : DAY);
    for (const jid of jids) if (old(this.#known[jid])) this.#waiting.add(jid);
    for (let started = this.#running; started < AT_ONCE; started += 1) this.#next();
  }

  /** Forgets all of them: at the end of an account on this machine. */
  forget() {
    this.#known = {};
    localStorage.removeItem(CARDS);
  }

  async #next() {
    const [jid] = this.#waiting;
    if (!jid || !this.connection.online) return;
    this.#waiting.delete(jid);
    this.#running += 1;
    try {
      this.#set(jid, await this.#ask(jid));
    } catch (error) {
      if (error.condition) this.#set(jid, ''); // there is no card, or not for us
    }
    this.#running -= 1;
    this.#next();
  }

  async #ask(jid) {
    const answer = await this.connection.request((id) => stx`<iq xmlns="jabber:client" type="get" id="${id}" to="${jid}"><vCard xmlns="${NS.vcard}"/></iq>`);
    const card = child(answer, 'vCard', NS.vcard);
    return (text(card, 'FN', NS.vcard) || text(card, 'NICKNAME', NS.vcard)).trim();
  }

  #set(jid, name) {
    const before = this.of(jid);
    this.#known[jid] = [name, Date.now()];
    try {
      localStorage.setItem(CARDS, JSON.stringify(this.#known));
    } catch {
      // Without storage it is asked for again next time.
    }
    if (name !== before) this.emit('changed', jid);
  }
}
