// Own edits, retractions and reactions: shown at once, through the outbox, over reloads and tabs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Perch } from '../perch.js';
import { advance, flushMicrotasks, memory, recorded, stopClock } from './offline.mjs';

const own = 'alice@example.net';
const bob = 'bob@example.net';

stopClock();

const related = ['message-edit', 'message-react', 'message-retract'];

/** A client whose requests this test answers, and whose stream it plays. */
function fixture({
  storage = null,
  state = null,
  answer = () => [202, {}],
  features = ['conversations', ...related],
  session = related,
} = {}) {
  const { requests, fetch } = recorded(answer);
  const sockets = [];
  class Socket {
    constructor() {
      sockets.push(this);
    }
    close() {}
  }
  const perch = new Perch({
    url: 'http://gateway',
    token: 't',
    transport: 'ws',
    WebSocket: Socket,
    storage,
    state,
    backoff: { base: 100, cap: 1000 },
    fetch,
  });
  let position = 0;
  const f = {
    perch,
    requests,
    frame: (type, data, id) => sockets.at(-1).onmessage({ data: JSON.stringify({ type, data, id, time: new Date().toISOString() }) }),
    event: (type, data) => f.frame(type, data, `log-${++position}`),
    connect: async (resumed = false) => {
      if (!sockets.length) perch.connect();
      await flushMicrotasks();
      f.frame('hello', { session: { jid: own, state: 'online', features: session }, resumed, heartbeat_ms: 25_000, features });
      f.frame('live', { tip: `log-${position}` });
      await flushMicrotasks();
    },
    messages: () => perch.store.conversations.get(bob)?.messages ?? [],
    last: () => f.messages().at(-1),
  };
  return f;
}

const sent = (n, more = {}) => ({
  id: `m${n}`,
  ref: `om${n}`,
  from: `${own}/perch`,
  to: bob,
  kind: 'chat',
  body: `text ${n}`,
  source: 'live',
  ...more,
});
const received = (n, more = {}) => ({ ...sent(n), ref: `im${n}`, from: `${bob}/phone`, to: own, ...more });
const writes = (f) => f.requests.filter((r) => r.method !== 'GET').map((r) => `${r.method} ${r.path}`);

test('an edit is shown at once, goes out as the whole message, and its event confirms it', async () => {
  const f = fixture();
  await f.connect();
  f.event('message.sent', sent(1, { attachments: [{ url: 'https://x/a.png' }], reply_to: { ref: 'im0', id: 'm0' } }));
  const edit = f.perch.edit(bob, 'om1', 'better');
  assert.deepEqual([f.last().body, f.last().edited.count, f.last().change.state], ['better', 1, 'pending']);
  const { id } = await edit;
  const [r] = f.requests.filter((x) => x.method === 'PATCH');
  assert.equal(r.path, `/v1/conversations/${bob}/messages/om1`);
  assert.deepEqual(r.body, { id, body: 'better', reply_to: { ref: 'im0' }, attachments: [{ url: 'https://x/a.png' }] });
  assert.deepEqual([f.last().body, f.last().change.state], ['better', 'accepted']);
  f.event('message.edited', sent(1, { body: 'better', edited: { count: 1, at: new Date().toISOString() } }));
  assert.deepEqual([f.last().body, f.last().change], ['better', undefined]);
  assert.deepEqual(f.last().reply_to, { ref: 'im0', id: 'm0' });
});

test('reactions and a retraction: the whole set, and what comes from another device in between', async () => {
  const f = fixture();
  await f.connect();
  f.event('message.received', received(1));
  f.event('message.sent', sent(2));
  const [one] = f.messages();
  await f.perch.react(bob, 'im1', ['👍', '🎉']);
  assert.deepEqual(
    f.messages()[0].reactions.map((r) => [r.emoji, r.by, r.own]),
    [
      ['🎉', [own], true],
      ['👍', [own], true],
    ],
  );
  assert.equal(one.reactions, undefined, 'a snapshot was changed');
  f.event('message.reactions', {
    ref: 'im1',
    conversation: bob,
    from: bob,
    emojis: ['👍'],
    reactions: [{ emoji: '👍', by: [bob], own: false }],
  });
  assert.deepEqual(
    f.messages()[0].reactions[0],
    { emoji: '👍', by: [own, bob], own: true },
    'another one reacts; the own set is still on its way',
  );
  f.event('message.reactions', {
    ref: 'im1',
    conversation: bob,
    from: own,
    emojis: [],
    reactions: [{ emoji: '👍', by: [bob], own: false }],
  });
  assert.deepEqual(f.messages()[0].reactions, [{ emoji: '👍', by: [bob], own: false }]);
  await f.perch.retract(bob, 'om2', { reason: 'a typo' });
  assert.deepEqual([f.messages()[1].body, f.messages()[1].retracted.reason], ['', 'a typo']);
  assert.deepEqual(writes(f).slice(0, 1), [`PUT /v1/conversations/${bob}/messages/im1/reactions`]);
  assert.match(writes(f)[1], /^DELETE \/v1\/conversations\/bob@example.net\/messages\/om2\?id=[0-9a-f]{32}&reason=a\+typo$/);
});

test('a change that is refused is undone, says why, and can be sent again or dismissed', async () => {
  let status = 403;
  const f = fixture({ answer: () => [status, { status, code: 'forbidden', title: 'Forbidden', detail: 'not yours' }] });
  await f.connect();
  f.event('message.sent', sent(1));
  await assert.rejects(f.perch.edit(bob, 'om1', 'better'), /not yours/);
  assert.deepEqual(
    [f.last().body, f.last().edited, f.last().change.error, f.last().change.body],
    ['text 1', undefined, 'not yours', 'better'],
  );
  status = 202;
  await f.perch.retry(bob, f.last().change.id);
  assert.deepEqual([f.last().body, f.last().change.state], ['better', 'accepted']);
  f.event('message.status', { id: f.last().change.id, ref: 'om1', status: 'failed', error: { condition: 'not-allowed' } });
  assert.deepEqual([f.last().body, f.last().change.error], ['text 1', 'not-allowed']);
  assert.equal(await f.perch.cancel(bob, f.last().change.id), true);
  assert.deepEqual([f.last().body, f.last().change], ['text 1', undefined]);
  await assert.rejects(f.perch.edit(bob, '', 'no handle'), (e) => e.code === 'validation');
});

test('order: a change goes out behind the messages before it, and an outage and a reload keep both', async () => {
  const storage = memory();
  const f = fixture({ storage, answer: () => [0] });
  await f.connect();
  f.event('message.sent', sent(1));
  const message = f.perch.send(bob, 'first');
  const edit = f.perch.edit(bob, 'om1', 'better');
  message.catch(() => {});
  edit.catch(() => {});
  await flushMicrotasks();
  assert.equal([...storage.items.keys()].filter((k) => k.startsWith('perch:outbox:')).length, 1, 'a change is stored as a message');
  const saved = JSON.parse(JSON.stringify(f.perch.save()));
  f.perch.disconnect();

  const g = fixture({ storage, state: saved });
  assert.deepEqual(
    g.messages().map((m) => m.body),
    ['better', 'first'],
  );
  await g.connect(true);
  await advance(2000);
  assert.deepEqual(
    writes(g).map((w) => w.split('/')[0].trim()),
    ['POST', 'PATCH'],
  );
  assert.deepEqual([...storage.items.keys()], []);
  assert.equal(g.messages()[0].body, 'better');
});

test('a change that was stored without a saved state waits for its message', async () => {
  const storage = memory();
  const f = fixture({ storage, answer: () => [503, { status: 503, code: 'x', title: 'x' }] });
  await f.connect();
  f.event('message.sent', sent(1));
  f.perch.react(bob, 'om1', ['👍']).catch(() => {});
  await flushMicrotasks();
  const g = fixture({ storage, answer: () => [503, { status: 503, code: 'x', title: 'x' }] });
  await g.connect();
  g.event('message.sent', sent(1));
  assert.deepEqual(g.last().reactions, [{ emoji: '👍', by: [own], own: true }]);
  g.perch.discardPending();
  assert.equal(g.last().reactions, undefined);
});

test('a reply quotes what it replies to, and is sent with its handle alone', async () => {
  const f = fixture();
  await f.connect();
  f.event('message.received', received(1));
  await f.perch.send(bob, 'yes', { reply_to: { ref: 'im1' }, attachments: [{ url: 'https://x/a' }] });
  assert.deepEqual(f.last().reply_to, { ref: 'im1', id: 'm1', from: bob, excerpt: 'text 1' });
  const [{ body }] = f.requests.filter((r) => r.method === 'POST');
  assert.deepEqual([body.reply_to, body.attachments], [{ ref: 'im1' }, [{ url: 'https://x/a' }]]);
});

test('the handle of a sent message comes with the answer, or with its status', async () => {
  const f = fixture({ answer: (r) => [202, { id: r.body.id, status: 'accepted', ...(r.body.body === 'one' && { ref: 'oX' }) }] });
  await f.connect();
  await f.perch.send(bob, 'one');
  assert.equal(f.last().ref, 'oX');
  const { id } = await f.perch.send(bob, 'two', { id: 'm2' });
  assert.equal(f.last().ref, undefined);
  f.event('message.retracted', { ref: 'oY', conversation: bob, at: new Date().toISOString() });
  f.event('message.status', { id, ref: 'oY', status: 'acked' });
  assert.deepEqual([f.last().ref, Boolean(f.last().retracted)], ['oY', true]);
});

test('an older gateway, or a service that knows messages only: nothing is possible, and nothing breaks', async () => {
  for (const [options, want] of [
    [{ features: null, session: ['archive'] }, []],
    [{ session: ['archive'] }, ['conversations']],
    [{}, ['conversations', 'edit', 'retract', 'react', 'reply', 'attach']],
  ]) {
    const f = fixture(options);
    assert.equal(f.perch.can('edit'), false, 'before hello');
    await f.connect();
    assert.deepEqual(
      ['conversations', 'edit', 'retract', 'react', 'reply', 'attach'].filter((a) => f.perch.can(a)),
      want,
    );
    f.event('message.received', received(1, { ref: undefined }));
    assert.equal(await f.perch.loadConversations().catch(() => 'no list'), want.length > 0 ? 'no list' : false);
    f.perch.saveDraft(bob, 'begun');
    await f.perch.markRead(bob);
    assert.deepEqual([f.perch.store.list[0].unread, f.perch.store.list[0].draft], [0, 'begun']);
    await advance(2000);
    if (!want.length) assert.deepEqual(writes(f), [], 'a request that an older gateway does not know');
    f.perch.disconnect();
  }
});

test('reading and a draft that could not be told are told with the next stream', async () => {
  let status = 503;
  const f = fixture({
    answer: (r) => [
      status,
      { status, code: 'x', title: 'x', read: { ref: r.body?.ref, time: new Date().toISOString() }, unread: 0, mentions: 0 },
    ],
  });
  await f.connect();
  f.event('message.received', received(1));
  await assert.rejects(f.perch.markRead(bob));
  f.perch.saveDraft(bob, 'begun');
  await advance(1500);
  const before = f.requests.length;
  status = 200;
  f.frame('live', { tip: 'log-1' });
  await flushMicrotasks();
  assert.deepEqual(
    f.requests.slice(before).map((r) => [r.method, r.body]),
    [
      ['PUT', { ref: 'im1' }],
      ['PATCH', { draft: 'begun' }],
    ],
  );
  f.frame('live', { tip: 'log-1' });
  await flushMicrotasks();
  assert.equal(f.requests.length, before + 2, 'told twice');
});

test('what was read of the list is read again with each stream, also after one when that has failed', async () => {
  let status = 200;
  const item = { jid: bob, type: 'chat', name: 'Bob', notify: 'all', pinned: false, archived: false, last_activity_at: null };
  const counts = { unread: 0, unread_exact: true, mentions: 0, read: null, peer_read: null, draft: null };
  const f = fixture({
    answer: () => [status, { status, code: 'x', title: 'x', items: [{ ...item, ...counts }], next: null, complete: true }],
  });
  await f.connect();
  await f.perch.loadConversations();
  item.name = 'Robert';
  for (const [answer, want] of [
    [503, 'Bob'],
    [200, 'Robert'],
  ]) {
    status = answer;
    f.frame('live', { tip: 'log-1' });
    await flushMicrotasks();
    assert.equal(f.perch.store.list[0].name, want, `after ${answer}`);
  }
});

test('a retraction ends every own change of its message: no other event will confirm one', async () => {
  const f = fixture();
  await f.connect();
  f.event('message.sent', sent(1));
  await f.perch.edit(bob, 'om1', 'better');
  await f.perch.react(bob, 'om1', ['👍']);
  assert.equal(f.last().change.state, 'accepted');
  f.event('message.retracted', { ref: 'om1', id: 'm1', conversation: bob, at: new Date().toISOString() });
  assert.deepEqual([f.last().body, f.last().change], ['', undefined]);
  assert.deepEqual(f.perch.store.conversations.get(bob).state.changes, []);
});
