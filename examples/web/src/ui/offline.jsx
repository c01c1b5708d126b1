// Says clearly when there is no connection, why, and when the next attempt is.

import { useModel, useNow } from './hooks.js';

export function Offline({ connection }) {
  const { state } = useModel(connection, 'state');
  const now = useNow(1000);
  const { phase, error, retryAt } = state;
  const seconds = Math.max(1, Math.ceil((retryAt - now) / 1000));
  const away = phase === 'offline' || phase === 'connecting';
  return (
    <div class="banner" role="status" data-testid={away ? 'offline' : undefined} data-shown={away || undefined}>
      {away && (
        <>
          <span class="pulse" aria-hidden="true" />
          <span>
            <strong>{phase === 'connecting' ? 'Connecting …' : 'You are offline.'}</strong>{' '}
            {phase === 'offline' && (error || 'The connection was lost.')} {phase === 'offline' && <span aria-hidden="true">Trying again in {seconds} s.</span>}
          </span>
          {phase === 'offline' && <button class="plain" data-testid="retry" onClick={() => connection.retry()}>Try now</button>}
        </>
      )}
    </div>
  );
}
