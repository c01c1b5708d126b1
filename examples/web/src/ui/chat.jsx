// A conversation: who it is with, what was said (older messages come as one scrolls up), and the field to write in.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { idleWords, LABELS } from '../xmpp/presence.js';
import { Avatar } from './avatar.jsx';
import { go, useModel, useNow } from './hooks.js';
import { Back, Device, Dot, Progress, Remove, Send } from './icons.jsx';
import { Dialog } from './shortcuts.jsx';
import { clock, day, deed, linked } from './words.js';

const TOGETHER = 4 * 60_000; // messages this close to each other are one group

export function Chat({ office, jid }) {
  const { roster, chats } = office;
  useModel(roster);
  useModel(chats);
  const now = useNow();
  const person = roster.get(jid);
  const thread = chats.thread(jid);
  const [removing, setRemoving] = useState(false);
  const idle = idleWords(person.idleSince, now);
  return (
    <main class="chat" data-testid="chat" data-jid={jid} tabIndex={-1} aria-label={`Conversation with ${person.name}`}>
      <header class="chat-head">
        <button class="round back only-narrow" aria-label="Back" data-testid="back" onClick={() => go('')}><Back /></button>
        <Avatar person={person} />
        <div class="who">
          <h1 class="name" data-testid="chat-name">{person.name}</h1>
          <p class="note" data-testid="chat-presence" data-show={person.show} title={jid}>
            <span class="show"><Dot show={person.show} /> {LABELS[person.show] ?? person.show}{idle && ` · idle ${idle}`}</span>{person.note && <span class="quote">{person.note}</span>}
          </p>
        </div>
        <span class="facts">{person.devices.map((kind) => <Device key={kind} kind={kind} />)}</span>
        {roster.has(jid)
          ? <button class="round" aria-label={`Remove ${person.name} from your contacts`} title="Remove from contacts" data-testid="remove-contact" onClick={() => setRemoving(true)}><Remove /></button>
          : <button class="plain" onClick={() => roster.add(jid)}>Add to contacts</button>}
      </header>
      <Messages chats={chats} thread={thread} person={person} self={roster.self} now={now} />
      <Composer chats={chats} jid={jid} name={person.name} online={office.connection.online} messages={thread.messages} />
      {removing && (
        <Dialog title={`Remove ${person.name}?`} onClose={() => setRemoving(false)}>
          <p>You will no longer see when {person.name} is in. What you wrote to each other stays.</p>
          <div class="actions">
            <button class="plain" onClick={() => setRemoving(false)}>Cancel</button>
            <button class="primary danger" onClick={() => { roster.remove(jid); setRemoving(false); go(''); }}>Remove</button>
          </div>
        </Dialog>
      )}
    </main>
  );
}

function Messages({ chats, thread, person, self, now }) {
  const { jid, messages, loading, complete, typing } = thread;
  const box = useRef();
  const top = useRef();
  const before = useRef({ first: '', height: 0, bottom: true });

  // What is added above must not move what is being read; what is added below is followed by who is at the end already.
  useLayoutEffect(() => {
    const { current } = box;
    const first = messages[0]?.id ?? '';
    if (before.current.first && first !== before.current.first && !before.current.bottom) current.scrollTop += current.scrollHeight - before.current.height;
    else if (before.current.bottom) current.scrollTop = current.scrollHeight;
    before.current.first = first;
    before.current.height = current.scrollHeight;
  }, [messages, typing]);

  useEffect(() => {
    const resized = new ResizeObserver(() => box.current && before.current.bottom && (box.current.scrollTop = box.current.scrollHeight));
    resized.observe(box.current);
    return () => resized.disconnect();
  }, []);

  useEffect(() => {
    const watcher = new IntersectionObserver(([entry]) => entry.isIntersecting && messages.length && chats.older(jid), { root: box.current, rootMargin: '400px 0px 0px' });
    watcher.observe(top.current);
    return () => watcher.disconnect();
  }, [chats, jid, messages.length, loading]);

  const scrolled = ({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
    before.current.bottom = scrollHeight - scrollTop - clientHeight < 60;
    before.current.height = scrollHeight;
  };

  return (
    <div class="messages" ref={box} onScroll={scrolled} role="log" aria-live="polite" aria-relevant="additions" aria-label="Messages" data-testid="messages" tabIndex={0}>
      <div ref={top} class="top" aria-hidden="true">{loading ? 'Loading …' : ''}</div>
      {!messages.length && !loading && <div class="empty"><Avatar person={person} size="huge" /><p><strong>{person.name}</strong></p><p>{complete ? 'Nothing has been said here yet. Say hello.' : ''}</p></div>}
      {messages.map((message, at) => <Message key={message.id || message.archiveId} message={message} previous={messages[at - 1]} next={messages[at + 1]} now={now} author={message.from === 'me' ? self : person} onAgain={() => chats.again(jid, message.id)} />)}
      <div class="typing" data-testid={typing ? 'typing' : undefined} aria-live="off">
        {typing && <><span class="dots" aria-hidden="true"><i /><i /><i /></span> {person.name} is typing</>}
      </div>
    </div>
  );
}

function Message({ message, previous, next, now, author, onAgain }) {
  const { from, at, body, status, corrected, error } = message;
  const apart = (a, b) => !a || !b || a.from !== b.from || Math.abs(b.at - a.at) > TOGETHER || day(a.at, now) !== day(b.at, now);
  const newDay = !previous || day(previous.at, now) !== day(at, now);
  const done = deed(body, author.name);
  return (
    <>
      {newDay && <h2 class="day"><span>{day(at, now)}</span></h2>}
      <div class="message" data-testid="message" data-from={from} data-state={from === 'me' ? status : undefined} data-first={apart(previous, message) || undefined} data-last={apart(message, next) || undefined}>
        <p class={done ? 'bubble action' : 'bubble'}>
          {!done && <span class="unseen">{from === 'me' ? 'You' : 'They'}: </span>}
          <span dir="auto" data-testid="message-text">{linked(done ?? body).map(({ text, url }, index) => (url ? <a key={index} href={url} target="_blank" rel="noopener noreferrer">{text}</a> : text))}</span>
        </p>
        <p class="meta">
          {corrected && <span>edited</span>}
          <time dateTime={new Date(at).toISOString()}>{clock(at)}</time>
          {from === 'me' && <Progress status={status} />}
          {status === 'failed' && <button class="plain" onClick={onAgain} title={error}>Not delivered. Try again</button>}
        </p>
      </div>
    </>
  );
}

const drafts = new Map();

function Composer({ chats, jid, name, online, messages }) {
  const [words, setWords] = useState(drafts.get(jid) ?? '');
  const [correcting, setCorrecting] = useState('');
  const field = useRef();
  useEffect(() => {
    // On a phone the keyboard would cover what was said; the conversation is where one is, all the same.
    (matchMedia('(hover: hover)').matches ? field.current : field.current.closest('main')).focus();
  }, []);
  useLayoutEffect(() => {
    const { current } = field;
    current.style.height = 'auto';
    current.style.height = `${current.scrollHeight}px`;
  }, [words]);

  function change(next) {
    setWords(next);
    drafts.set(jid, correcting ? '' : next);
    if (!correcting) chats.typing(jid, next);
  }

  function submit(event) {
    event?.preventDefault();
    chats.say(jid, words, correcting);
    setCorrecting('');
    setWords('');
    drafts.delete(jid);
    field.current.focus();
  }

  function pressed(event) {
    if (event.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey) return submit(event);
    if (event.key === 'Escape' && correcting) {
      event.preventDefault();
      setCorrecting('');
      setWords('');
    }
    if (event.key === 'ArrowUp' && !words && !event.altKey) {
      const last = messages.findLast(({ from, status }) => from === 'me' && status !== 'failed');
      if (!last) return;
      event.preventDefault();
      setCorrecting(last.id);
      setWords(last.body);
    }
  }

  return (
    <form class="composer" onSubmit={submit} data-correcting={Boolean(correcting) || undefined}>
      <label class="field">
        <span class="unseen">Message to {name}</span>
        {correcting && <span class="hint">Correcting your last message. Esc leaves it as it was.</span>}
        <textarea ref={field} data-testid="message-input" rows={1} dir="auto" placeholder={online ? `Message ${name}` : 'You are offline: it is sent later'} value={words} onInput={({ target }) => change(target.value)} onKeyDown={pressed} />
      </label>
      <button class="round send" data-testid="send" aria-label="Send" disabled={!words.trim()}><Send /></button>
    </form>
  );
}
