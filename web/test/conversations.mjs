// The list of conversations: its order, what is unread, how far it was read, drafts and typing.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Perch, Store } from '../perch.js';
import { Typing } from '../perch/typing.js';
import { flushMicrotasks, recorded, start, stopClock } from './offline.mjs';

const own = 'alice@example.net';
const bob = 'bob@example.net';
const carol = 'carol@example.net';
const at = (n) => new Date(start + 1000 * n).toISOString();

stopClock();

const frame = (type, data, position, n = position ?? 0) => ({ type, data, time: at(n), ...(position && { id: `log-${position}` }) });

function greeted() {
  const store = new Store();
  store.apply(frame('hello', { session: { jid: own, features: [] }, resumed: true, features: ['conversations'] }));
  store.apply(frame('live', { tip: '' }));
  return store;
}

const message = (n, from = bob, more = {}) => ({
  id: `m${n}`,
  ref: `im${n}`,
  from: `${from}/phone`,
  to: own,
  kind: 'chat',
  body: `text ${n}`,
  source: 'live',
  ...more,
});
const entry = (jid, more = {}) => ({
  jid,
  type: 'chat',
  name: '',
  notify: 'all',
  pinned: false,
  archived: false,
  last_message: null,
  last_activity_at: null,
  unread: 0,
  unread_exact: true,
  mentions: 0,
  read: null,
  peer_read: null,
  draft: null,
  ...more,
});
const order = (store) => store.list.map((c) => c.jid);
const unread = (store, jid = bob) => store.conversations.get(jid).unread;

test('sorted by activity with pinned ones first; the array is the same until something changes', () => {
  const store = greeted();
  store.mergeList([
    entry(bob, { last_activity_at: at(1), last_message: message(1) }),
    entry(carol, { last_activity_at: at(2) }),
    entry('dora@example.net', { last_activity_at: at(3) }),
  ]);
  const { list } = store;
  assert.deepEqual(order(store), ['dora@example.net', carol, bob]);
  assert.equal(store.list, list);
  store.apply(frame('message.received', message(9, bob), 9));
  assert.deepEqual(order(store), [bob, 'dora@example.net', carol]);
  store.apply(frame('conversation.changed', entry(carol, { last_activity_at: at(2), pinned: true })));
  assert.deepEqual(order(store), [carol, bob, 'dora@example.net']);
  assert.deepEqual(
    list.map((c) => c.jid),
    ['dora@example.net', carol, bob],
    'a snapshot was changed',
  );
  store.conversation('nobody@example.net');
  assert.equal(store.list.length, 3, 'a conversation without anything is in the list');
});

test('the last message is that of the list until a newer one comes, and is changed with it', () => {
  const store = greeted();
  store.mergeList([entry(bob, { last_activity_at: at(1), last_message: message(1) })]);
  assert.equal(store.list[0].last_message.body, 'text 1');
  store.apply(frame('message.edited', { ...message(1), body: 'better', edited: { count: 1, at: at(2) } }, 2));
  assert.equal(store.list[0].last_message.body, 'better');
  store.apply(frame('message.received', message(3), 3));
  assert.equal(store.list[0].last_message.body, 'text 3');
  store.apply(frame('message.retracted', { ref: 'im3', conversation: bob, at: at(4) }, 4));
  assert.equal(Boolean(store.list[0].last_message.retracted), true);
});

test('unread: what the gateway has counted, and what came since, in every order', () => {
  const arrivals = {
    answer: (s) =>
      s.mergeList([entry(bob, { unread: 5, last_activity_at: at(2), last_message: message(2), read: { ref: 'im0', time: at(-9) } })]),
    one: (s) => s.apply(frame('message.received', message(1), 1)),
    two: (s) => s.apply(frame('message.received', message(2), 2)),
    three: (s) => s.apply(frame('message.received', message(3), 3)),
  };
  for (const names of [
    ['answer', 'one', 'two', 'three'],
    ['one', 'answer', 'two', 'three'],
    ['one', 'two', 'answer', 'three'],
    ['one', 'two', 'three', 'answer'],
  ]) {
    const store = greeted();
    for (const name of names) arrivals[name](store);
    assert.equal(unread(store), 6, names.join(', '));
  }
});

test('unread: events count by their place in the log, over a reload and a replay', () => {
  let store = greeted();
  store.apply(frame('message.received', message(1), 1));
  store.apply(frame('message.received', message(2, bob, { mentions: [{ jid: own, begin: 0, end: 1 }] }), 2));
  assert.deepEqual([unread(store), store.conversations.get(bob).mentions], [2, 1]);
  store.apply(frame('conversation.read', { jid: bob, read: { ref: 'im2', time: at(2) }, unread: 0, mentions: 0 }, 3));
  store.apply(frame('message.received', message(4, bob, { delay: { stamp: at(1) } }), 4)); // late, and not read
  assert.deepEqual([unread(store), store.conversations.get(bob).mentions], [1, 0]);
  const again = greeted();
  again.load({ ...JSON.parse(JSON.stringify(store)), cursor: 'log-4' });
  store = again;
  assert.equal(unread(store), 1);
  store.apply(frame('message.received', message(5), 5));
  assert.equal(unread(store), 2);
  store.apply(frame('conversation.changed', entry(bob, { unread: 2, last_activity_at: at(5), read: { ref: 'im2', time: at(2) } })));
  assert.equal(unread(store), 2);
  store.apply(frame('message.received', message(5), 5)); // a copy
  store.apply(
    frame(
      'conversation.changed',
      entry(bob, { unread: 7, unread_exact: false, last_activity_at: at(5), read: { ref: 'im1', time: at(1) } }),
    ),
  );
  assert.equal(unread(store), 2, 'an entry that is older than what was read');
});

test('the other side has read: also when its message comes later', () => {
  const store = greeted();
  store.apply(frame('message.read', { conversation: bob, by: bob, ref: 'om1' }, 5));
  assert.deepEqual(store.conversations.get(bob).peer_read, { ref: 'om1', time: '' });
  store.apply(frame('message.sent', { ...message(1), ref: 'om1', from: own, to: bob }, 6, 1));
  assert.deepEqual(store.conversations.get(bob).peer_read, { ref: 'om1', time: at(1) });
});

/** A client on a gateway that has a list. */
function client(answer) {
  const { requests, fetch } = recorded(answer);
  const perch = new Perch({ url: 'http://gateway', token: 't', fetch });
  perch.store.apply(frame('hello', { session: { jid: own, features: [] }, resumed: true, features: ['conversations'] }));
  return { perch, requests };
}

test('the list is read page by page', async () => {
  const pages = { undefined: [entry(bob), 'two'], two: [entry(carol), null] };
  const { perch, requests } = client(({ path }) => {
    const [item, next] = pages[new URL(`http://x${path}`).searchParams.get('cursor') ?? 'undefined'];
    return [200, { items: [item], next, complete: true }];
  });
  assert.deepEqual(
    [await perch.loadConversations(1), await perch.loadConversations(1), await perch.loadConversations(1)],
    [true, false, false],
  );
  assert.deepEqual(
    requests.map((r) => r.path),
    ['/v1/conversations?limit=1', '/v1/conversations?limit=1&cursor=two'],
  );
  assert.equal(perch.store.list.length, 2);
});

test('settings that came as an event are newer than an answer that was asked for before', async () => {
  let answer;
  const { perch } = client(() => new Promise((done) => (answer = done)));
  const loading = perch.loadConversations();
  await flushMicrotasks();
  perch.store.apply(frame('conversation.changed', entry(bob, { pinned: true })));
  answer([200, { items: [entry(bob, { pinned: false }), entry(carol)], next: null, complete: true }]);
  await loading;
  assert.deepEqual(
    perch.store.list.map((c) => [c.jid, c.pinned]),
    [
      [bob, true],
      [carol, false],
    ],
  );
});

test('reading is shown at once, and told once', async () => {
  let status = 503;
  const { perch, requests } = client(({ method, body }) => {
    if (method === 'PUT') return [status, { read: { ref: body?.ref, time: at(2) }, unread: 0, mentions: 0, status, code: 'x', title: 'x' }];
    return [200, { items: [], next: null, complete: true }];
  });
  perch.store.apply(frame('message.received', message(1), 1));
  perch.store.apply(frame('message.received', message(2), 2));
  const puts = () => requests.filter((r) => r.method === 'PUT').map((r) => [r.path, r.body]);
  await assert.rejects(perch.markRead(bob, { receipts: false }));
  assert.deepEqual([unread(perch.store), perch.store.list[0].read.ref], [0, 'im2']);
  await perch.markRead(bob);
  assert.equal(puts().length, 1, 'told again although nothing is new');
  status = 200;
  await perch.markRead(bob, { ref: 'im2' });
  perch.store.apply(frame('message.received', message(3), 3));
  await perch.markRead(bob);
  assert.deepEqual(puts(), [
    [`/v1/conversations/${bob}/read`, { ref: 'im2', receipts: false }],
    [`/v1/conversations/${bob}/read`, { ref: 'im3' }],
  ]);
  assert.equal(unread(perch.store), 0);
});

test('a draft is here at once, at the gateway a second after the last key, and is not overwritten meanwhile', async () => {
  const { perch, requests } = client(({ body }) => [200, entry(bob, { draft: body?.draft })]);
  for (const text of ['H', 'He', 'Hel']) perch.saveDraft(bob, text);
  assert.equal(perch.store.list[0].draft, 'Hel');
  perch.store.apply(frame('conversation.changed', entry(bob, { draft: 'of another device' })));
  assert.equal(perch.store.list[0].draft, 'Hel');
  mock.timers.tick(1000);
  await flushMicrotasks();
  assert.deepEqual(
    requests.map((r) => [r.method, r.body]),
    [['PATCH', { draft: 'Hel' }]],
  );
  perch.store.apply(frame('conversation.changed', entry(bob, { draft: 'of another device' })));
  assert.equal(perch.store.list[0].draft, 'of another device');
  perch.saveDraft(bob, '  ');
  assert.equal(perch.store.list[0].draft, null);
});

test('signing out sends neither the draft nor that the user writes: that would open the session again', async () => {
  const { perch, requests } = client(({ method }) => [200, method === 'DELETE' ? {} : entry(bob)]);
  perch.saveDraft(bob, 'begun');
  perch.typing(bob);
  await perch.signOut();
  const before = requests.length;
  mock.timers.tick(60_000);
  await flushMicrotasks();
  assert.deepEqual(requests.slice(before), []);
  assert.equal(perch.store.list[0].draft, 'begun');
});

test('composing is said rarely, and ends by itself, with the message, and on the other side', () => {
  const said = [];
  const typing = new Typing((jid, state) => said.push(state));
  for (let n = 0; n < 12; n++) {
    typing.input(bob);
    mock.timers.tick(1000);
  }
  assert.deepEqual(said, ['composing', 'composing']);
  mock.timers.tick(5000);
  assert.deepEqual(said, ['composing', 'composing', 'paused']);
  typing.input(bob);
  typing.sent(bob);
  mock.timers.tick(60_000);
  assert.deepEqual(said, ['composing', 'composing', 'paused', 'composing']);

  const store = greeted();
  store.apply(frame('chat_state', { from: `${bob}/phone`, state: 'composing' }));
  mock.timers.tick(59_000);
  assert.equal(store.conversations.get(bob).typing, 'composing');
  mock.timers.tick(1000);
  assert.equal(store.conversations.get(bob).typing, null);
});

test('invitations to rooms are bounded: the oldest go', () => {
  const store = greeted();
  for (let n = 1; n <= 150; n++) store.apply(frame('room.invited', { jid: `room${n}@muc.example.net`, via: 'room' }, n));
  const again = 'room60@muc.example.net';
  store.apply(frame('room.invited', { jid: again, via: 'direct' }, 151));
  assert.equal(store.roomInvitations.size, 100);
  assert.equal(store.roomInvitations.has('room50@muc.example.net'), false);
  for (let n = 152; n <= 250; n++) store.apply(frame('room.invited', { jid: `room${n}@muc.example.net`, via: 'room' }, n));
  assert.equal(store.roomInvitations.get(again)?.via, 'direct', 'the one that came last goes last');
});

test('an invitation to a room is kept, over a reload too', () => {
  const store = greeted();
  const invitation = { jid: 'room@muc.example.net', by: bob, via: 'direct', has_password: true };
  store.apply(frame('room.invited', invitation, 1));
  const again = new Store();
  again.load(JSON.parse(JSON.stringify(store)));
  assert.deepEqual([...again.roomInvitations.values()], [invitation]);
});
