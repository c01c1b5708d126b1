import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { sha1 } from '../src/sha1.js';
import { hsluv, hue } from '../src/ui/colour.js';
import { brief, day, deed, initials, linked } from '../src/ui/words.js';
import { bare, nameOf, plausible, resource } from '../src/xmpp/jid.js';

test('SHA-1 of texts of all lengths around a block', () => {
  for (const words of ['', 'abc', 'ü', ...[55, 56, 63, 64, 65, 119, 128].map((length) => 'x'.repeat(length))]) {
    assert.equal(sha1(words, 'hex'), createHash('sha1').update(words).digest('hex'));
    assert.equal(sha1(words, 'base64'), createHash('sha1').update(words).digest('base64'));
  }
});

test('hues of names are those of other clients', () => {
  assert.equal(hue('Romeo').toFixed(3), '327.255');
  assert.deepEqual(hsluv(hue('Romeo'), 100, 50).map((part) => part.toFixed(3)), ['0.865', '0.000', '0.686']);
});

test('white letters can be read on every colour (4.5 to 1)', () => {
  const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  for (let degrees = 0; degrees < 360; degrees += 5) {
    const [r, g, b] = hsluv(degrees, 62, 47).map(linear);
    assert.ok(1.05 / (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05) >= 4.5, `at ${degrees}`);
  }
});

test('initials', () => {
  assert.deepEqual(['Ann Archer', 'bob', 'Jean-Luc van Damme', '101', '', 'Øyvind (Sales)'].map(initials), ['AA', 'B', 'JD', '1', '?', 'Ø']);
});

test('web addresses in a text, without the full stop behind them', () => {
  const urls = (words) => linked(words).filter(({ url }) => url).map(({ url }) => url);
  assert.deepEqual(urls('See https://a.example/b?c=d. Or (http://e.example/f)!'), ['https://a.example/b?c=d', 'http://e.example/f']);
  assert.deepEqual(urls('javascript:alert(1) data:text/html,x ftp://x'), []);
  assert.equal(linked('a https://b.example c').map(({ text }) => text).join(''), 'a https://b.example c');
});

test('deeds are told of who does them', () => {
  assert.deepEqual(['/me waves', '/meow', 'I say /me '].map((words) => deed(words, 'Ann')), ['Ann waves', undefined, undefined]);
});

test('days', () => {
  const now = new Date(2026, 10, 21, 12).getTime();
  const ago = (days) => now - days * 24 * 3600 * 1000;
  assert.deepEqual([day(ago(0), now), day(ago(1), now)], ['Today', 'Yesterday']);
  assert.equal(day(ago(3), now), new Date(ago(3)).toLocaleDateString([], { weekday: 'long' }));
  assert.match(day(ago(400), now), /2025/);
  assert.match(brief(now, now), /12/);
});

test('addresses', () => {
  assert.deepEqual([bare('Ann@X/y/z'), resource('ann@x/y/z'), resource('ann@x')], ['ann@x', 'y/z', '']);
  assert.deepEqual(['ann.archer@x', 'bob@x', '101@x', 'rooms.x'].map(nameOf), ['Ann Archer', 'Bob', '101', 'rooms.x']);
  assert.deepEqual(['ann@x', 'ann@x.example', 'ann', '@x', 'a b@x', 'a@x/y'].map(plausible), [true, true, false, false, false, false]);
});
