// One's own status: what this window says of us, how long nobody has touched it (XEP-0319), and the status that outlives logout, which the server keeps for
// us (a command of the office, see forms.js).

import { Model } from '../store.js';
import { caps } from './devices.js';
import { commands, run } from './forms.js';
import { MINUTE } from './presence.js';
import { NS, stx, writable } from './stanza.js';

const SET = 'adsum:office#set-status';
const CLEAR = 'adsum:office#clear-status';
const IDLE_AFTER = 5 * MINUTE;

export class Status extends Model {
  show = 'available';
  note = '';
  /** Whether the server can keep a status for us. */
  canKeep = false;
  idleSince = 0;

  #touched = Date.now();
  #unsent = false; // whether something changed while there was no connection

  constructor(connection) {
    super();
    this.connection = connection;
    for (const event of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart']) {
      window.addEventListener(event, () => this.#touch(), { passive: true, capture: true });
    }
    setInterval(() => this.#watch(), 15_000);
  }

  /** Says hello to everybody, for a new session. */
  async announce() {
    this.#send();
    try {
      const offered = await commands(this.connection, this.connection.domain);
      this.canKeep = offered.includes(SET) && offered.includes(CLEAR);
    } catch {
      this.canKeep = false;
    }
    this.changed();
  }

  /** After the session before was resumed. */
  carryOn() {
    if (this.#unsent) this.#send();
  }

  /** Changes the status of this window. */
  set(show, note) {
    this.show = show;
    this.note = note;
    this.#send();
    this.changed();
  }

  /** Has the server keep a status, also when nobody is signed in. `until`: '' for ever, or as the form explains ('8h', '3d'). */
  keep(show, note, until = '') {
    return run(this.connection, this.connection.domain, SET, { show, text: note, until });
  }

  /** Takes it back. */
  unkeep() {
    return run(this.connection, this.connection.domain, CLEAR);
  }

  #touch() {
    this.#touched = Date.now();
    if (!this.idleSince) return;
    this.idleSince = 0;
    this.#send();
  }

  #watch() {
    if (this.idleSince || Date.now() - this.#touched < IDLE_AFTER) return;
    this.idleSince = this.#touched;
    this.#send();
  }

  // Who has left the desk is away without having to say so.
  #send() {
    const show = this.idleSince && ['available', 'chat'].includes(this.show) ? 'away' : this.show;
    this.#unsent = !this.connection.send(stx`<presence xmlns="jabber:client">
      ${show === 'available' ? '' : stx`<show>${show}</show>`}
      ${this.note ? stx`<status>${writable(this.note)}</status>` : ''}
      ${this.idleSince ? stx`<idle xmlns="${NS.idle}" since="${new Date(this.idleSince).toISOString()}"/>` : ''}
      ${caps()}
    </presence>`);
  }
}
