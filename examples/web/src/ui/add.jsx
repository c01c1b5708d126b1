// Adding somebody: by address, or found by name where the server has a directory.

import { useEffect, useState } from 'preact/hooks';
import { find } from '../xmpp/directory.js';
import { nameOf, plausible } from '../xmpp/jid.js';
import { Avatar } from './avatar.jsx';
import { go } from './hooks.js';
import { Dialog } from './shortcuts.jsx';

export function AddContact({ office, onClose }) {
  const { connection, roster } = office;
  const [jid, setJid] = useState('');
  const [name, setName] = useState('');
  const [found, setFound] = useState([]);
  const [error, setError] = useState('');

  useEffect(() => {
    const words = jid.trim();
    setFound([]);
    if (words.length < 2 || words.includes('@')) return undefined;
    let stale = false;
    const timer = setTimeout(async () => {
      const people = await find(connection, words);
      if (!stale) setFound(people);
    }, 250);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [jid, connection, roster]);

  // Who is in the list already is not added but found.
  function choose(person) {
    if (roster.has(person.jid)) {
      go(person.jid);
      return onClose();
    }
    setJid(person.jid);
    setName(person.name);
  }

  async function add(event) {
    event.preventDefault();
    const address = jid.trim().toLowerCase();
    if (!plausible(address)) return setError('The address is like a mail address: name@office.example');
    if (address === connection.account) return setError('That is you.');
    try {
      await roster.add(address, name.trim() || nameOf(address));
      onClose();
    } catch (trouble) {
      setError(trouble.message);
    }
  }

  return (
    <Dialog title="Add a contact" onClose={onClose} data-testid="add-dialog">
      <form onSubmit={add} noValidate>
        <label>
          Name or address
          <input data-testid="add-jid" type="text" inputMode="email" autoComplete="off" autoCapitalize="none" spellcheck={false} autoFocus placeholder="name@office.example" value={jid} onInput={({ target }) => { setJid(target.value); setError(''); }} />
        </label>
        {found.length > 0 && (
          <ul class="found" aria-label="Found in the directory">
            {found.map((person) => (
              <li key={person.jid}>
                <button type="button" class="row" onClick={() => choose(person)}>
                  <Avatar person={person} dot={false} />
                  <span class="who"><span class="name">{roster.has(person.jid) ? roster.get(person.jid).name : person.name}</span><span class="note">{roster.has(person.jid) ? 'In your list already' : person.jid}</span></span>
                </button>
              </li>
            ))}
          </ul>
        )}
        <label>
          <span>Call them <span class="small">(optional)</span></span>
          <input data-testid="add-name" type="text" autoComplete="off" placeholder={jid.includes('@') ? nameOf(jid.trim()) : ''} value={name} onInput={({ target }) => setName(target.value)} />
        </label>
        <p class="trouble" role="alert">{error || (found.length ? '' : 'They are asked whether you may see when they are in.')}</p>
        <div class="actions">
          <button type="button" class="plain" onClick={onClose}>Cancel</button>
          <button class="primary" data-testid="add-submit">Add</button>
        </div>
      </form>
    </Dialog>
  );
}
