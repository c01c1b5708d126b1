// When to try again after a connection was lost, and when that is no use.

/** After these it takes a person to go on. The words are shown. */
const FINAL = {
  'not-authorized': 'The address or the password is wrong.',
  'account-disabled': 'This account has been disabled.',
  'credentials-expired': 'The password has expired.',
  'encryption-required': 'The server wants an encrypted connection: open this page by https.',
  'host-unknown': 'This server does not know the domain of the address.',
  'improper-addressing': 'This server does not know the domain of the address.',
  'no-auth-mech': 'Signing in is not possible over this connection. Open this page by https.',
  'invalid-mechanism': 'Signing in is not possible over this connection. Open this page by https.',
  'mechanism-too-weak': 'Signing in is not possible over this connection. Open this page by https.',
  conflict: 'You were signed in from another window with the same name.',
};

/** These pass. A first attempt ends with them and says so; later ones go on trying. */
const BUSY = {
  'temporary-auth-failure': 'The server takes no sign-ins from here at the moment. Try again in a minute.',
  'policy-violation': 'The server takes no sign-ins from here at the moment. Try again in a minute.',
  'resource-constraint': 'The server has no room at the moment. Try again in a minute.',
  'system-shutdown': 'The server is being restarted. Try again in a minute.',
};

/** What to tell if this condition passes by itself. */
export const busy = (condition) => BUSY[condition];

/** Whether another way to the same server may do where this one ended so: an encrypted one, say. */
export const another = (condition) => ['encryption-required', 'no-auth-mech', 'invalid-mechanism', 'mechanism-too-weak'].includes(condition);

/** What to tell if this condition is the end of it, else undefined. */
export const final = (condition) => FINAL[condition];

/** How long to wait before the attempt of this number (0, 1, …), in milliseconds: quickly at first, then doubling up to a minute, spread by `random` in
 * [0, 1) so that an office that lost its server does not come back in one moment. */
export function delay(attempt, random = Math.random()) {
  const longest = Math.min(60_000, 1000 * 2 ** Math.min(attempt, 10));
  return Math.round(longest * (0.5 + random / 2));
}
