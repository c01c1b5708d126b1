// Times and texts as people read them. Pure, but for the language of the browser.

const DAY = 24 * 60 * 60 * 1000;

const midnight = (at) => new Date(at).setHours(0, 0, 0, 0);

export const clock = (at) => new Date(at).toLocaleTimeString([], { hour: 'numeric', minute: '2-digit' });

/** A heading between days: Today, Yesterday, a weekday, a date. */
export function day(at, now = Date.now()) {
  const days = Math.round((midnight(now) - midnight(at)) / DAY);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  if (days > 1 && days < 7) return new Date(at).toLocaleDateString([], { weekday: 'long' });
  return new Date(at).toLocaleDateString([], { day: 'numeric', month: 'long', year: new Date(at).getFullYear() === new Date(now).getFullYear() ? undefined : 'numeric' });
}

/** In a list: the time today, the day otherwise. */
export function brief(at, now = Date.now()) {
  const days = Math.round((midnight(now) - midnight(at)) / DAY);
  if (days === 0) return clock(at);
  if (days > 0 && days < 7) return new Date(at).toLocaleDateString([], { weekday: 'short' });
  return new Date(at).toLocaleDateString([], { day: 'numeric', month: 'short' });
}

/** The first letters of first and last name. */
export function initials(name) {
  const words = name.split(/[\s._-]+/).filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => [...word][0]).join('').toUpperCase() || '?';
}

/** What somebody does rather than says ("/me waves", XEP-0245), as a sentence about them; else undefined. */
export const deed = (words, name) => (words.startsWith('/me ') ? `${name} ${words.slice(4)}` : undefined);

/** A text in pieces: [{ text, url? }]; what looks like a web address has one. Only http and https. */
export function linked(words) {
  const pieces = [];
  let at = 0;
  for (const match of words.matchAll(/https?:\/\/[^\s<>"]+/g)) {
    const url = match[0].replace(/[.,;:!?'”’)\]]+$/, (end) => (end.startsWith(')') && match[0].includes('(') ? end[0] : ''));
    if (match.index > at) pieces.push({ text: words.slice(at, match.index) });
    pieces.push({ text: url, url });
    at = match.index + url.length;
  }
  if (at < words.length) pieces.push({ text: words.slice(at) });
  return pieces;
}
