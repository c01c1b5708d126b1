// Finding colleagues by name: the directory of the office (XEP-0055), where the server has one.

import { bare, nameOf } from './jid.js';
import { fill } from './fill.js';
import { readForm } from './forms.js';
import { NS, child, children, stx, text, writable } from './stanza.js';

/** People whose name begins with these words: [{ jid, name }]. Empty where there is no directory. */
export async function find(connection, words) {
  const [first, last] = words.trim().split(/\s+/, 2);
  const asked = last ? [{ first, last }] : [{ first }, { last: first }, { nick: first }];
  const found = await Promise.all(asked.map((terms) => search(connection, terms).catch(() => [])));
  const people = new Map(found.flat().map((person) => [person.jid, person]));
  people.delete(connection.account);
  return [...people.values()].sort((a, b) => a.name.localeCompare(b.name)).slice(0, 20);
}

async function search(connection, terms) {
  const fields = Object.entries(terms).map(([name, value]) => ({ name, type: 'text-single', values: [value], options: [] }));
  const filled = fill(fields, {}).map(({ name, values }) => stx`<field var="${name}"><value>${writable(values[0])}</value></field>`);
  const answer = await connection.request(
    (id) => stx`<iq xmlns="jabber:client" type="set" id="${id}" to="${connection.domain}"><query xmlns="${NS.search}"><x xmlns="${NS.forms}" type="submit"><field var="FORM_TYPE" type="hidden"><value>${NS.search}</value></field>${filled}</x></query></iq>`,
  );
  const query = child(answer, 'query', NS.search);
  const plain = children(query, 'item', NS.search).map((item) => ({
    jid: item.getAttribute('jid'),
    words: [text(item, 'first', NS.search), text(item, 'last', NS.search)],
    nick: text(item, 'nick', NS.search),
  }));
  const rows = children(child(query, 'x', NS.forms), 'item', NS.forms).map((item) => {
    const value = (name) => readForm(item).find((field) => field.name === name)?.values[0] ?? '';
    return { jid: value('jid'), words: [value('first'), value('last')], nick: value('nick') };
  });
  return [...rows, ...plain]
    .filter(({ jid }) => jid)
    .map(({ jid, words, nick }) => ({ jid: bare(jid), name: words.filter(Boolean).join(' ') || nick || nameOf(jid) }));
}
