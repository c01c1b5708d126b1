// The keyboard: what it does everywhere in the page, and the list of it.

import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { go } from './hooks.js';

const KEYS = [
  ['/', 'Search'],
  ['↑ ↓', 'Move through the list'],
  ['Enter', 'Open a conversation; in it: send'],
  ['Shift Enter', 'A new line'],
  ['↑', 'In an empty message: correct the last one'],
  ['Alt ↑, Alt ↓', 'Previous, next conversation'],
  ['Esc', 'Back to the board'],
  ['?', 'This list'],
];

const writing = ({ target }) => /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable;

export function useShortcuts({ chats, open, help, leave }) {
  useEffect(() => {
    function pressed(event) {
      if (document.querySelector('dialog[open]') || event.defaultPrevented || event.isComposing) return;
      if (event.key === 'Escape') return leave();
      if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
        event.preventDefault();
        const all = chats.recent.map(({ jid }) => jid);
        const step = event.key === 'ArrowDown' ? 1 : -1;
        const next = all[(all.indexOf(open) + step + all.length) % all.length];
        if (next) go(next);
        return;
      }
      if (writing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === '/') {
        event.preventDefault();
        document.getElementById('search')?.focus();
      } else if (event.key === '?') help();
    }
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  });
}

/** A dialog that Esc and a click beside it close. */
export function Dialog({ title, onClose, children, ...rest }) {
  const dialog = useRef();
  useLayoutEffect(() => dialog.current.showModal(), []); // before the next key is pressed
  const beside = (event) => event.target === dialog.current && onClose();
  return (
    <dialog ref={dialog} onClose={onClose} onClick={beside} aria-label={title} {...rest}>
      <div class="dialog">
        <h2>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

export const Shortcuts = ({ onClose }) => (
  <Dialog title="Keyboard" onClose={onClose}>
    <dl class="keys">
      {KEYS.map(([key, does]) => (
        <div key={key}>
          <dt>{key.split(', ').map((chord) => <span key={chord}>{chord.split(' ').map((one) => <kbd key={one}>{one}</kbd>)}</span>)}</dt>
          <dd>{does}</dd>
        </div>
      ))}
    </dl>
    <div class="actions"><button class="primary" onClick={onClose}>Close</button></div>
  </Dialog>
);
