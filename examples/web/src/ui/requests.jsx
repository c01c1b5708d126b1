// Who asks to see when we are in.

import { Avatar } from './avatar.jsx';
import { Check, Close } from './icons.jsx';

export function Requests({ roster }) {
  const requests = [...roster.requests.values()];
  if (!requests.length) return <div role="status" class="unseen" />;
  return (
    <section class="requests" aria-label="Requests" role="status">
      <h2 class="group">Would like to see when you are in</h2>
      <ul data-testid="requests">
        {requests.map(({ jid, name, note }) => (
          <li class="request" key={jid} data-testid="request" data-jid={jid}>
            <Avatar person={{ ...roster.get(jid), name }} dot={false} />
            <span class="who">
              <span class="name">{name}</span>
              <span class="note" title={jid}>{note || jid}</span>
            </span>
            <button class="round good" data-testid="approve" aria-label={`Approve ${name}`} title="Approve" onClick={() => roster.approve(jid)}><Check /></button>
            <button class="round" data-testid="deny" aria-label={`Deny ${name}`} title="Deny" onClick={() => roster.deny(jid)}><Close /></button>
          </li>
        ))}
      </ul>
    </section>
  );
}
