// Addresses: user@domain/resource.

export const bare = (jid) => (jid ?? '').split('/', 1)[0].toLowerCase();

export function resource(jid) {
  const at = (jid ?? '').indexOf('/');
  return at < 0 ? '' : jid.slice(at + 1);
}

export const domain = (jid) => bare(jid).split('@').pop();

export const local = (jid) => (bare(jid).includes('@') ? bare(jid).split('@', 1)[0] : '');

/** Whether somebody can have typed this as the address of a person. */
export const plausible = (jid) => /^[^\s@/"&'<>:]+@[^\s@/"&'<>:]+(:\d+)?$/.test(jid ?? '');

/** What to call an address that has no name: `ann.archer@office.example` is Ann Archer. */
export function nameOf(jid) {
  const words = (local(jid) || bare(jid)).replace(/\\20/g, ' ').split(/[._\s-]+/).filter(Boolean);
  if (!local(jid) || words.some((word) => /^\d+$/.test(word))) return local(jid) || bare(jid);
  return words.map((word) => word[0].toUpperCase() + word.slice(1)).join(' ') || bare(jid);
}
