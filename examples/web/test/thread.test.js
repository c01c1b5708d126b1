import assert from 'node:assert/strict';
import { test } from 'node:test';
import { correct, insert, progress, unread } from '../src/xmpp/thread.js';

const said = (id, at, from = 'them', more = {}) => ({ id, at, from, body: id, archiveId: '', ...more });
const ids = (messages) => messages.map(({ id }) => id).join('');

test('messages stand by time, whatever the order they came in', () => {
  assert.equal(ids(['b', 'd', 'a', 'c'].reduce((list, id) => insert(list, said(id, id.charCodeAt(0))), [])), 'abcd');
});

test('of the same second, a page of history stands before what is there', () => {
  const shown = [said('c', 5), said('d', 5)];
  assert.equal(ids([said('b', 5), said('a', 5)].reduce((list, one) => insert(list, one, true), shown)), 'abcd');
  assert.equal(ids(insert(shown, said('e', 5))), 'cde');
});

test('the same message out of the archive is no second one, and completes the first', () => {
  const live = insert([], said('a', 1, 'me', { status: 'waiting' }));
  const both = insert(live, said('a', 2, 'me', { archiveId: '77', status: 'sent' }));
  assert.deepEqual(both, [said('a', 1, 'me', { archiveId: '77', status: 'sent' })]);
  assert.equal(insert(both, said('', 2, 'me', { archiveId: '77' })).length, 1);
});

test('the same id of different writers is two messages', () => {
  assert.equal(insert([said('a', 1)], said('a', 2, 'me')).length, 2);
});

test('only its writer corrects a message', () => {
  const list = [said('a', 1)];
  assert.equal(correct(list, { replaces: 'a', from: 'me', body: 'x' }), null);
  assert.deepEqual([correct(list, { replaces: 'a', from: 'them', body: 'x' })[0].body, list[0].body], ['x', 'a']);
});

test('what was seen was seen with all before it; a receipt is for one', () => {
  const list = [said('a', 1, 'me', { status: 'sent' }), said('b', 2), said('c', 3, 'me', { status: 'sent' }), said('d', 4, 'me', { status: 'sent' })];
  const states = (messages) => messages.map(({ status }) => status ?? '-').join(' ');
  assert.equal(states(progress(list, 'c', 'received')), 'sent - received sent');
  assert.equal(states(progress(list, 'c', 'displayed')), 'displayed - displayed sent');
  assert.equal(states(progress(progress(list, 'c', 'displayed'), 'c', 'received')), 'displayed - displayed sent');
  const early = [said('x', 1, 'me', { status: 'waiting' }), said('y', 2, 'me', { status: 'waiting' })];
  assert.equal(states(progress(early, 'y', 'displayed')), 'waiting displayed', 'the answer may be faster than the acknowledgement of the server');
  assert.equal(progress(list, 'b', 'displayed'), list, 'nobody tells us that we have seen what they wrote');
});

test('unread is what they wrote since we read or answered', () => {
  const list = [said('a', 1), said('b', 2, 'me'), said('c', 3), said('d', 4)];
  assert.deepEqual([unread(list, 0), unread(list, 3), unread(list, 9)], [2, 1, 0]);
});
