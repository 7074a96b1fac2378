// A page that holds no token: what it does goes over the socket that a ticket has opened. And what is said at
// once where there is no socket. Without a gateway.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Perch, PerchError } from '../perch.js';
import { commandOf } from '../perch/commands.js';
import { advance, flushMicrotasks, recorded, stopClock } from './offline.mjs';
import { frame, own } from './rooms_kit.mjs';

stopClock();

const bob = 'bob@example.net';
const related = ['message-edit', 'message-react', 'message-retract', 'blocking'];

/** A client of tickets alone, with sockets that the test plays. */
async function fixture(options = {}) {
  const sockets = [];
  class Socket {
    sent = [];
    constructor(url) {
      this.url = String(url);
      sockets.push(this);
    }
    send(text) {
      this.sent.push(JSON.parse(text));
    }
    close() {}
    get(f) {
      this.onmessage?.({ data: JSON.stringify(f) });
    }
    greet(resumed = false) {
      this.onopen();
      const session = { jid: own, state: 'online', features: related };
      this.get(frame('hello', { session, resumed, heartbeat_ms: 25_000, features: ['conversations', ...related] }));
      this.get(frame('live', { tip: 'e-0' }));
    }
    /** Answers the last command. */
    reply(data, status = 202) {
      this.get({ type: 'reply', ref: this.sent.at(-1).id, time: '', status, data });
    }
    refuse(status, code) {
      this.get({ type: 'error', ref: this.sent.at(-1).id, time: '', error: { status, code, title: code, detail: `because of ${code}` } });
    }
  }
  const rest = recorded(() => [500, {}]);
  const perch = new Perch({
    url: 'http://gateway',
    ticket: () => 'a-ticket',
    storage: null,
    fetch: rest.fetch,
    WebSocket: Socket,
    ...options,
  });
  const frames = [];
  perch.on('*', (f) => frames.push(f.type));
  perch.connect();
  await flushMicrotasks();
  sockets[0]?.greet();
  return { perch, sockets, socket: sockets[0], requests: rest.requests, frames };
}

test('a message goes over the socket, under its own id, and its status follows', async () => {
  const { perch, socket, requests, frames } = await fixture();
  assert.match(socket.url, /^ws:\/\/gateway\/v1\/events\/ws\?ticket=a-ticket$/);
  const sent = perch.send(bob, 'hello', { thread: 't' });
  await flushMicrotasks();
  const [command] = socket.sent;
  assert.deepEqual(command, {
    id: command.data.id,
    type: 'message.send',
    data: { to: bob, body: 'hello', id: command.data.id, thread: 't' },
  });
  socket.reply({ id: command.id, ref: 'r1', status: 'accepted' });
  assert.deepEqual(await sent, { id: command.id, status: 'accepted' });
  assert.equal(perch.store.conversations.get(bob).messages[0].ref, 'r1');
  assert.deepEqual([requests, frames.includes('reply')], [[], false], 'there is no request, and an answer is no event');
  perch.disconnect();
});

test('everything that the socket has a command for', async () => {
  const { perch, socket, requests } = await fixture();
  perch.store.apply(frame('message.received', { id: 'm1', ref: 'r 1', from: `${bob}/phone`, to: own, kind: 'chat', body: 'hi' }, 1));
  const conversation = bob;
  for (const [does, type, want, answer] of [
    [() => perch.edit(bob, 'r 1', 'hi!'), 'message.edit', { conversation, ref: 'r 1', body: 'hi!' }, { status: 'accepted' }],
    [() => perch.react(bob, 'r 1', ['👍']), 'message.react', { conversation, ref: 'r 1', emojis: ['👍'] }, { status: 'accepted' }],
    [
      () => perch.retract(bob, 'r 1', { reason: 'no' }),
      'message.retract',
      { conversation, ref: 'r 1', reason: 'no' },
      { status: 'accepted' },
    ],
    [() => perch.markRead(bob), 'conversation.read', { conversation, ref: 'r 1' }, { jid: bob, read: null, unread: 0, mentions: 0 }],
    [() => perch.setChatState(bob, 'active'), 'chat_state.set', { to: bob, state: 'active' }],
    [() => perch.setOwnPresence({ show: 'away' }), 'presence.set', { show: 'away' }, { available: true, show: 'away' }],
    [() => perch.block(bob, { reason: 'spam' }), 'blocked.add', { jid: bob, report: { reason: 'spam' } }],
    [() => perch.unblock(bob), 'blocked.remove', { jid: bob }],
  ]) {
    const done = does();
    await flushMicrotasks();
    const { type: got, data } = socket.sent.at(-1);
    const { id: _, ...rest } = data;
    assert.deepEqual([got, rest], [type, want]);
    socket.reply(answer, answer ? 200 : 204);
    await done;
  }
  assert.deepEqual(requests, []);
  perch.disconnect();
});

test('an error is a PerchError: for good the message has failed, for a while it is sent again', async () => {
  const { perch, socket } = await fixture();
  const refused = assert.rejects(perch.send(bob, 'one'), (e) => e instanceof PerchError && e.code === 'blocked' && e.status === 403);
  await flushMicrotasks();
  socket.refuse(403, 'blocked');
  await refused;
  assert.equal(perch.store.conversations.get(bob).messages[0].status, 'failed');
  const sent = perch.send(bob, 'two');
  await flushMicrotasks();
  socket.refuse(429, 'quota-exceeded');
  await advance(1000);
  assert.deepEqual(
    socket.sent.slice(1).map((c) => [c.id, c.data.body]),
    [
      [socket.sent[1].id, 'two'],
      [socket.sent[1].id, 'two'],
    ],
  );
  socket.reply({ id: socket.sent[1].id, status: 'accepted' });
  await sent;
  perch.disconnect();
});

test('what had no answer when the socket closed is sent over the next one, as the same message', async () => {
  const { perch, sockets, socket } = await fixture();
  const sent = perch.send(bob, 'hello');
  const typed = assert.rejects(perch.setChatState(bob, 'composing'), /has closed/);
  await flushMicrotasks();
  socket.onclose({ code: 1006, reason: '' });
  await typed;
  await advance(2000);
  sockets[1].greet(true);
  await flushMicrotasks();
  assert.equal(sockets[1].sent[0].id, socket.sent[0].id);
  sockets[1].reply({ id: socket.sent[0].id, status: 'accepted' });
  await sent;
  assert.equal(perch.store.conversations.get(bob).messages.length, 1);
  perch.disconnect();
});

test('a message that no frame takes has failed, and what the socket has no command for is refused', async () => {
  const { perch, socket, requests } = await fixture();
  await assert.rejects(perch.send(bob, 'ü'.repeat(33_000)), (e) => e.code === 'body-too-large');
  await assert.rejects(perch.listBuddies(), (e) => e instanceof PerchError && e.code === 'no-token');
  await assert.rejects(perch.loadHistory(bob), (e) => e.code === 'no-token');
  assert.deepEqual([socket.sent, requests], [[], []]);
  const aborted = AbortSignal.abort(new Error('too late'));
  await assert.rejects(perch.sendMessage({ to: bob, body: 'x' }, { signal: aborted }), /too late/);
  const controller = new AbortController();
  const late = assert.rejects(perch.sendMessage({ to: bob, body: 'x' }, { signal: controller.signal }), /taken back/);
  controller.abort(new Error('taken back'));
  await late;
  const [first, second] = [new AbortController(), new AbortController()];
  for (const { signal } of [first, second]) {
    const sent = perch.sendMessage({ to: bob, body: 'x', id: 'm1' }, { signal });
    await flushMicrotasks();
    if (signal === second.signal) first.abort(new Error('of the one before'));
    socket.reply({ id: 'm1', ref: 'r1', status: 'accepted' });
    assert.equal((await sent).status, 'accepted', 'what is answered is not taken back any more');
  }
  perch.disconnect();
  await assert.rejects(perch.setChatState(bob, 'active'), /before connect/);
});

test('with a token, requests are requests', async () => {
  const { perch, socket, requests } = await fixture({ token: 't' });
  void perch.setChatState(bob, 'active').catch(() => {});
  await flushMicrotasks();
  assert.deepEqual([requests.at(-1).path, socket.sent], [`/v1/chat-states/${bob}`, []]);
  perch.disconnect();
});

test('no page that shares has tickets alone: nothing says whose tickets they are', async () => {
  const { perch, sockets } = await fixture({ share: true });
  assert.deepEqual([perch.connection.transport, sockets.length], ['ws', 1]);
  perch.disconnect();
});

test('where there is no WebSocket, what needs one says so, and all else takes SSE', async () => {
  const { fetch } = recorded(() => [500, {}]);
  const WebSocket = globalThis.WebSocket;
  delete globalThis.WebSocket; // as in Node 20
  try {
    const options = { url: 'http://gateway', storage: null, fetch };
    assert.throws(() => new Perch({ ...options, token: 't', transport: 'ws' }).connect(), /no WebSocket here.*Node 22/);
    assert.throws(() => new Perch({ ...options, ticket: () => 't' }).connect(), /no WebSocket here/);
    const perch = new Perch({ ...options, token: 't' });
    perch.connect();
    assert.deepEqual([perch.connection.state, perch.connection.transport], ['connecting', 'sse']);
    perch.disconnect();
    await flushMicrotasks();
  } finally {
    if (WebSocket) globalThis.WebSocket = WebSocket;
  }
  assert.throws(
    () => new Perch({ url: 'http://gateway', ticket: () => 't', transport: 'sse', storage: null }).connect(),
    /give a token for SSE/,
  );
});

test('the upstream of the token goes with every request, and with signing in', async () => {
  const asked = [];
  const fetch = async (url, { method }) => {
    asked.push(`${method} ${url}`);
    return Response.json({ token: 'perch_x', items: [] });
  };
  const options = { url: 'http://gateway', storage: null, upstream: 'a&b', fetch };
  const perch = new Perch({ ...options, token: 't' });
  await perch.openSession();
  await perch.listBuddies({ q: 'x' });
  await Perch.signIn({ jid: 'you@a.test', password: 'p' }, options);
  assert.deepEqual(asked, [
    'POST http://gateway/v1/session?upstream=a%26b',
    'GET http://gateway/v1/buddies?q=x&upstream=a%26b',
    'POST http://gateway/v1/session?upstream=a%26b',
  ]);
});

test('requests that no command stands for', () => {
  for (const [method, path] of [
    ['GET', '/v1/conversations/a/messages'],
    ['DELETE', '/v1/blocked?all=1'],
    ['POST', '/v1/messages/m1/x'],
    ['PATCH', '/v1/conversations/a'],
    ['DELETE', '/v1/session'],
    ['PUT', '/v1/session/password'],
  ])
    assert.equal(commandOf(method, new URL(path, 'http://gateway'), {}), undefined, `${method} ${path}`);
  mock.restoreAll();
});
