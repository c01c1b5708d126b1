// The messages of one conversation, in order and each once, however often and from wherever they come. Pure.

/** Whether two are the same message: by the id of the archive, or by what its writer called it. */
const same = (a, b) => (a.archiveId && a.archiveId === b.archiveId) || (a.id && a.id === b.id && a.from === b.from);

const BETTER = ['failed', 'waiting', 'sent', 'received', 'displayed'];

/** The better of two states of a message of ours: what was displayed was received. */
export const further = (a = 'waiting', b = 'waiting') => (BETTER.indexOf(b) > BETTER.indexOf(a) ? b : a);

/** The list with a message added or, if it is there already, completed by what is newly known. A new list, oldest first. Of the same time it stands after those
 * that are there, or before them if it is known to be `earlier`: some archives know no fractions of seconds. */
export function insert(messages, message, earlier = false) {
  for (let at = messages.length - 1; at >= 0; at -= 1) {
    if (same(messages[at], message)) {
      const known = messages[at];
      const joined = { ...known, archiveId: known.archiveId || message.archiveId, status: further(known.status, message.status) };
      return messages.with(at, joined);
    }
  }
  let at = messages.length;
  while (at > 0 && (messages[at - 1].at > message.at || (earlier && messages[at - 1].at === message.at))) at -= 1;
  return messages.toSpliced(at, 0, message);
}

/** The list after a correction (XEP-0308), or null if it corrects nothing that is here: only its own writer may correct a message. */
export function correct(messages, { replaces, from, body }) {
  const at = messages.findLastIndex((message) => message.id === replaces && message.from === from);
  return at < 0 ? null : messages.with(at, { ...messages[at], body, corrected: true });
}

/** The list after the other side told how far a message of ours has come. What was seen was seen with all that came before. */
export function progress(messages, id, status) {
  const last = messages.findLastIndex((message) => message.id === id && message.from === 'me');
  if (last < 0) return messages;
  const arrived = ({ status: known }) => known !== 'failed' && known !== 'waiting';
  const meant = (message, at) => message.from === 'me' && (at === last || (status === 'displayed' && at < last && arrived(message)));
  return messages.map((message, at) => (meant(message, at) ? { ...message, status: further(message.status, status) } : message));
}

/** How many of them are new since `readUpTo` (ms): what they wrote after it and after the last of ours. */
export function unread(messages, readUpTo) {
  const answered = messages.findLast(({ from, at }) => from === 'me' && at)?.at ?? 0;
  const since = Math.max(readUpTo, answered);
  return messages.filter(({ from, at }) => from === 'them' && at > since).length;
}
