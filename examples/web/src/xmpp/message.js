// What one message stanza says, as a plain object. The stanza may come live, as a copy of what another device sent or got (XEP-0280), or out of the archive
// (XEP-0313): who calls this has unwrapped it.

import { bare } from './jid.js';
import { NS, child, children, randomId, stx, text, writable } from './stanza.js';

/** Reads one. `account` is ours; `archiveId` and `stamp` (ms) are given for what comes out of the archive. */
export function readMessage(stanza, account, { archiveId = '', stamp = 0 } = {}) {
  const from = bare(stanza.getAttribute('from')) || account;
  const to = bare(stanza.getAttribute('to')) || account;
  const mine = from === account;
  const delayed = Date.parse(child(stanza, 'delay', NS.delay)?.getAttribute('stamp') ?? '');
  const own = children(stanza, 'stanza-id', NS.sid).find((one) => one.getAttribute('by') === account);
  const state = children(stanza, null, NS.states)[0]?.localName ?? '';
  const error = child(stanza, 'error');
  return {
    id: stanza.getAttribute('id') ?? '',
    type: stanza.getAttribute('type') ?? 'normal',
    archiveId: archiveId || own?.getAttribute('id') || '',
    with: mine ? to : from,
    from: mine ? 'me' : 'them',
    at: stamp || delayed || Date.now(),
    late: Boolean(stamp || delayed),
    body: text(stanza, 'body', NS.client),
    replaces: child(stanza, 'replace', NS.correct)?.getAttribute('id') ?? '',
    state,
    wantsReceipt: Boolean(child(stanza, 'request', NS.receipts)),
    received: child(stanza, 'received', NS.receipts)?.getAttribute('id') ?? child(stanza, 'received', NS.markers)?.getAttribute('id') ?? '',
    markable: Boolean(child(stanza, 'markable', NS.markers)),
    displayed: child(stanza, 'displayed', NS.markers)?.getAttribute('id') ?? '',
    error: error ? text(error, 'text', NS.stanzas) || children(error, null, NS.stanzas)[0]?.localName || 'It could not be delivered.' : '',
  };
}

/** A message to write, which asks to be told when it has arrived and when it has been seen. `replaces`: the id of one that it corrects. */
export const write = (to, id, body, replaces = '') => stx`<message xmlns="jabber:client" type="chat" to="${to}" id="${id}">
  <body>${writable(body)}</body><active xmlns="${NS.states}"/><request xmlns="${NS.receipts}"/><markable xmlns="${NS.markers}"/>
  <origin-id xmlns="${NS.sid}" id="${id}"/>${replaces ? stx`<replace xmlns="${NS.correct}" id="${replaces}"/>` : ''}
</message>`;

/** That we are writing, or have stopped (XEP-0085). */
export const writeState = (to, state) => {
  const inside = { composing: stx`<composing xmlns="${NS.states}"/>`, paused: stx`<paused xmlns="${NS.states}"/>`, active: stx`<active xmlns="${NS.states}"/>` }[state];
  return stx`<message xmlns="jabber:client" type="chat" to="${to}" id="${randomId()}">${inside}<no-store xmlns="${NS.hints}"/></message>`;
};

/** That a message has arrived (XEP-0184) or has been seen (XEP-0333). */
export const writeReceipt = (to, id) =>
  stx`<message xmlns="jabber:client" type="chat" to="${to}" id="${randomId()}"><received xmlns="${NS.receipts}" id="${id}"/><store xmlns="${NS.hints}"/></message>`;
export const writeSeen = (to, id) =>
  stx`<message xmlns="jabber:client" type="chat" to="${to}" id="${randomId()}"><displayed xmlns="${NS.markers}" id="${id}"/><store xmlns="${NS.hints}"/></message>`;
