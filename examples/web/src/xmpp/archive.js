// Pages of history out of one's own archive (XEP-0313), in pages (XEP-0059).

import { bare } from './jid.js';
import { readMessage } from './message.js';
import { NS, child, down, randomId, stx, text } from './stanza.js';

/**
 * Fetches a page: `{ messages, complete }`, oldest first.
 *
 * `with`: only of this conversation; `before`: the archive id that the page ends before ('' for the newest page); `after`: the id it begins after. `complete`: there is
 * no more in that direction.
 */
export async function page(connection, { with: other, before, after, max = 50 }) {
  const query = randomId();
  const messages = [];
  const stop = connection.on('message', (stanza) => {
    const message = result(stanza, query, connection.account);
    if (message) messages.push(message);
  });
  const chosen = other ? stx`<x xmlns="${NS.forms}" type="submit"><field var="FORM_TYPE"><value>${NS.mam}</value></field><field var="with"><value>${other}</value></field></x>` : '';
  const where = after ? stx`<after>${after}</after>` : stx`<before>${before ?? ''}</before>`;
  try {
    const answer = await connection.request(
      (id) => stx`<iq xmlns="jabber:client" type="set" id="${id}"><query xmlns="${NS.mam}" queryid="${query}">${chosen}<set xmlns="${NS.rsm}"><max>${String(max)}</max>${where}</set></query></iq>`,
    );
    const fin = child(answer, 'fin', NS.mam);
    const set = child(fin, 'set', NS.rsm);
    return { messages, complete: fin?.getAttribute('complete') === 'true' || !messages.length, first: text(set, 'first', NS.rsm), last: text(set, 'last', NS.rsm) };
  } finally {
    stop();
  }
}

// One result of our query. Only our own account may speak for our archive.
function result(stanza, query, account) {
  const found = child(stanza, 'result', NS.mam);
  if (found?.getAttribute('queryid') !== query) return null;
  const from = stanza.getAttribute('from');
  if (from && bare(from) !== account) return null;
  const forwarded = child(found, 'forwarded', NS.forward);
  const message = down(forwarded, ['message', NS.client]);
  if (!message) return null;
  const stamp = Date.parse(child(forwarded, 'delay', NS.delay)?.getAttribute('stamp') ?? '') || Date.now();
  return readMessage(message, account, { archiveId: found.getAttribute('id'), stamp });
}
