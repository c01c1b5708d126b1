import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaults, links, order, remember, remembered } from '../src/xmpp/endpoints.js';
import { another, busy, delay, final } from '../src/xmpp/reconnect.js';

test('waiting doubles up to a minute, and is spread', () => {
  assert.deepEqual([0, 1, 2, 5, 6, 60].map((attempt) => delay(attempt, 0.999999)), [1000, 2000, 4000, 32_000, 60_000, 60_000]);
  assert.equal(delay(3, 0), 4000);
  assert.ok(delay(0) >= 500);
});

test('some ends are final, some pass, a broken connection is neither', () => {
  assert.match(final('not-authorized'), /password/);
  assert.ok(final('conflict') && !busy('conflict'));
  assert.ok(busy('temporary-auth-failure') && !final('temporary-auth-failure'));
  assert.ok(final('no-auth-mech') && another('no-auth-mech') && !another('not-authorized'));
  assert.equal(final('') ?? busy('failed'), undefined);
});

const document = {
  links: [
    { rel: 'urn:xmpp:alt-connections:xbosh', href: 'https://chat.example:5281/http-bind' },
    { rel: 'urn:xmpp:alt-connections:websocket', href: 'wss://chat.example:5281/xmpp-websocket' },
    { rel: 'urn:xmpp:alt-connections:websocket', href: 'ws://chat.example:5280/xmpp-websocket' },
    { rel: 'something-else', href: 'https://chat.example/' },
    { rel: 'urn:xmpp:alt-connections:websocket' },
  ],
};

test('links of host-meta; a secure page cannot use the plain ones', () => {
  assert.deepEqual(links(document, true).map(({ url }) => url), ['https://chat.example:5281/http-bind', 'wss://chat.example:5281/xmpp-websocket']);
  assert.equal(links(document, false).length, 3);
  assert.deepEqual([links(null, true), links({ links: 'none' }, true)], [[], []]);
});

const urls = (list) => list.map(({ url }) => url);

test('without host-meta the usual paths of the origin, WebSocket first', () => {
  assert.deepEqual(urls(order([], 'https://a.example')), ['wss://a.example/xmpp-websocket', 'https://a.example/http-bind']);
  assert.deepEqual(defaults('http://localhost:5280')[0], { transport: 'websocket', url: 'ws://localhost:5280/xmpp-websocket' });
});

test('what host-meta says comes before guesses, the origin of the page before others', () => {
  const found = links(document, false);
  const elsewhere = urls(order(found, 'https://pages.example'));
  assert.deepEqual([elsewhere[0], elsewhere[2]], ['wss://chat.example:5281/xmpp-websocket', 'wss://pages.example/xmpp-websocket']);
  assert.equal(urls(order(found, 'http://chat.example:5280'))[0], 'ws://chat.example:5280/xmpp-websocket');
});

test('on this machine its own origin needs no certificate', () => {
  const found = [{ transport: 'websocket', url: 'wss://localhost:5281/xmpp-websocket' }];
  assert.deepEqual(urls(order(found, 'http://localhost:5280')).slice(0, 2), ['ws://localhost:5280/xmpp-websocket', 'wss://localhost:5281/xmpp-websocket']);
});

test('what worked last comes first; one can be chosen', () => {
  assert.equal(order([], 'https://a.example', { last: 'bosh' })[0].transport, 'bosh');
  assert.deepEqual(urls(order([], 'https://a.example', { only: 'bosh' })), ['https://a.example/http-bind']);
});

test('BOSH is remembered for a day, WebSocket needs no memory', () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
  remember(storage, 'bosh', 1000);
  assert.equal(remembered(storage, 2000), 'bosh');
  assert.equal(remembered(storage, 1000 + 25 * 3600 * 1000), undefined);
  remember(storage, 'websocket', 3000);
  assert.equal(remembered(storage, 3000), undefined);
});
