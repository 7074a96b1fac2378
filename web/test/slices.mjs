// Snapshots of the state: never changed, the same object where nothing has changed, whatever comes in
// whatever order. Without a gateway.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Perch, Store } from '../perch.js';
import * as slices from '../slices.js';
import { flushMicrotasks, recorded, stopClock } from './offline.mjs';
import { at, frame, own, random, room, roomData, said } from './rooms_kit.mjs';

stopClock();

const people = ['bo@x', 'cy@x', 'di@x', 'ed@x'];
const buddy = (jid, more) => ({
  jid,
  name: jid.slice(0, 2).toUpperCase(),
  groups: [],
  subscription: 'both',
  ask: null,
  approved: false,
  ...more,
});
const present = (jid, more) => ({
  ...{ jid, available: true, show: null, status: '', priority: 0, resources: [], updated_at: null, stale: false },
  ...more,
});
const message = (n, from, more) => ({
  id: `m${n}`,
  ref: `r${n}`,
  stanza_id: `s${n}`,
  from: `${from}/phone`,
  to: own,
  kind: 'chat',
  body: `text ${n}`,
  ...more,
});
const whole = (items) => ({ as_of: '', part: 1, last: true, items });

/** The frames of a stream that begins. */
const opening = (resumed = false) => [
  frame('hello', { session: { jid: own, state: 'online', features: ['rooms'] }, resumed, features: ['rooms', 'conversations'] }),
  ...(resumed ? [] : [frame('roster.snapshot', whole(people.map((jid) => buddy(jid)))), frame('rooms.snapshot', whole([roomData()]))]),
  frame('presence.snapshot', whole(people.map((jid) => present(jid)))),
  frame('live', { tip: '' }),
];

/** A client that is live, without a gateway. */
function client(options = {}) {
  const perch = new Perch({ url: 'http://gateway', token: 't', storage: null, fetch: recorded(() => [404, {}]).fetch, ...options });
  for (const f of opening()) perch.store.apply(f);
  return perch;
}

/** Freezes a value and all that it has: to write to it is an error from then on. Maps cannot be frozen. */
function freeze(value) {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  if (value instanceof Map) return [...value.values()].forEach(freeze);
  Object.freeze(value);
  Object.values(value).forEach(freeze);
}

/** What a page shows of the state, by name. */
const shown = {
  ...{ session: slices.session, connection: slices.connection, outbox: slices.outbox, roster: slices.roster },
  ...{ conversations: slices.conversations, rooms: slices.rooms, occupants: slices.occupants(room), room: slices.room(room) },
  ...Object.fromEntries(
    people.flatMap((jid) =>
      ['contact', 'conversation', 'messages', 'presence', 'typing'].map((what) => [`${what} ${jid}`, slices[what](jid)]),
    ),
  ),
  ...{ 'typing in the room': slices.typing(room), 'messages of the room': slices.messages(room) },
};
const look = (perch) => {
  const state = slices.stateOf(perch).getSnapshot();
  return Object.fromEntries(Object.entries(shown).map(([name, slice]) => [name, slice(state)]));
};
/** The names of what has changed. */
const changed = (before, after) => Object.keys(before).filter((name) => before[name] !== after[name]);

test('each change changes what it is about, and nothing else', () => {
  const perch = client();
  const c = (jid) => [`conversation ${jid}`, 'conversations'];
  const typing = (state) => frame('chat_state', { from: 'bo@x/phone', state });
  const steps = [
    ['presence', frame('presence', present('bo@x', { show: 'away' })), ['roster', 'contact bo@x', 'presence bo@x']],
    ['the same presence', frame('presence', present('bo@x', { show: 'away' })), []],
    ['a name', frame('roster.item', buddy('cy@x', { name: 'Cyd' }), 1), ['roster', 'contact cy@x']],
    ['the same name', frame('roster.item', buddy('cy@x', { name: 'Cyd' }), 2), []],
    ['a message', frame('message.received', message(1, 'bo@x'), 3), [...c('bo@x'), 'messages bo@x']],
    ['another one', frame('message.received', message(2, 'cy@x'), 4), [...c('cy@x'), 'messages cy@x']],
    ['its copy', frame('message.received', message(2, 'cy@x'), 4), []],
    ['writing', typing('composing'), [...c('bo@x'), 'typing bo@x']],
    ['still writing', typing('composing'), []],
    ['a message of one who writes', frame('message.received', message(3, 'bo@x'), 5), [...c('bo@x'), 'messages bo@x', 'typing bo@x']],
    ['a reaction', frame('message.reactions', reaction('bo@x', 'r1'), 6), [...c('bo@x'), 'messages bo@x']],
    ['the same again', frame('message.reactions', reaction('bo@x', 'r1'), 6), []],
    ['what was read', frame('conversation.read', read('cy@x', 'r2'), 7), c('cy@x')],
    ['in the room', frame('message.received', said(8), 8), ['messages of the room', 'conversations']],
    [
      'one who writes there',
      frame('chat_state', { from: `${room}/Cy`, state: 'composing', room, nick: 'Cy' }),
      ['typing in the room', 'conversations'],
    ],
    ['a subject', frame('room.changed', roomData({ subject: null }), 9), ['rooms', 'room']],
    ['a card', frame('vcard.changed', { jid: 'bo@x' }, 10), []],
    ['a heartbeat', frame('heartbeat', { tip: '' }), []],
  ];
  let before = look(perch);
  for (const [what, f, want] of steps) {
    freeze(slices.stateOf(perch).getSnapshot());
    perch.store.apply(f);
    const after = look(perch);
    assert.deepEqual(changed(before, after).sort(), [...want].sort(), what);
    before = after;
  }
});

const reaction = (jid, ref) => ({
  ref,
  id: ref,
  conversation: jid,
  from: jid,
  emojis: ['👍'],
  reactions: [{ emoji: '👍', by: [jid], own: false }],
});
const read = (jid, ref) => ({ jid, read: { ref, time: at(1) }, unread: 0, mentions: 0 });

test('a message that is known stays the same object beside a new one, and when a page has it again', () => {
  const perch = client();
  for (const n of [1, 2, 3]) perch.store.apply(frame('message.received', message(n, 'bo@x'), n));
  const before = perch.store.conversations.get('bo@x').messages;
  perch.store.apply(frame('message.reactions', reaction('bo@x', 'r2'), 4));
  const after = perch.store.conversations.get('bo@x').messages;
  assert.deepEqual(
    after.map((m, i) => m === before[i]),
    [true, false, true],
  );
  const page = {
    items: [1, 2, 3].map((n) => ({ ...message(n, 'bo@x'), time: at(n) })),
    relations: [],
    dropped: [],
    next: null,
    prev: null,
    complete: true,
  };
  perch.store.merge('bo@x', page, true, at(9));
  const again = perch.store.conversations.get('bo@x').messages;
  perch.store.merge('bo@x', page, true, at(9));
  assert.equal(perch.store.conversations.get('bo@x').messages, again);
  assert.equal(perch.store.conversations.get('bo@x').last_message, again.at(-1));
});

test('a stream that begins anew with the same leaves everything as it was', () => {
  const perch = client();
  perch.store.apply(frame('message.received', message(1, 'bo@x'), 1));
  for (const f of opening(true)) perch.store.apply(f);
  const before = look(perch);
  for (const f of opening(true)) perch.store.apply(f);
  assert.deepEqual(changed(before, look(perch)), []);
  for (const f of opening()) perch.store.apply(f); // a reset: messages may be missing, and nothing else is new
  assert.deepEqual(changed(before, look(perch)), ['conversations', 'conversation bo@x']);
});

test('to read is to change nothing', () => {
  const perch = client();
  const calls = [];
  perch.store.subscribe((c) => calls.push(c));
  const before = perch.store.getSnapshot();
  const empty = perch.store.conversation('nobody@x');
  assert.equal(perch.store.conversation('Nobody@X'), empty, 'the same one each time');
  for (let n = 0; n < 300; n++) perch.store.conversation(`n${n}@x`);
  for (const slice of Object.values(shown)) slice(slices.stateOf(perch).getSnapshot());
  assert.equal(perch.store.getSnapshot(), before);
  assert.deepEqual([perch.store.conversations.has('nobody@x'), calls.length], [false, 0]);
});

test('what was given is never changed', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const pick = random(seed);
    const perch = client();
    const taken = [];
    for (let n = 1; n <= 60; n++) {
      const state = slices.stateOf(perch).getSnapshot();
      freeze(state);
      taken.push([state, JSON.stringify(plain(state)), look(perch)]);
      const f = anyFrame(pick, n);
      if (Array.isArray(f)) for (const x of f) perch.store.apply(x);
      else perch.store.apply(f);
      const now = look(perch);
      for (const [name, value] of Object.entries(taken.at(-1)[2])) {
        const equal = JSON.stringify(plain(value)) === JSON.stringify(plain(now[name]));
        assert.equal(value === now[name], equal, `seed ${seed}, step ${n}, ${JSON.stringify(f).slice(0, 200)}: ${name}`);
      }
    }
    for (const [state, text] of taken) assert.equal(JSON.stringify(plain(state)), text, `seed ${seed}: a snapshot was changed`);
  }
});

/** A value that JSON can hold. */
const plain = (value) => {
  if (value instanceof Map) return [...value].map(plain);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
  return value;
};

/** A frame, or the frames of a stream that begins. */
function anyFrame(pick, n) {
  const jid = people[pick(people.length)];
  const ref = `r${1 + pick(n)}`;
  const all = [
    () => frame('presence', present(jid, { show: [null, 'away', 'dnd'][pick(3)], available: pick(4) > 0 })),
    () => frame('roster.item', buddy(jid, { name: ['Ann', 'Zed', ''][pick(3)] }), n),
    () => frame('roster.removed', { jid }, n),
    () => frame('message.received', message(1 + pick(n), jid), n),
    () => frame('message.sent', message(n, own, { to: jid, id: `s${n}` }), n),
    () => frame('message.status', { id: `s${pick(n)}`, status: ['sent', 'acked', 'displayed'][pick(3)] }, n),
    () => frame('message.edited', { ...message(1, jid, { ref }), body: `text ${pick(3)}`, edited: { count: 1, at: at(n) } }, n),
    () => frame('message.retracted', { ref, conversation: jid, by: jid, at: at(n) }, n),
    () => frame('message.reactions', reaction(jid, ref), n),
    () => frame('message.read', { conversation: jid, by: jid, ref }, n),
    () => frame('conversation.read', read(jid, ref), n),
    () => frame('chat_state', { from: `${jid}/phone`, state: ['composing', 'paused', 'active'][pick(3)] }),
    () => frame('chat_state', { from: `${room}/Cy`, state: ['composing', 'paused'][pick(2)], room, nick: ['Cy', 'Di'][pick(2)] }),
    () => frame('room.changed', roomData({ subject: [null, { text: 'Tea', by: 'Bo', at: at(0) }][pick(2)] }), n),
    () => frame('room.state', roomData({ state: ['joined', 'left'][pick(2)] }), n),
    () => frame('message.received', said(1 + pick(n), ['Bo', 'Cy'][pick(2)]), n),
    () => frame('session.state', { state: ['online', 'connecting'][pick(2)], reason: '', retry_at: null }, n),
    () => frame('session.gap', { from: null, to: null }, n),
    () => frame('invitation.received', { jid, nick: '', message: '', received_at: null }, n),
    () => frame('invitation.declined', { jid }, n),
    () => opening(pick(2) === 0),
  ];
  return all[pick(all.length)]();
}

test('a slice calls for its own changes alone, and may be watched unbound', () => {
  const perch = client();
  const calls = { roster: 0, bo: 0, store: 0, all: 0 };
  const { subscribe, getSnapshot } = slices.select(perch, slices.contact('bo@x'));
  const ends = [subscribe(() => calls.bo++), slices.select(perch, slices.roster).subscribe(() => calls.roster++)];
  const { subscribe: watch } = perch.store;
  const count = () => calls.store++;
  ends.push(
    watch(count),
    watch(count),
    slices.stateOf(perch).subscribe(() => calls.all++),
  );
  perch.store.apply(frame('presence', present('cy@x', { show: 'dnd' })));
  perch.store.apply(frame('message.received', message(1, 'bo@x'), 1));
  assert.deepEqual(calls, { roster: 1, bo: 0, store: 4, all: 2 });
  perch.store.apply(frame('presence', present('bo@x', { show: 'dnd' })));
  assert.deepEqual([calls.bo, getSnapshot().presence.show], [1, 'dnd']);
  ends[2]();
  perch.store.apply(frame('presence', present('bo@x')));
  assert.equal(calls.store, 7, 'the other subscription of the same function goes on');
  for (const end of ends) end();
  perch.store.apply(frame('presence', present('bo@x', { show: 'xa' })));
  assert.deepEqual(calls, { roster: 3, bo: 2, store: 7, all: 4 });
  assert.equal(slices.stateOf(perch), slices.stateOf(perch));
});

test('an own slice that makes its value anew keeps what is equal, but never a map or another object with a class', () => {
  const perch = client();
  const names = slices.select(perch, (s) => ({ online: [...s.presence.values()].filter((p) => p.available).map((p) => ({ jid: p.jid })) }));
  const before = names.getSnapshot();
  perch.store.apply(frame('presence', present('bo@x', { show: 'dnd' })));
  assert.equal(names.getSnapshot(), before);
  perch.store.apply(frame('presence', present('ed@x', { available: false })));
  const after = names.getSnapshot();
  assert.deepEqual(
    after.online.map((o) => before.online.indexOf(o)),
    [0, 1, 2],
    'those that are still there are the same',
  );
  const maps = slices.select(perch, (s) => new Map(s.presence));
  assert.equal(maps.getSnapshot().get('bo@x').show, 'dnd');
  perch.store.apply(frame('presence', present('bo@x')));
  assert.equal(maps.getSnapshot().get('bo@x').show, null);
  const seen = slices.select(perch, (s) => ({ at: new Date(s.presence.get('bo@x').priority) }));
  assert.equal(seen.getSnapshot().at.getTime(), 0);
  perch.store.apply(frame('presence', present('bo@x', { priority: 7 })));
  assert.equal(seen.getSnapshot().at.getTime(), 7);
});

test('the connection and what waits to be sent are parts of the state', async () => {
  const perch = client({ transport: 'sse' });
  const { subscribe, getSnapshot } = slices.stateOf(perch);
  const before = getSnapshot();
  assert.deepEqual([before.connection.state, before.outbox], ['idle', { pending: 0, failed: 0, waits: null }]);
  let calls = 0;
  const end = subscribe(() => calls++);
  const sent = perch.send('bo@x', 'hello').catch(() => {});
  assert.equal(getSnapshot().outbox.pending, 1);
  assert.equal(slices.messages('bo@x')(getSnapshot()).at(-1).status, 'pending');
  perch.connect();
  assert.equal(getSnapshot().connection.state, 'connecting');
  assert.ok(calls >= 3, `got ${calls} calls, want one for the message, one for the outbox and one for the connection`);
  end();
  perch.discardPending();
  perch.disconnect();
  await sent;
  await flushMicrotasks();
});

test('who writes, until the time is over that a sign of it lasts', () => {
  const perch = client();
  const bo = slices.select(perch, slices.typing('bo@x'));
  const inRoom = slices.select(perch, slices.typing(room));
  let calls = 0;
  bo.subscribe(() => calls++);
  perch.store.apply(frame('chat_state', { from: 'bo@x/phone', state: 'composing' }));
  perch.store.apply(frame('chat_state', { from: `${room}/Cy`, state: 'composing', room, nick: 'Cy' }));
  assert.deepEqual([bo.getSnapshot(), inRoom.getSnapshot()], [['bo@x'], ['Cy']]);
  const was = bo.getSnapshot();
  mock.timers.tick(59_000);
  assert.equal(bo.getSnapshot(), was);
  mock.timers.tick(1_000);
  assert.deepEqual([bo.getSnapshot(), inRoom.getSnapshot(), calls], [[], [], 2]);
});

test('the roster is by name, and a store knows nothing before its stream', () => {
  const perch = client();
  perch.store.apply(frame('roster.item', buddy('di@x', { name: 'ärla' }), 1));
  const state = slices.stateOf(perch).getSnapshot();
  assert.deepEqual(
    slices.roster(state).map((c) => [c.jid, c.presence.available]),
    [
      ['di@x', true],
      ['bo@x', true],
      ['cy@x', true],
      ['ed@x', true],
    ],
  );
  const empty = slices.stateOf(new Perch({ url: 'http://gateway', storage: null })).getSnapshot();
  assert.deepEqual([slices.session(empty), slices.roster(empty), slices.rooms(empty), empty.ready], [null, [], [], false]);
  assert.equal(new Store().getSnapshot().list.length, 0);
});
