// Pictures of people: announced by an event (XEP-0084) or in presence (XEP-0153), fetched once a hash, only when somebody is to be drawn.

import { Emitter } from '../store.js';
import { bare } from './jid.js';
import { NS, child, children, down, stx, text } from './stanza.js';

const TYPES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];
const LARGEST = 512 * 1024;
const AT_ONCE = 4;

/** Tells 'changed' with the address of who got another picture. */
export class Avatars extends Emitter {
  #hashes = new Map(); // jid → { hash, fetch }
  #urls = new Map(); // hash → blob URL, '' while it is fetched or when there is none
  #waiting = [];
  #running = 0;

  constructor(connection) {
    super();
    this.connection = connection;
    connection.on('message', (stanza) => this.#event(stanza));
  }

  /** The URL of the picture, or ''. */
  url(jid) {
    return this.#urls.get(this.#hashes.get(jid)?.hash) ?? '';
  }

  /** Presence said which picture somebody has; the empty string: none. */
  announced(jid, hash) {
    if (this.#hashes.get(jid)?.pep) return; // the better source has spoken
    this.#set(jid, { hash, fetch: () => this.#card(jid) });
  }

  #event(stanza) {
    const items = down(stanza, ['event', NS.pubsubEvent], ['items', NS.pubsubEvent]);
    if (items?.getAttribute('node') !== NS.avatarMetadata) return;
    const jid = bare(stanza.getAttribute('from') ?? this.connection.account);
    const infos = children(down(items, ['item', NS.pubsubEvent], ['metadata', NS.avatarMetadata]), 'info', NS.avatarMetadata);
    const info = infos.find((one) => !one.getAttribute('url') && TYPES.includes(one.getAttribute('type')));
    const hash = info?.getAttribute('id') ?? '';
    this.#set(jid, { hash, pep: true, fetch: () => this.#data(jid, hash, info?.getAttribute('type')) });
  }

  #set(jid, avatar) {
    if (this.#hashes.get(jid)?.hash === avatar.hash) return;
    this.#hashes.set(jid, avatar);
    if (avatar.hash && !this.#urls.has(avatar.hash)) {
      this.#urls.set(avatar.hash, '');
      this.#waiting.push({ jid, ...avatar });
      this.#next();
    } else this.emit('changed', jid);
  }

  // A few at a time: an office that signs in asks for everybody's picture in one moment.
  async #next() {
    if (this.#running >= AT_ONCE) return;
    const avatar = this.#waiting.shift();
    if (!avatar) return;
    this.#running += 1;
    try {
      const blob = await avatar.fetch();
      if (blob) this.#urls.set(avatar.hash, URL.createObjectURL(blob));
    } catch {
      this.#urls.delete(avatar.hash); // asked again at the next announcement
    }
    this.#running -= 1;
    for (const [jid, { hash }] of this.#hashes) if (hash === avatar.hash) this.emit('changed', jid);
    this.#next();
  }

  async #data(jid, hash, type) {
    const answer = await this.connection.request(
      (id) => stx`<iq xmlns="jabber:client" type="get" id="${id}" to="${jid}"><pubsub xmlns="${NS.pubsub}"><items node="${NS.avatarData}"><item id="${hash}"/></items></pubsub></iq>`,
    );
    const item = down(answer, ['pubsub', NS.pubsub], ['items', NS.pubsub], ['item', NS.pubsub]);
    return picture(text(item, 'data', NS.avatarData), type);
  }

  async #card(jid) {
    const answer = await this.connection.request((id) => stx`<iq xmlns="jabber:client" type="get" id="${id}" to="${jid}"><vCard xmlns="${NS.vcard}"/></iq>`);
    const photo = down(answer, ['vCard', NS.vcard], ['PHOTO', NS.vcard]);
    return picture(text(photo, 'BINVAL', NS.vcard), text(photo, 'TYPE', NS.vcard));
  }
}

// Only what browsers show as a still picture; never SVG, which is a program.
function picture(base64, type) {
  const clean = base64.replace(/\s/g, '');
  if (!clean || clean.length > LARGEST * 1.4) return null;
  const octets = Uint8Array.from(atob(clean), (letter) => letter.charCodeAt(0));
  return new Blob([octets], { type: TYPES.includes(type) ? type : guess(octets) });
}

function guess([first, second]) {
  if (first === 0x89 && second === 0x50) return 'image/png';
  if (first === 0x47) return 'image/gif';
  if (first === 0x52) return 'image/webp';
  return 'image/jpeg';
}
