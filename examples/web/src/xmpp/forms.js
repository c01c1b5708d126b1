// Data forms (XEP-0004) and the commands that ask them (XEP-0050).

import { NS, StanzaError, child, children, stx, text, writable } from './stanza.js';
import { fill } from './fill.js';

/** The fields of a form: [{ name, type, required, values, options }]. */
export function readForm(x) {
  return children(x, 'field', NS.forms).map((field) => ({
    name: field.getAttribute('var') ?? '',
    type: field.getAttribute('type') ?? 'text-single',
    required: Boolean(child(field, 'required', NS.forms)),
    values: children(field, 'value', NS.forms).map((value) => value.textContent),
    options: children(field, 'option', NS.forms).map((option) => text(option, 'value', NS.forms)),
  }));
}

/** A form filled in: the answers by name over what the form proposes. */
export function submit(fields, answers) {
  const filled = fill(fields, answers).map(({ name, values }) => {
    const each = values.map((value) => stx`<value>${writable(value)}</value>`);
    return stx`<field var="${name}">${each}</field>`;
  });
  return stx`<x xmlns="${NS.forms}" type="submit">${filled}</x>`;
}

/** The commands that somebody offers, by node. */
export async function commands(connection, jid) {
  const answer = await connection.request(
    (id) => stx`<iq xmlns="jabber:client" type="get" id="${id}" to="${jid}"><query xmlns="${NS.discoItems}" node="${NS.commands}"/></iq>`,
  );
  return children(child(answer, 'query', NS.discoItems), 'item', NS.discoItems).map((item) => item.getAttribute('node'));
}

/** Runs a command of one form or none to its end. Rejects with what the command said when it could not be done. */
export async function run(connection, jid, node, answers = {}) {
  const ask = (attributes) =>
    connection.request((id) =>
      attributes
        ? stx`<iq xmlns="jabber:client" type="set" id="${id}" to="${jid}"><command xmlns="${NS.commands}" node="${node}" sessionid="${attributes.session}" action="complete">${attributes.form}</command></iq>`
        : stx`<iq xmlns="jabber:client" type="set" id="${id}" to="${jid}"><command xmlns="${NS.commands}" node="${node}" action="execute"/></iq>`,
    );
  let command = child(await ask(), 'command', NS.commands);
  if (command?.getAttribute('status') === 'executing') {
    const form = submit(readForm(child(command, 'x', NS.forms)), answers);
    command = child(await ask({ session: command.getAttribute('sessionid') ?? '', form }), 'command', NS.commands);
  }
  const note = child(command, 'note', NS.commands);
  if (note?.getAttribute('type') === 'error' || command?.getAttribute('status') !== 'completed') throw new Error(note?.textContent || 'The server could not do it.');
  return note?.textContent ?? '';
}

export { StanzaError };
