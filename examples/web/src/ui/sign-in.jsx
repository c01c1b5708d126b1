// Signing in: address, password, and whether a reload should ask again.

import { useEffect, useRef, useState } from 'preact/hooks';
import { plausible } from '../xmpp/jid.js';
import { useModel } from './hooks.js';

const LAST = 'adsum.last';

export function SignIn({ office }) {
  const { state } = useModel(office.connection, 'state');
  const [jid, setJid] = useState(localStorage.getItem(LAST) ?? '');
  const [password, setPassword] = useState('');
  const [keep, setKeep] = useState(true);
  const [error, setError] = useState({ text: '', field: '' });
  const form = useRef();
  const busy = state.phase === 'connecting';

  function submit(event) {
    event.preventDefault();
    const account = jid.trim();
    if (!plausible(account)) return refuse('username', 'The address is like a mail address: you@your-office.example');
    if (!password) return refuse('password', 'The password is missing.');
    setError({ text: '', field: '' });
    localStorage.setItem(LAST, account);
    office.signIn(account, password, { keep });
  }

  // The one that is wrong is where one goes on writing.
  function refuse(field, text) {
    setError({ text, field });
    form.current.elements[field].focus();
  }

  useEffect(() => {
    if (state.error) form.current.elements.password.select();
  }, [state.error]);

  const said = error.text || state.error;
  const wrong = (field) => (error.field === field ? { 'aria-invalid': true, 'aria-describedby': 'sign-in-error' } : {});
  return (
    <main class="door">
      <form ref={form} class="sign-in" data-testid="sign-in" onSubmit={submit} aria-labelledby="welcome" noValidate>
        <img class="logo" src="icon.svg" alt="" width="52" height="52" />
        <h1 id="welcome">Adsum</h1>
        <p class="motto">Who is in, and how to reach them.</p>
        <label>
          Address
          <input data-testid="jid" name="username" type="email" inputMode="email" autoComplete="username" autoCapitalize="none" spellcheck={false} autoFocus={!jid} required
            placeholder="you@office.example" value={jid} onInput={({ target }) => setJid(target.value)} {...wrong('username')} />
        </label>
        <label>
          Password
          <input data-testid="password" name="password" type="password" autoComplete="current-password" autoFocus={Boolean(jid)} required value={password} onInput={({ target }) => setPassword(target.value)} {...wrong('password')} />
        </label>
        <label class="check">
          <input data-testid="keep-signed-in" type="checkbox" checked={keep} onChange={({ target }) => setKeep(target.checked)} />
          <span>Stay signed in in this tab</span>
        </label>
        <p class="trouble" id="sign-in-error" role="alert" data-testid={said ? 'sign-in-error' : undefined}>{said}</p>
        <button class="primary" data-testid="submit" disabled={busy}>{busy ? 'Signing in …' : 'Sign in'}</button>
      </form>
    </main>
  );
}
