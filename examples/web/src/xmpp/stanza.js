// Reading and writing XML. Stanzas are written with strophe's tagged template `stx`, which escapes every value; they are read with the functions
// below. Nothing here makes HTML.

import { stx, Strophe } from 'strophe.js';

export { stx, Strophe };

Strophe.setLogLevel(Strophe.LogLevel.ERROR); // what becomes of connections is told on the screen

/** The namespaces that are spoken here, under short names. */
export const NS = {
  avatarData: 'urn:xmpp:avatar:data',
  avatarMetadata: 'urn:xmpp:avatar:metadata',
  blocking: 'urn:xmpp:blocking',
  caps: 'http://jabber.org/protocol/caps',
  carbons: 'urn:xmpp:carbons:2',
  client: 'jabber:client',
  commands: 'http://jabber.org/protocol/commands',
  correct: 'urn:xmpp:message-correct:0',
  csi: 'urn:xmpp:csi:0',
  delay: 'urn:xmpp:delay',
  discoInfo: 'http://jabber.org/protocol/disco#info',
  discoItems: 'http://jabber.org/protocol/disco#items',
  forms: 'jabber:x:data',
  forward: 'urn:xmpp:forward:0',
  hints: 'urn:xmpp:hints',
  idle: 'urn:xmpp:idle:1',
  mam: 'urn:xmpp:mam:2',
  markers: 'urn:xmpp:chat-markers:0',
  nick: 'http://jabber.org/protocol/nick',
  ping: 'urn:xmpp:ping',
  pubsub: 'http://jabber.org/protocol/pubsub',
  pubsubEvent: 'http://jabber.org/protocol/pubsub#event',
  receipts: 'urn:xmpp:receipts',
  roster: 'jabber:iq:roster',
  rsm: 'http://jabber.org/protocol/rsm',
  search: 'jabber:iq:search',
  sid: 'urn:xmpp:sid:0',
  sm: 'urn:xmpp:sm:3',
  stanzas: 'urn:ietf:params:xml:ns:xmpp-stanzas',
  states: 'http://jabber.org/protocol/chatstates',
  vcard: 'vcard-temp',
  vcardUpdate: 'vcard-temp:x:update',
  version: 'jabber:iq:version',
};

/** The children of an element with this name and namespace; without a name, all in the namespace. */
export function children(element, name, namespace) {
  if (!element) return [];
  const fits = (child) => (!name || child.localName === name) && (!namespace || child.namespaceURI === namespace);
  return [...element.children].filter(fits);
}

/** The first of them, or null. */
export const child = (element, name, namespace) => children(element, name, namespace)[0] ?? null;

/** A way down through children of children: `down(iq, ['pubsub', NS.pubsub], ['items', NS.pubsub])`. */
export const down = (element, ...steps) => steps.reduce((at, [name, namespace]) => child(at, name, namespace), element);

/** The text of a child, or the empty string. */
export const text = (element, name, namespace) => child(element, name, namespace)?.textContent ?? '';

/** What XML 1.0 cannot hold is left out, so that a pasted control character costs no connection. */
// eslint-disable-next-line no-control-regex
export const writable = (words) => words.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '');

/** A random name, also where the page is no secure context. */
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The answer to a request that was an error. */
export class StanzaError extends Error {
  constructor(stanza) {
    const error = child(stanza, 'error', NS.client) ?? child(stanza, 'error');
    const condition = children(error, null, NS.stanzas).find((item) => item.localName !== 'text')?.localName ?? 'undefined-condition';
    super(text(error, 'text', NS.stanzas) || condition);
    this.condition = condition;
    this.type = error?.getAttribute('type') ?? 'cancel';
  }
}
