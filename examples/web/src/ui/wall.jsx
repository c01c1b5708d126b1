// The board: everybody at a glance, those who are in large, the others small. Made to hang on a screen in the hall as well.

import { byName, grouped, idleWords, LABELS, present } from '../xmpp/presence.js';
import { Avatar } from './avatar.jsx';
import { go, still, useModel, useNow } from './hooks.js';
import { Back, Close, Device, Dot, Screen } from './icons.jsx';
import { clock } from './words.js';

export function Wall({ office, hung, onHang, onLeave }) {
  const { roster } = useModel(office.roster) && office;
  const now = useNow(5000);
  const people = [...roster.people.values()];
  const inside = people.filter(present);
  const date = new Date(now).toLocaleDateString([], { weekday: 'long', day: 'numeric', month: 'long' });
  return (
    <main class="wall" data-testid="wall" aria-label="Board">
      <header class="wall-head">
        <button class="round back only-narrow" aria-label="Back" onClick={() => go('')}><Back /></button>
        <div>
          <p class="date">{date}</p>
          <h1>{headline(people, inside)}</h1>
        </div>
        <time class="clock" dateTime={new Date(now).toISOString()}>{clock(now)}</time>
        {hung
          ? <button class="round" aria-label="Leave full screen" onClick={onLeave}><Close /></button>
          : <button class="round only-wide" aria-label="Show on a screen" title="Show on a screen" onClick={onHang}><Screen /></button>}
      </header>
      {grouped(people).map(({ name, people: members }) => (
        <section key={name} aria-label={name}>
          <h2>{name}</h2>
          <ul class="cards">{members.filter(present).sort(best).map((person) => <Card key={person.jid} person={person} idle={idleWords(person.idleSince, now)} />)}</ul>
          <Absent people={members.filter((person) => !present(person))} />
        </section>
      ))}
      {roster.loaded && !people.length && <div class="empty"><p><strong>The board is empty.</strong></p><p>As soon as you have contacts, you see here who is in.</p></div>}
    </main>
  );
}

function headline(people, inside) {
  if (!people.length) return 'Welcome';
  if (!inside.length) return 'Nobody is in';
  if (inside.length === people.length) return people.length === 1 ? `${people[0].name} is in` : `All ${people.length} are in`;
  return `${inside.length} of ${people.length} ${inside.length === 1 ? 'is' : 'are'} in`;
}

const AVAILABILITY = ['chat', 'available', 'dnd', 'away', 'xa'];
const best = (a, b) => AVAILABILITY.indexOf(a.show) - AVAILABILITY.indexOf(b.show) || byName(a, b);

const Card = still(({ person, idle }) => (
  <li>
    <button class="card" data-testid="card" data-jid={person.jid} data-show={person.show} onClick={() => go(person.jid)}>
      <Avatar person={person} size="large" dot={false} />
      <span class="who">
        <span class="name">{person.name}</span>
        <span class="show" data-show={person.show}><Dot show={person.show} /> {LABELS[person.show] ?? person.show}{idle && <span class="idle"> · {idle}</span>}</span>
      </span>
      <span class="facts">{person.devices.map((kind) => <Device key={kind} kind={kind} />)}</span>
      {person.note && <span class="note">{person.note}</span>}
    </button>
  </li>
));

const Chip = still(({ person }) => (
  <li>
    <button class="chip" data-testid="card" data-jid={person.jid} data-show={person.show} title={person.note || undefined} onClick={() => go(person.jid)}>
      <Avatar person={person} size="small" dot={false} /> {person.name}
      {person.note && <span class="note">{person.note}</span>}
    </button>
  </li>
));

const Absent = ({ people }) =>
  people.length > 0 && (
    <ul class="absent" aria-label="Not in">
      {people.map((person) => <Chip key={person.jid} person={person} />)}
    </ul>
  );
