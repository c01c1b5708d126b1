// The small menu at the top: theme, keyboard, signing out.

import { useEffect, useRef, useState } from 'preact/hooks';
import { Half, Keys, Leave, Moon, More, Sun } from './icons.jsx';
import { nextTheme, theme } from './theme.js';

const THEMES = { system: ['As the system', Half], light: ['Light', Sun], dark: ['Dark', Moon] };

/** Something that opens below a button, and closes with Esc or a click elsewhere. Gives [open, set, ref of what holds both]. */
export function usePopover() {
  const [open, set] = useState(false);
  const holder = useRef();
  useEffect(() => {
    if (!open) return undefined;
    const outside = ({ target }) => holder.current?.contains(target) || set(false);
    const escape = (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      set(false);
      holder.current?.querySelector('button')?.focus();
    };
    document.addEventListener('pointerdown', outside);
    document.addEventListener('keydown', escape, true);
    return () => {
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('keydown', escape, true);
    };
  }, [open]);
  return [open, set, holder];
}

export function Menu({ office, onHelp }) {
  const [open, set, holder] = usePopover();
  const [now, setNow] = useState(theme());
  const [label, Icon] = THEMES[now];
  return (
    <div class="holder" ref={holder}>
      <button class="round" data-testid="menu" aria-label="Menu" aria-expanded={open} onClick={() => set(!open)}><More /></button>
      {open && (
        <div class="popover menu" role="group" aria-label="Menu">
          <button data-testid="theme" data-theme={now} onClick={() => setNow(nextTheme())}><Icon /> <span>Appearance</span> <span class="value">{label}</span></button>
          <button data-testid="shortcuts" onClick={() => { set(false); onHelp(); }}><Keys /> <span>Keyboard</span> <kbd aria-hidden="true">?</kbd></button>
          <button data-testid="sign-out" onClick={() => office.signOut()}><Leave /> <span>Sign out</span></button>
          <p class="small">{office.connection.account}</p>
        </div>
      )}
    </div>
  );
}
