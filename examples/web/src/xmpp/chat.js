// Conversations: what is written live, on other devices of ours (XEP-0280) and before (XEP-0313) comes together here.

import { Model } from '../store.js';
import { page } from './archive.js';
import { bare } from './jid.js';
import { readMessage, write, writeReceipt, writeSeen, writeState } from './message.js';
import { NS, child, down, randomId, stx } from './stanza.js';
import { correct, further, insert, progress, unread } from './thread.js';

const PAGE = 40;
const PAUSE = 6000; // who has not typed for so long has paused

const READ = 'adsum.read.';

/** How far a message has come that is seen for the first time. */
const fresh = ({ from }) => ({ status: from === 'me' ? 'sent' : undefined });

export class Chats extends Model {
  /** jid → { jid, messages, unread, typing, complete, loading, oldest: archive id that history is known from } */
  threads = new Map();
  /** The conversation that is looked at, or ''. */
  open = '';

  #last = ''; // the newest archive id that is known
  #readUpTo = {};
  #typing = null; // { jid, timer } while we are writing
  #watched = true; // whether somebody looks at the page

  constructor(connection, roster) {
    super();
    this.connection = connection;
    this.roster = roster;
    connection.on('message', (stanza) => this.#stanza(stanza));
    connection.on('acked', () => this.#acked());
    const look = () => this.#look();
    document.addEventListener('visibilitychange', look);
    window.addEventListener('focus', look);
    window.addEventListener('blur', look);
  }

  /** After a new session: copies for this device, what was missed, and what could not be sent. */
  async resume() {
    this.#remembered();
    this.connection.request((id) => stx`<iq xmlns="jabber:client" type="set" id="${id}"><enable xmlns="${NS.carbons}"/></iq>`).catch(() => {});
    try {
      await this.#catchUp();
    } catch {
      // A server without an archive: conversations begin now.
    }
    this.#resend();
    if (this.open) this.show(this.open);
    this.changed();
  }

  /** After the session before was resumed: nothing was missed, but something may have been written meanwhile. */
  carryOn() {
    this.#acked();
    this.#resend();
  }

  /** The conversation with somebody; made if there is none. */
  thread(jid) {
    if (!this.threads.has(jid)) this.threads.set(jid, { jid, messages: [], unread: 0, typing: false, complete: false, loading: false });
    return this.threads.get(jid);
  }

  /** The conversations in which something was said, the newest first. */
  get recent() {
    const newest = ({ messages }) => messages.at(-1)?.at ?? 0;
    return [...this.threads.values()].filter(({ messages }) => messages.length).sort((a, b) => newest(b) - newest(a));
  }

  get unread() {
    return [...this.threads.values()].reduce((sum, thread) => sum + thread.unread, 0);
  }

  /** Shows a conversation; '' shows none. */
  show(jid) {
    if (this.open && this.open !== jid) this.#pause(this.open);
    this.open = jid;
    if (!jid) return this.changed();
    const thread = this.thread(jid);
    if (thread.messages.length < PAGE && !thread.complete) this.older(jid);
    this.#look();
    this.changed();
  }

  /** Fetches what was said before the oldest message that is here. Receipts fill pages as well, so it may take more than one to find words. */
  async older(jid) {
    const before = this.thread(jid);
    if (before.loading || before.complete || !this.connection.online) return;
    this.#change(jid, { loading: true });
    let change = { loading: false };
    try {
      for (let pages = 0; pages < 8 && this.thread(jid).messages.length < before.messages.length + PAGE / 2; pages += 1) {
        const { oldest, messages: known } = this.thread(jid);
        const from = oldest ?? known.find(({ archiveId }) => archiveId)?.archiveId ?? '';
        const { messages, complete, first } = await page(this.connection, { with: jid, before: from, max: PAGE });
        for (const message of messages.toReversed()) if (message.body && !message.replaces) this.#add({ ...message, ...fresh(message) }, true);
        for (const message of messages) this.#known(message, true);
        this.#change(jid, { oldest: first || from });
        if (complete) {
          change = { loading: false, complete };
          break;
        }
      }
    } catch {
      // Without an archive there is nothing before; without a connection it is tried again when somebody scrolls.
      if (this.connection.online) change = { loading: false, complete: true };
    }
    this.#change(jid, change);
  }

  /** Sends a message, or keeps it until there is a connection. */
  say(jid, words, replaces = '') {
    const body = words.trim();
    if (!body) return;
    if (replaces) {
      const corrected = correct(this.thread(jid).messages, { replaces, from: 'me', body });
      if (!corrected) return;
      this.connection.send(write(jid, randomId(), body, replaces));
      this.#change(jid, { messages: corrected });
      return;
    }
    const message = { id: randomId(), archiveId: '', with: jid, from: 'me', at: Math.max(Date.now(), this.thread(jid).messages.at(-1)?.at ?? 0), body, status: 'waiting' };
    this.#typing?.jid === jid && this.#forget();
    this.#add(message);
    this.#transmit(message);
  }

  /** Tries again with a message that failed. */
  again(jid, id) {
    const message = this.thread(jid).messages.find((one) => one.id === id);
    if (!message) return;
    this.#update(jid, id, { status: 'waiting', error: '' });
    this.#transmit(message);
  }

  /** To be called while somebody types: the other side is told that we write, and later that we stopped. */
  typing(jid, words) {
    if (!words) return this.#pause(jid);
    if (this.#typing?.jid === jid) clearTimeout(this.#typing.timer);
    else if (this.#listening(jid)) this.connection.send(writeState(jid, 'composing'));
    this.#typing = { jid, timer: setTimeout(() => this.#pause(jid), PAUSE) };
  }

  #pause(jid) {
    if (this.#typing?.jid !== jid) return;
    this.#forget();
    if (this.#listening(jid)) this.connection.send(writeState(jid, 'paused'));
  }

  #forget() {
    clearTimeout(this.#typing?.timer);
    this.#typing = null;
  }

  // Whether it makes sense to tell somebody that we type: they are at a device that shows it, and may know that we are here.
  #listening(jid) {
    const { devices, subscription } = this.roster.get(jid);
    return ['from', 'both'].includes(subscription) && devices.some((kind) => kind !== 'deskphone');
  }

  #transmit({ with: jid, id, body }) {
    if (!this.connection.send(write(jid, id, body))) return;
    this.#update(jid, id, this.connection.managed ? { handed: true } : { handed: true, status: 'sent' });
  }

  #acked() {
    for (const { jid, messages } of this.threads.values()) {
      for (const { id, handed, status } of messages.slice(-50)) {
        if (handed && status === 'waiting' && !this.connection.unacknowledged(id)) this.#update(jid, id, { status: 'sent' });
      }
    }
  }

  #stanza(stanza) {
    const { account } = this.connection;
    if (child(stanza, 'result', NS.mam)) return;
    const copy = child(stanza, 'received', NS.carbons) ?? child(stanza, 'sent', NS.carbons);
    if (copy && bare(stanza.getAttribute('from')) !== account) return; // somebody pretends to be our server
    const inner = copy ? down(copy, ['forwarded', NS.forward], ['message', NS.client]) : stanza;
    if (inner) this.#known(readMessage(inner, account), false, Boolean(copy));
  }

  // Something that was said, by whatever way it came.
  #known(message, old, copy = false) {
    if (message.archiveId && !old) this.#last = message.archiveId;
    if (message.type === 'groupchat' || message.type === 'headline' || !message.with) return;
    if (message.type === 'error') return this.#failed(message);
    if (message.from === 'them') this.#heard(message, old, copy);
    else if (message.displayed) this.#read(message.with, message.at);
    if (message.replaces && this.#corrected(message)) return;
    if (!message.body) return;
    const newest = this.threads.get(message.with)?.messages.at(-1)?.at ?? 0;
    const at = message.late ? message.at : Math.max(message.at, newest); // clocks differ, but what comes now comes last
    this.#add({ ...message, at, ...fresh(message) });
  }

  #heard(message, old, copy) {
    const { with: jid, received, displayed, state } = message;
    const thread = this.threads.get(jid);
    if (received && thread) this.#change(jid, { messages: progress(thread.messages, received, 'received') });
    if (displayed && thread) this.#change(jid, { messages: progress(thread.messages, displayed, 'displayed') });
    if (old) return;
    if (message.body || state) this.#change(jid, { typing: state === 'composing' && !message.late }, Boolean(thread) || Boolean(message.body));
    const known = ['from', 'both'].includes(this.roster.get(jid).subscription);
    if (message.body && message.wantsReceipt && message.id && known && !copy) this.connection.send(writeReceipt(jid, message.id));
  }

  #corrected({ with: jid, replaces, from, body }) {
    const messages = correct(this.thread(jid).messages, { replaces, from, body });
    if (messages) this.#change(jid, { messages });
    return messages;
  }

  #failed({ with: jid, id, error }) {
    if (this.threads.get(jid)?.messages.some((message) => message.id === id && message.from === 'me')) this.#update(jid, id, { status: 'failed', error });
  }

  #add(message, earlier = false) {
    const jid = message.with;
    const thread = this.thread(jid);
    const messages = insert(thread.messages, message, earlier);
    this.#change(jid, { messages, unread: unread(messages, this.#since(jid)) });
    if (jid === this.open && this.#watched) this.#seen(jid);
  }

  #update(jid, id, change) {
    const { messages } = this.thread(jid);
    this.#change(jid, { messages: messages.map((message) => (message.id === id && message.from === 'me' ? { ...message, ...change } : message)) });
  }

  #change(jid, change, make = true) {
    if (!make) return;
    this.threads.set(jid, { ...this.thread(jid), ...change });
    this.changed();
  }

  // Reading: what is on a page that somebody looks at has been seen, and its writer is told (XEP-0333).
  #look() {
    this.#watched = !document.hidden && document.hasFocus();
    if (this.#watched && this.open) this.#seen(this.open);
  }

  #seen(jid) {
    const thread = this.threads.get(jid);
    if (!thread?.unread) return;
    const last = thread.messages.findLast(({ from }) => from === 'them');
    this.#read(jid, last.at);
    const known = ['from', 'both'].includes(this.roster.get(jid).subscription);
    if (last.markable && last.id && known) this.connection.send(writeSeen(jid, last.id));
  }

  #read(jid, at) {
    this.#readUpTo[jid] = Math.max(this.#readUpTo[jid] ?? 0, at);
    try {
      localStorage.setItem(READ + this.connection.account, JSON.stringify(this.#readUpTo));
    } catch {
      // Without storage all is new after a reload.
    }
    if (this.threads.has(jid)) this.#change(jid, { unread: unread(this.threads.get(jid).messages, this.#since(jid)) });
  }

  // Up to when (ms) a conversation counts as read. In a browser that has never been used all that was said before counts.
  #since(jid) {
    return this.#readUpTo[jid] ?? this.#readUpTo[''] ?? 0;
  }

  #remembered() {
    try {
      this.#readUpTo = JSON.parse(localStorage.getItem(READ + this.connection.account)) ?? {};
    } catch {
      this.#readUpTo = {};
    }
    if (!this.#readUpTo['']) this.#read('', Date.now());
  }

  // What was said while there was no session: the newest page at first, later all since the last that is known.
  async #catchUp() {
    if (!this.#last) {
      const { messages } = await page(this.connection, { max: 100 });
      for (const message of messages) this.#known(message, true);
      this.#last ||= messages.at(-1)?.archiveId ?? '';
      return;
    }
    for (let pages = 0; pages < 20; pages += 1) {
      const { messages, complete } = await page(this.connection, { after: this.#last, max: 100 });
      for (const message of messages) this.#known(message, true);
      this.#last = messages.at(-1)?.archiveId || this.#last;
      if (complete) return;
    }
  }

  // Sends what waited for a connection. What was under way when that broke is in the archive by now, or was lost; stream management sends its own again.
  #resend() {
    for (const { jid, messages } of this.threads.values()) {
      for (const message of messages) {
        if (message.from !== 'me' || message.status !== 'waiting' || this.connection.unacknowledged(message.id)) continue;
        if (message.archiveId) this.#update(jid, message.id, { status: further(message.status, 'sent') });
        else this.#transmit(message);
      }
    }
  }
}
