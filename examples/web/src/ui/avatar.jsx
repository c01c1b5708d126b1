// A person's picture, or the initials on the colour of the address, with how available they are at its edge.

import { colourOf } from './colour.js';
import { Dot } from './icons.jsx';
import { initials } from './words.js';

export const Avatar = ({ person, size = '', dot = true }) => (
  <span class={`avatar ${size}`} aria-hidden="true">
    {person.avatar ? <img src={person.avatar} alt="" /> : <span class="initials" style={{ background: colourOf(person.jid) }}>{initials(person.name)}</span>}
    {dot && <Dot show={person.show} />}
  </span>
);
