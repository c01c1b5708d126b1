import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grouped, idleWords, KEPT, matches, merge, present } from '../src/xmpp/presence.js';

const at = (resource, show = 'available', more = {}) => ({ resource, show, note: '', priority: 0, idleSince: 0, kind: 'desktop', at: 1, ...more });

test('nobody is at no device', () => {
  assert.equal(merge([]).show, 'offline');
  assert.equal(present(merge([])), false);
});

test('the most available device counts', () => {
  const person = merge([at('a', 'away'), at('b', 'available', { note: 'At my desk', kind: 'browser' }), at('c', 'xa')]);
  assert.deepEqual([person.show, person.note], ['available', 'At my desk']);
  assert.deepEqual(person.devices, ['desktop', 'browser']);
});

test('who is on the phone is busy, wherever else they are', () => {
  const person = merge([at('a'), at('sip-0a1b2c3d', 'dnd', { note: 'On the phone', kind: 'deskphone' })]);
  assert.deepEqual([person.show, person.note, person.devices], ['dnd', 'On the phone', ['desktop', 'deskphone']]);
});

test('a device nobody touches makes nobody busy', () => {
  assert.equal(merge([at('a', 'available'), at('b', 'dnd', { idleSince: 5 })]).show, 'available');
});

test('of equals the higher priority counts, then the later', () => {
  assert.equal(merge([at('a', 'away', { note: 'low' }), at('b', 'away', { note: 'high', priority: 5 })]).note, 'high');
  assert.equal(merge([at('a', 'away', { note: 'old' }), at('b', 'away', { note: 'new', at: 2 })]).note, 'new');
});

test('a note of another device with the same availability is better than none', () => {
  assert.equal(merge([at('a', 'away', { priority: 1 }), at('b', 'away', { note: 'Lunch' }), at('c', 'xa', { note: 'never' })]).note, 'Lunch');
});

test('a status that was kept wins, and is no device', () => {
  const kept = at(KEPT, 'xa', { note: 'On leave till Monday', priority: 127, kind: '' });
  const away = merge([kept]);
  assert.deepEqual([away.show, away.note, away.devices, present(away)], ['xa', 'On leave till Monday', [], false]);
  const here = merge([kept, at('a', 'available')]);
  assert.deepEqual([here.show, here.devices, present(here)], ['xa', ['desktop'], true]);
});

test('idle only when no device is in use, and since the last one was', () => {
  assert.equal(merge([at('a', 'away', { idleSince: 100 }), at('b')]).idleSince, 0);
  assert.equal(merge([at('a', 'away', { idleSince: 100 }), at('b', 'away', { idleSince: 300 })]).idleSince, 300);
});

test('idle time in words', () => {
  const minutes = (count) => idleWords(1, 1 + count * 60_000);
  assert.deepEqual([0, 0.9, 1, 59, 60, 150, 1440, 5000].map(minutes), ['', '', '1 min', '59 min', '1 h', '2 h', '1 d', '3 d']);
  assert.equal(idleWords(0, 1e9), '');
  assert.equal(idleWords(2e9, 1e9), '', 'a clock that goes ahead is no idleness');
});

const person = (name, ...groups) => ({ name, jid: `${name}@x`, note: '', groups });
const shape = (people) => grouped(people).map(({ name, people: members }) => [name, members.map((one) => one.name)]);

test('people stand by name in each of their groups, those without at the end', () => {
  assert.deepEqual(shape([person('Cleo'), person('bob', 'Sales'), person('Ann', 'Support', 'Sales')]), [
    ['Sales', ['Ann', 'bob']],
    ['Support', ['Ann']],
    ['Contacts', ['Cleo']],
  ]);
});

test('a group of everybody does not show everybody twice', () => {
  assert.deepEqual(shape([person('Ann', 'All', 'Sales'), person('Bob', 'All')]), [['All', ['Bob']], ['Sales', ['Ann']]]);
  assert.deepEqual(shape([person('Ann', 'All', 'Sales')]), [['Sales', ['Ann']]]);
  assert.deepEqual(shape([person('Ann', 'All'), person('Bob', 'All')]), [['All', ['Ann', 'Bob']]]);
});

test('searching', () => {
  const ann = { name: 'Ann Archer', jid: 'ann@office.example', note: 'In a meeting', groups: ['Sales'] };
  assert.ok(['ann', 'ARCH', 'meeting', 'sales ann', 'office.example'].every((query) => matches(ann, query)));
  assert.ok(!matches(ann, 'bob') && !matches(ann, 'ann bob'));
});
