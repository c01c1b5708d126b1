// One's own status: how available, in words, and whether it stays when nobody is signed in.

import { useState } from 'preact/hooks';
import { LABELS } from '../xmpp/presence.js';
import { Avatar } from './avatar.jsx';
import { useModel } from './hooks.js';
import { Device, Dot, Pin } from './icons.jsx';
import { usePopover } from './menu.jsx';

const CHOICES = ['available', 'chat', 'away', 'xa', 'dnd'];

export function OwnStatus({ office }) {
  const { connection, roster, status } = office;
  const { state } = useModel(connection, 'state');
  useModel(roster);
  useModel(status);
  const [open, set, holder] = usePopover();
  const self = roster.self;
  const kept = self.kept;
  const show = state.phase === 'online' ? (kept?.show ?? (status.idleSince && status.show === 'available' ? 'away' : status.show)) : 'offline';
  const note = kept?.note || status.note;
  return (
    <div class="holder own" ref={holder}>
      <button class="mine" data-testid="own-status" data-show={show} data-kept={Boolean(kept)} aria-expanded={open} title="Change your status" onClick={() => set(!open)}>
        <Avatar person={{ ...self, show }} />
        <span class="who">
          <span class="name">{self.name}</span>
          <span class="note">{kept && <Pin />}{note && <span class="unseen">{LABELS[show]}: </span>}{note || LABELS[show]}</span>
        </span>
      </button>
      {open && <Panel office={office} kept={kept} self={self} onDone={() => { set(false); holder.current?.querySelector('button')?.focus(); }} />}
    </div>
  );
}

function Panel({ office, kept, self, onDone }) {
  const { status } = office;
  const [show, setShow] = useState(kept?.show ?? status.show);
  const [note, setNote] = useState(kept?.note ?? status.note);
  const [keep, setKeep] = useState(Boolean(kept));
  const [until, setUntil] = useState('');
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);

  async function save(event) {
    event.preventDefault();
    setBusy(true);
    try {
      const words = note.trim();
      if (keep) await status.keep(show, words, until);
      else if (kept) await status.unkeep();
      status.set(show, words);
      onDone();
    } catch (trouble) {
      setError(trouble.message);
      setBusy(false);
    }
  }

  return (
    <form class="popover status" data-testid="status-panel" onSubmit={save} aria-label="Your status">
      <label class="words">
        <span class="unseen">In words</span>
        <input data-testid="note" type="text" placeholder="What are you up to?" maxLength={200} autoFocus autoComplete="off" value={note} onInput={({ target }) => setNote(target.value)} />
      </label>
      <fieldset>
        <legend class="unseen">How available</legend>
        {CHOICES.map((choice) => (
          <label class="choice" key={choice}>
            <input type="radio" name="show" data-testid={`show-${choice}`} value={choice} checked={show === choice} onChange={() => setShow(choice)} />
            <Dot show={choice} /> {LABELS[choice]}
          </label>
        ))}
      </fieldset>
      {status.canKeep && (
        <>
          <label class="check">
            <input type="checkbox" data-testid="keep-after-logout" checked={keep} onChange={({ target }) => setKeep(target.checked)} />
            <span>Keep after I have signed out</span>
          </label>
          {keep && (
            <label class="until">
              For
              <select data-testid="keep-until" value={until} onChange={({ target }) => setUntil(target.value)}>
                <option value="">as long as I leave it</option>
                <option value="1h">1 hour</option>
                <option value="4h">4 hours</option>
                <option value="8h">8 hours</option>
                <option value="1d">1 day</option>
                <option value="7d">1 week</option>
                <option value="14d">2 weeks</option>
              </select>
            </label>
          )}
        </>
      )}
      {self.devices.length > 1 && <p class="small seen-on">You are here by {self.devices.map((kind) => <Device key={kind} kind={kind} />)}</p>}
      <p class="trouble" role="alert">{error}</p>
      <div class="actions"><button class="primary" data-testid="status-save" disabled={busy}>Set status</button></div>
    </form>
  );
}
