import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fill } from '../src/xmpp/fill.js';

const field = (name, type, values = [], more = {}) => ({ name, type, values, options: [], required: false, ...more });
const FORM = [
  field('FORM_TYPE', 'hidden', ['adsum:office']),
  field('', 'fixed', ['How to fill it in']),
  field('show', 'list-single', ['away'], { options: ['available', 'away', 'dnd'] }),
  field('text', 'text-single'),
  field('until', 'text-single'),
];

test('answers over what the form proposes; hidden fields as they came', () => {
  assert.deepEqual(fill(FORM, { show: 'dnd', text: 'On leave', FORM_TYPE: 'other', unknown: 'x' }), [
    { name: 'FORM_TYPE', values: ['adsum:office'] },
    { name: 'show', values: ['dnd'] },
    { name: 'text', values: ['On leave'] },
  ]);
  assert.deepEqual(fill(FORM, {}).at(-1), { name: 'show', values: ['away'] });
});

test('an empty answer takes back what was proposed', () => {
  assert.deepEqual(fill([field('note', 'text-single', ['old'])], { note: '' }), []);
});

test('booleans and lists', () => {
  assert.deepEqual(fill([field('all', 'boolean', ['0'])], { all: true })[0].values, ['1']);
  assert.deepEqual(fill([field('jids', 'jid-multi')], { jids: ['a@x', 'b@x'] })[0].values, ['a@x', 'b@x']);
});

test('what the form does not offer, or wants and does not get, is an error', () => {
  assert.throws(() => fill(FORM, { show: 'asleep' }), /asleep/);
  assert.throws(() => fill([field('group', 'text-single', [], { required: true })], {}), /group/);
});
