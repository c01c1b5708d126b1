// The page: the door, or the office. On wide screens the list is beside the board or a conversation; on a phone one of them is seen at a time.

import { useEffect, useRef, useState } from 'preact/hooks';
import { badge } from './badge.js';
import { Chat } from './chat.jsx';
import { go, useModel, usePlace } from './hooks.js';
import { Offline } from './offline.jsx';
import { Shortcuts, useShortcuts } from './shortcuts.jsx';
import { Side } from './side.jsx';
import { SignIn } from './sign-in.jsx';
import { Wall } from './wall.jsx';

export function App({ office }) {
  const { state } = useModel(office.connection, 'state');
  const inside = useRef(false);
  if (state.phase === 'online') inside.current = true;
  if (state.phase === 'signed-out') inside.current = false;
  const { restoring } = office;
  return inside.current || restoring ? <Inside office={office} /> : <SignIn office={office} />;
}

function Inside({ office }) {
  const { connection, chats } = office;
  const { state } = useModel(connection, 'state');
  useModel(chats);
  const [place] = usePlace();
  const [wall, setWall] = useState(false);
  const [help, setHelp] = useState(false);
  const open = place.includes('@') ? place : '';

  const before = useRef('');
  useEffect(() => chats.show(open), [open, chats]);
  // Who leaves a conversation is where it was begun.
  useEffect(() => {
    const left = before.current;
    before.current = open;
    if (left && !open && document.activeElement === document.body) document.querySelector(`.list .row[data-jid="${CSS.escape(left)}"]`)?.focus();
  }, [open]);
  useEffect(() => badge(chats.unread), [chats.unread]);
  useEffect(() => {
    const left = () => document.fullscreenElement || setWall(false);
    document.addEventListener('fullscreenchange', left);
    return () => document.removeEventListener('fullscreenchange', left);
  }, []);
  useShortcuts({ chats, open, help: () => setHelp(true), leave: () => (wall ? setWall(false) : go('')) });

  function hang() {
    go('');
    setWall(true);
    document.documentElement.requestFullscreen?.().catch(() => {});
  }

  const pane = open ? 'chat' : place === '#board' || wall ? 'board' : 'list';
  return (
    <div class="office" data-pane={pane} data-wall={wall || undefined} data-testid="connection" data-state={state.phase} data-transport={state.transport}>
      <Offline connection={connection} />
      {!wall && <Side office={office} open={open} onHelp={() => setHelp(true)} />}
      {open ? <Chat key={open} office={office} jid={open} /> : <Wall office={office} hung={wall} onHang={hang} onLeave={() => { setWall(false); document.exitFullscreen?.().catch(() => {}); }} />}
      {help && <Shortcuts onClose={() => setHelp(false)} />}
    </div>
  );
}
