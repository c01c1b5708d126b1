// The list of people by group and the list of conversations. Arrow keys move through the rows, the Tab key comes to one of them and goes on behind the
// list; a row is drawn anew only when its person has changed.

import { grouped, idleWords, LABELS, present } from '../xmpp/presence.js';
import { Avatar } from './avatar.jsx';
import { go, still } from './hooks.js';
import { Device } from './icons.jsx';
import { brief, deed } from './words.js';

/** Arrow keys, Home and End among the rows of a list. */
function walk(event) {
  const rows = [...event.currentTarget.querySelectorAll('.row')];
  const at = rows.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (to === undefined || event.altKey) return;
  event.preventDefault();
  if (to < 0) document.getElementById('search')?.focus();
  else rows[Math.min(to, rows.length - 1)]?.focus();
}

export function PeopleList({ people, roster, chats, open, now, query, onAdd }) {
  if (!roster.loaded) return <Skeleton />;
  if (!roster.people.size) {
    return (
      <div class="empty" data-testid="roster">
        <p><strong>Nobody here yet.</strong></p>
        <p>Colleagues of your groups appear by themselves. Others you can add.</p>
        <button class="primary" onClick={onAdd}>Add a contact</button>
      </div>
    );
  }
  if (!people.length) return <div class="empty" data-testid="roster"><p>Nobody is called “{query}”.</p></div>;
  const groups = grouped(people);
  const entry = entrance(groups.flatMap((group) => group.people), open);
  return (
    <div data-testid="roster" onKeyDown={walk}>
      {groups.map(({ name, people: members }) => (
        <div key={name} class="section" role="group" aria-label={name}>
          <h2 class="group">{name} <span class="count">{members.filter(present).length}/{members.length}</span></h2>
          <ul>{members.map((person) => <Row key={person.jid} person={person} unread={chats.threads.get(person.jid)?.unread ?? 0} open={open === person.jid} entry={entry === person.jid} idle={idleWords(person.idleSince, now)} />)}</ul>
        </div>
      ))}
    </div>
  );
}

/** The address of the row that the Tab key comes to: of who is open, else the first. */
const entrance = (rows, open) => (rows.find(({ jid }) => jid === open) ?? rows[0])?.jid;

const Row = still(({ person, unread, open, entry, idle }) => {
  const { jid, name, show, devices, asked } = person;
  const note = person.note || (asked && show === 'offline' ? 'Has not answered your request yet' : '');
  return (
    <li>
      <button class="row" data-testid="contact" data-jid={jid} data-show={show} data-devices={devices.join(' ')} aria-current={open ? 'true' : undefined} tabIndex={entry ? 0 : -1} onClick={() => go(jid)}>
        <Avatar person={person} />
        <span class="who">
          <span class="name" data-testid="contact-name">{name}</span>
          <span class="unseen">{LABELS[show] ?? show}</span>
          {note && <span class="note" data-testid="contact-note">{note}</span>}
        </span>
        <span class="facts">
          {idle && <span class="idle"><span class="unseen">idle for </span><span data-testid="contact-idle">{idle}</span></span>}
          {devices.map((kind) => <Device key={kind} kind={kind} />)}
          {unread > 0 && <span class="badge"><span data-testid="unread">{unread}</span><span class="unseen"> unread</span></span>}
        </span>
      </button>
    </li>
  );
});

export function ChatList({ roster, chats, open, now, onPeople }) {
  const recent = chats.recent;
  if (!recent.length) {
    return (
      <div class="empty">
        <p><strong>No conversations yet.</strong></p>
        <p>Choose somebody and say hello.</p>
        <button class="primary" onClick={onPeople}>See who is in</button>
      </div>
    );
  }
  const entry = entrance(recent, open);
  return (
    <ul data-testid="chats" onKeyDown={walk}>
      {recent.map(({ jid, messages, unread, typing }) => {
        const person = roster.get(jid);
        const last = messages.at(-1);
        const mine = last.from === 'me';
        const said = typing ? 'is typing …' : (deed(last.body, mine ? roster.self.name : person.name) ?? `${mine ? 'You: ' : ''}${last.body}`);
        return (
          <li key={jid}>
            <button class="row" data-testid="chat-row" data-jid={jid} data-unread={unread > 0 || undefined} aria-current={open === jid ? 'true' : undefined} tabIndex={entry === jid ? 0 : -1} onClick={() => go(jid)}>
              <Avatar person={person} />
              <span class="who">
                <span class="name">{person.name}</span>
                <span class="unseen">{LABELS[person.show] ?? person.show}</span>
                <span class={typing ? 'note live' : 'note'}>{said}</span>
              </span>
              <span class="facts tall">
                <time class="idle" dateTime={new Date(last.at).toISOString()}>{brief(last.at, now)}</time>
                {unread > 0 && <span class="badge"><span data-testid="unread">{unread}</span><span class="unseen"> unread</span></span>}
              </span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

const Skeleton = () => (
  <div class="skeleton" aria-label="Loading">
    {[68, 52, 75, 60, 48, 70].map((width) => <div class="row" key={width}><span class="avatar" /><span class="who"><span class="bar" style={{ width: `${width}%` }} /></span></div>)}
  </div>
);
