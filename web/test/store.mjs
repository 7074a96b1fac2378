// The store alone: one account is one entry, however its address is written.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Store } from '../perch.js';
import { JIDMap, jidKey } from '../perch/jids.js';

const frame = (type, data, id) => ({ type, data, id, time: '2026-11-28T10:00:00.000Z' });
const buddy = (jid) => ({ jid, name: 'Up', subscription: 'both', groups: [] });
const presence = (jid, available = true) => ({
  jid,
  available,
  show: null,
  status: '',
  priority: 0,
  resources: [],
  updated_at: null,
  stale: false,
});
const message = (id, from, body) => ({ id, from, to: 'alice@example.net', kind: 'chat', body });

test('spellings of one address', () => {
  const same = [
    ['Up.Case@Example.NET', 'up.case@example.net'],
    ['Mu\u0308ller@example.net', 'm\u00fcller@example.net'],
    ['\u0130@example.net', 'i\u0307@example.net'],
    ['room@muc.example.net/Nick', 'Room@MUC.example.net/Nick'],
  ];
  for (const [a, b] of same) assert.equal(jidKey(a), jidKey(b), `${a} and ${b}`);
  const others = [
    ['room@muc.example.net/Nick', 'room@muc.example.net/nick'],
    ['a@example.net', 'a@example.org'],
    ['stra\u00dfe@example.net', 'strasse@example.net'],
  ];
  for (const [a, b] of others) assert.notEqual(jidKey(a), jidKey(b), `${a} and ${b}`);
});

test('a map keeps the first spelling as its key', () => {
  const map = new JIDMap();
  map.set('Up@x', 1).set('up@X', 2);
  assert.deepEqual([...map], [['Up@x', 2]]);
  assert.equal(map.get('UP@x'), 2);
  assert.equal(map.delete('uP@x'), true);
  assert.deepEqual([map.size, map.has('Up@x')], [0, false]);
  map.set('up@x', 3);
  assert.deepEqual([...map], [['up@x', 3]]);
  map.clear();
  map.set('UP@x', 4);
  assert.deepEqual([...map.keys()], ['UP@x']);
});

test('a buddy, his presence and his messages meet', () => {
  const store = new Store();
  store.apply(frame('hello', { session: {}, resumed: false }));
  store.apply(frame('roster.snapshot', { items: [buddy('Up.Case@example.net')], last: true }));
  store.apply(frame('presence.snapshot', { items: [presence('Up.Case@example.net', false)], last: true }));
  store.apply(frame('live', { tip: 'e-0' }));
  store.apply(frame('presence', presence('up.case@example.net')));
  store.apply(frame('message.received', message('1', 'Up.Case@example.net/x', 'one'), 'e-1'));
  store.apply(frame('chat_state', { from: 'up.case@example.net/x', state: 'composing' }));
  store.apply(frame('message.received', message('2', 'up.case@example.net/x', 'two'), 'e-2'));
  assert.equal(store.presence.get('Up.Case@example.net')?.available, true);
  assert.deepEqual([store.buddies.size, store.presence.size, store.conversations.size], [1, 1, 1]);
  assert.deepEqual(
    store.conversation('UP.CASE@example.net').messages.map((m) => m.body),
    ['one', 'two'],
  );

  const loaded = new Store();
  loaded.load(JSON.parse(JSON.stringify(store)));
  loaded.apply(frame('roster.removed', { jid: 'up.case@example.net' }));
  assert.deepEqual([loaded.buddies.size, loaded.presence.size, loaded.conversations.size], [0, 0, 1]);
});
