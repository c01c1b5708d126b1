// Many devices, one person. Each resource has a presence of its own; a board has room for one line. The rules here are pure, so that they can be tested
// and exchanged: what the server sends is kept as it is, and `merge` says what to show.

/** How available somebody is, best first. */
export const SHOWS = ['chat', 'available', 'away', 'xa', 'dnd', 'offline'];

/** In words. */
export const LABELS = {
  available: 'Available',
  chat: 'Free for a chat',
  away: 'Away',
  xa: 'Away for long',
  dnd: 'Do not disturb',
  offline: 'Not here',
};

/** A status that was set by hand and outlives logout appears as this resource. It is no device. */
export const KEPT = 'adsum-status';

const ABSENT = { show: 'offline', note: '', idleSince: 0, devices: [], kept: null };

/**
 * What to show of a person.
 *
 * `resources`: [{ resource, show, note, priority, idleSince, kind, at }], idleSince and at in ms, idleSince 0 while in use.
 * A status that was kept wins. Else whoever is busy on one device that is in use (a phone call, say) is busy; else the most available device counts.
 */
export function merge(resources) {
  const kept = resources.find(({ resource }) => resource === KEPT) ?? null;
  const devices = resources.filter(({ resource }) => resource !== KEPT);
  if (!kept && !devices.length) return ABSENT;
  const rank = ({ show, idleSince }) => (show === 'dnd' && !idleSince ? -1 : SHOWS.indexOf(show));
  const sorted = [...devices].sort((a, b) => rank(a) - rank(b) || (b.priority ?? 0) - (a.priority ?? 0) || (b.at ?? 0) - (a.at ?? 0));
  const lead = kept ?? sorted[0];
  const note = lead.note || sorted.find((device) => device.note && device.show === lead.show)?.note || '';
  const inUse = devices.some(({ idleSince }) => !idleSince);
  return {
    show: lead.show,
    note,
    idleSince: inUse || !devices.length ? 0 : Math.max(...devices.map(({ idleSince }) => idleSince)),
    devices: kinds(sorted),
    kept: kept && { show: kept.show, note: kept.note },
  };
}

const ORDER = ['desktop', 'browser', 'mobile', 'deskphone', 'bot', 'other'];

function kinds(devices) {
  const found = new Set(devices.map(({ kind }) => kind));
  return ORDER.filter((kind) => found.has(kind));
}

/** Whether somebody is in: at a device, and not away for long. */
export const present = ({ show, devices }) => devices.length > 0 && show !== 'offline';

/** The next moment (ms) at which `idleWords` would say something else. */
export const MINUTE = 60_000;

/** How long somebody has not touched anything, in words: '', '5 min', '2 h', '3 d'. Less than a minute is no idleness. */
export function idleWords(idleSince, now) {
  if (!idleSince || now - idleSince < MINUTE) return '';
  const minutes = Math.floor((now - idleSince) / MINUTE);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h`;
  return `${Math.floor(hours / 24)} d`;
}

/**
 * People in groups, as [{ name, people }], groups and people by name; `rest` is the name for who is in none. A group that holds everybody, where there are others,
 * keeps only those who are in no other: nobody wants to see the whole office twice.
 */
export function grouped(people, rest = 'Contacts') {
  const groups = new Map();
  const put = (name, person) => (groups.has(name) ? groups.get(name).push(person) : groups.set(name, [person]));
  for (const person of people) for (const name of person.groups.length ? person.groups : [rest]) put(name, person);
  const everybody = [...groups].find(([, members]) => members.length === people.length);
  if (everybody && groups.size > 1) {
    const alone = everybody[1].filter(({ groups: names }) => names.length <= 1);
    if (alone.length) groups.set(everybody[0], alone);
    else groups.delete(everybody[0]);
  }
  return [...groups].map(([name, members]) => ({ name, people: members.sort(byName) })).sort((a, b) => (a.name === rest) - (b.name === rest) || byName(a, b));
}

const collator = new Intl.Collator(undefined, { sensitivity: 'base', numeric: true });

/** The order of what has a name, as people sort. */
export const byName = (a, b) => collator.compare(a.name, b.name);

/** Whether a person is meant by what was typed into the search field: each word begins a word of the name or is somewhere in address, note or groups. */
export function matches(person, query) {
  const haystack = [person.name, person.jid, person.note, ...person.groups].join('\n').toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => haystack.includes(word));
}
