// The event stream alone, on a clock that the test moves: endings, delays, transports, silence.
import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { Stream } from '../perch/stream.js';
import { flushMicrotasks, stopClock } from './offline.mjs';

/** Moves the clock; what a timer or the call before has started is over before and afterwards. */
async function advance(ms) {
  await flushMicrotasks();
  mock.timers.tick(ms);
  await flushMicrotasks();
}

stopClock();
beforeEach(() => void mock.method(Math, 'random', () => 0.5));

const hello = { type: 'hello', data: { heartbeat_ms: 20_000 } };
const encoder = new TextEncoder();

/** A stream over sockets and responses that the test plays. */
function fixture(options = {}) {
  const sockets = [];
  const fetches = [];
  const states = [];
  const frames = [];
  const refusals = [];
  class Socket {
    constructor(url, protocols) {
      Object.assign(this, { url: String(url), protocols });
      sockets.push(this);
    }
    close() {}
    frame(f) {
      this.onmessage?.({ data: JSON.stringify(f) });
    }
  }
  const fetch = async (url, init) => {
    const body = new TransformStream();
    const writer = body.writable.getWriter();
    const f = { url: String(url), headers: init.headers, write: (text) => writer.write(encoder.encode(text)), close: () => writer.close() };
    fetches.push(f);
    return options.respond?.() ?? new Response(body.readable);
  };
  const port = {
    token: async (refused) => (refusals.push(refused), 'a?token'),
    ticket: async () => 'a-ticket',
    cursor: () => options.cursor ?? '',
    frame: (f) => frames.push(f.type),
    state: (s) => {
      states.push(s);
      options.onState?.(s, stream);
    },
  };
  const stream = new Stream({ url: new URL('http://gateway'), token: 't', WebSocket: Socket, fetch, ...options }, port);
  stream.start();
  return { stream, sockets, fetches, states, frames, refusals, last: () => states.at(-1) };
}

test('the address has the cursor, and shows the token or a ticket', async () => {
  for (const [options, wantURL, wantProtocols] of [
    [{}, 'ws://gateway/v1/events/ws', ['perch.v1', 'perch.bearer.YT90b2tlbg']],
    [{ cursor: 'e-7' }, 'ws://gateway/v1/events/ws?since=e-7', ['perch.v1', 'perch.bearer.YT90b2tlbg']],
    [{ upstream: 'work' }, 'ws://gateway/v1/events/ws?upstream=work', ['perch.v1', 'perch.bearer.YT90b2tlbg']],
    [{ auth: 'ticket' }, 'ws://gateway/v1/events/ws?ticket=a-ticket', ['perch.v1']],
  ]) {
    const s = fixture(options);
    await flushMicrotasks();
    assert.deepEqual([s.sockets[0].url, s.sockets[0].protocols], [wantURL, wantProtocols]);
    s.stream.stop();
  }
  const sse = fixture({ transport: 'sse', cursor: 'e-7' });
  await flushMicrotasks();
  assert.equal(sse.fetches[0].url, 'http://gateway/v1/events?since=e-7');
  assert.deepEqual(sse.fetches[0].headers, { Accept: 'text/event-stream', Authorization: 'Bearer a?token' });
  sse.stream.stop();
});

// With half of each random draw: the first failure waits 250 ms, an orderly move 125 ms.
for (const { name, code, options = {}, want, retryIn } of [
  { name: 'a lost connection', code: 1006, want: 'waiting', retryIn: 250 },
  { name: 'a refused token', code: 4001, want: 'stopped', retryIn: 0 },
  { name: 'a refused token that a function supplies', code: 4001, options: { token: () => 't' }, want: 'waiting', retryIn: 0 },
  { name: 'a closed session', code: 4004, want: 'stopped', retryIn: 0 },
  { name: 'the last code that is final', code: 4099, want: 'stopped', retryIn: 0 },
  { name: 'a slow consumer', code: 4100, want: 'waiting', retryIn: 250 },
  { name: 'a session that has moved', code: 4201, want: 'waiting', retryIn: 125 },
]) {
  test(`${name} (${code}) is ${want}`, async () => {
    const s = fixture(options);
    await flushMicrotasks();
    s.sockets[0].frame(hello);
    s.sockets[0].onclose({ code, reason: 'over' });
    await flushMicrotasks();
    assert.deepEqual(s.last(), { state: want, code, reason: 'over', retryIn });
    s.stream.stop();
  });
}

test('what the gateway announces is the ending, even if the close has another code', async () => {
  const s = fixture();
  await flushMicrotasks();
  s.sockets[0].frame(hello);
  s.sockets[0].frame({ type: 'error', close: { code: 4004, reason: 'session-closed' } });
  s.sockets[0].onclose({ code: 1006, reason: '' });
  await flushMicrotasks();
  assert.deepEqual(s.last(), { state: 'stopped', code: 4004, reason: 'session-closed', retryIn: 0 });
});

test('a token that is refused twice stops the stream, and a hello counts it from the beginning', async () => {
  const s = fixture({ token: () => 't' });
  await flushMicrotasks();
  s.sockets[0].onclose({ code: 4001, reason: '' });
  await advance(1);
  s.sockets[1].frame(hello);
  s.sockets[1].onclose({ code: 4001, reason: '' });
  await advance(1);
  s.sockets[2].onclose({ code: 4001, reason: '' });
  await flushMicrotasks();
  assert.deepEqual(s.refusals, [false, true, true]);
  assert.equal(s.last().state, 'stopped');
});

test('failures back off until a connection has lasted for ten seconds', async () => {
  const s = fixture({ transport: 'ws' });
  await flushMicrotasks();
  const waits = [];
  const lose = async (after) => {
    s.sockets.at(-1).frame(hello);
    await advance(after);
    s.sockets.at(-1).onclose({ code: 1006, reason: '' });
    await flushMicrotasks();
    waits.push(s.last().retryIn);
    await advance(s.last().retryIn);
  };
  for (const after of [0, 0, 10_000, 10_001]) await lose(after);
  assert.deepEqual(waits, [250, 500, 1000, 250]);
  s.stream.stop();
});

test('silence ends a connection: 25 s before hello, then two heartbeats and 5 s, or as set', async () => {
  for (const [options, greet, want] of [
    [{}, false, 25_000],
    [{}, true, 45_000],
    [{ silence: 300 }, true, 300],
  ]) {
    const s = fixture({ transport: 'ws', ...options });
    await flushMicrotasks();
    if (greet) s.sockets[0].frame(hello);
    await advance(want - 1);
    assert.equal(s.last().state, 'connecting', `after ${want - 1} ms`);
    await advance(1);
    assert.deepEqual([s.last().state, s.last().code], ['waiting', 4102], `after ${want} ms`);
    assert.equal(s.sockets[0].onmessage, null, 'a frame of an ended connection is still taken');
    s.stream.stop();
  }
});

test('two sockets without hello: SSE for ten minutes, or until it fails too', async () => {
  const s = fixture();
  await flushMicrotasks();
  for (let n = 0; n < 2; n++) {
    s.sockets[n].onclose({ code: 1006, reason: '' });
    await advance(1000);
  }
  assert.deepEqual([s.sockets.length, s.fetches.length], [2, 1]);
  await s.fetches[0].close();
  await advance(5000);
  assert.equal(s.sockets.length, 3, 'SSE failed before hello: a socket is tried');
  s.stream.stop();
  for (const options of [{ transport: 'ws' }, { ticket: () => 't' }]) {
    const forced = fixture(options);
    await flushMicrotasks();
    for (let n = 0; n < 4; n++) {
      forced.sockets[n].onclose({ code: 1006, reason: '' });
      await advance(8000);
    }
    assert.deepEqual([forced.sockets.length, forced.fetches.length], [5, 0], JSON.stringify(options));
    forced.stream.stop();
  }
});

test('SSE: frames in pieces, with both line ends; comments and other fields are left out', async () => {
  const s = fixture({ transport: 'sse' });
  await flushMicrotasks();
  const [f] = s.fetches;
  for (const piece of [
    ': comment\n\nid: 1\nda',
    `ta: ${JSON.stringify(hello)}\n`,
    '\ndata:{"type":"pres',
    'ence"}\r\n\r\n',
    'data: {"type":"live"',
  ]) {
    await f.write(piece);
    await flushMicrotasks();
  }
  assert.deepEqual(s.frames, ['hello', 'presence']);
  await f.write(',\ndata: "data":{"tip":""}}\n\n');
  await flushMicrotasks();
  assert.deepEqual(s.frames, ['hello', 'presence', 'live']);
  assert.deepEqual(s.last(), { state: 'live', transport: 'sse', retryIn: 0, connects: 1 });
  s.stream.stop();
});

test('a refused SSE request: its status is a close code, and Retry-After a floor', async () => {
  for (const [status, headers, want] of [
    [401, {}, { state: 'stopped', code: 4001, reason: 'x', retryIn: 0 }],
    [403, {}, { state: 'stopped', code: 4003, reason: 'x', retryIn: 0 }],
    [404, {}, { state: 'stopped', code: 4000, reason: 'x', retryIn: 0 }],
    [429, { 'Retry-After': '7' }, { state: 'waiting', code: 4100, reason: 'x', retryIn: 7000 }],
    [503, {}, { state: 'waiting', code: 4100, reason: 'x', retryIn: 250 }],
  ]) {
    const s = fixture({ transport: 'sse', respond: () => Response.json({ code: 'x', status, title: 'x' }, { status, headers }) });
    await flushMicrotasks();
    assert.deepEqual(s.last(), want, String(status));
    s.stream.stop();
  }
});

test('a stream that stopped is started again, also by its own listener', async () => {
  let again = true;
  const onState = (state, stream) => {
    if (state.state !== 'stopped' || !again) return;
    again = false;
    stream.reconnectNow();
  };
  const s = fixture({ onState });
  await flushMicrotasks();
  s.sockets[0].onclose({ code: 4004, reason: '' });
  await flushMicrotasks();
  assert.equal(s.sockets.length, 2);
  s.sockets[1].onclose({ code: 4004, reason: '' });
  await flushMicrotasks();
  assert.deepEqual([s.sockets.length, s.last().state], [2, 'stopped']);
  s.stream.reconnectNow();
  await flushMicrotasks();
  assert.equal(s.sockets.length, 3);
  s.stream.stop();
  await advance(60_000);
  assert.equal(s.sockets.length, 3, 'a stream that was ended has connected again');
});
