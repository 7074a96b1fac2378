// The outbox alone, on a clock that the test moves: order, back-off, reloads, tabs.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Perch, PerchError } from '../perch.js';
import { Outbox } from '../perch/outbox.js';
import { advance, flushMicrotasks, memory, start, stopClock } from './offline.mjs';

const bob = 'bob@example.net';

stopClock();

const refusal = (status, { retryAfter = 0, code = 'x' } = {}) =>
  new PerchError(status, { code, title: `refused with ${status}`, status }, retryAfter);

/** An outbox in front of a gateway whose answers the test sets. */
function outbox({ storage = null, account = 'alice@example.net', proved = true, announce = () => {} } = {}) {
  const requests = [];
  const completed = [];
  const shown = [];
  const fixture = { answer: () => ({ status: 'accepted' }), requests, completed, shown };
  fixture.box = new Outbox(
    {
      deliver: async (e, signal) => {
        requests.push({ id: e.id, body: e.body, to: e.to, at: Date.now() - start, signal });
        return fixture.answer(e, signal);
      },
      added: (e) => shown.push(e.id),
      completed: (e, outcome) => completed.push([e.id, outcome.is]),
      dropped: (e) => completed.push([e.id, 'dropped']),
      announce,
      changed: () => {},
    },
    { storage, origin: 'http://gateway' },
  );
  if (account) fixture.box.identify(account, proved);
  fixture.write = (id, to = bob) => fixture.box.add({ id, to, body: `body of ${id}` });
  return fixture;
}

const ids = (w) => w.requests.map((r) => r.id);

test('order: one request at a time in a conversation, also when answers are slow or fail', async () => {
  const w = outbox();
  const holds = [];
  w.answer = () => new Promise((done) => holds.push(done));
  for (const id of ['m1', 'm2', 'm3']) w.write(id, id === 'm2' ? `${bob}/phone` : bob);
  await flushMicrotasks();
  assert.deepEqual(ids(w), ['m1'], 'a second request while the first is under way');
  w.answer = () => ({ status: 'accepted' });
  holds[0]({ status: 'accepted' });
  await flushMicrotasks();
  assert.deepEqual(ids(w), ['m1', 'm2', 'm3']);
  const other = outbox();
  let failures = 5;
  other.answer = () => {
    if (failures-- > 0) throw new TypeError('fetch failed');
    return { status: 'accepted' };
  };
  for (let n = 1; n <= 8; n++) other.write(`n${n}`);
  await advance(120_000);
  assert.deepEqual(
    other.completed.map(([id]) => id),
    ['n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8'],
  );
  assert.ok(
    ids(other)
      .slice(0, 6)
      .every((id) => id === 'n1'),
    `the head is repeated, and nothing after it is tried: ${ids(other)}`,
  );
});

test('conversations do not wait for each other, and few have a request under way', async () => {
  const w = outbox();
  w.answer = () => new Promise(() => {});
  for (let n = 0; n < 100; n++) w.write(`m${n}`, `buddy${n % 20}@example.net`);
  await flushMicrotasks();
  assert.equal(w.requests.length, 4);
});

test('one back-off for all: it grows to its cap, with full jitter, and only one request probes', async () => {
  for (const random of [0.25, 0.5, 0.999]) {
    mock.timers.reset();
    mock.timers.enable({ apis: ['setTimeout', 'Date'], now: start });
    mock.method(Math, 'random', () => random);
    const w = outbox();
    w.answer = () => {
      throw refusal(503);
    };
    for (let n = 0; n < 100; n++) w.write(`m${n}`, `buddy${n}@example.net`);
    await flushMicrotasks();
    assert.ok(w.requests.length <= 4, `${w.requests.length} requests before the first answer`);
    await advance(120_000, 50);
    const times = w.requests.map((r) => r.at).filter((at) => at > 0);
    const gaps = times.map((at, i) => at - (times[i - 1] ?? 0));
    gaps.forEach((gap, n) =>
      assert.ok(
        Math.abs(gap - random * Math.min(30_000, 500 * 2 ** n)) <= 100,
        `wait ${n} is ${gap} ms of ${gaps}, want ${random} of ${500 * 2 ** n}`,
      ),
    );
    assert.ok(gaps.at(-1) <= 30_000 && gaps.length >= 8, `waits: ${gaps}`);
    assert.ok(new Set(w.requests.map((r) => r.to)).size > 8, 'probes take turns');
    mock.restoreAll();
  }
});

test('a hundred pending messages make a bounded number of requests in an outage of 15 s', async () => {
  for (let run = 0; run < 10; run++) {
    const w = outbox();
    let down = true;
    w.answer = () => {
      if (down) throw refusal(503);
      return { status: 'accepted' };
    };
    for (let n = 0; n < 100; n++) w.write(`m${n}`, `buddy${n % 10}@example.net`);
    await advance(15_000, 50);
    assert.ok(w.requests.length <= 40, `run ${run}: ${w.requests.length} requests, want at most 40`);
    down = false;
    await advance(40_000, 200);
    await flushMicrotasks(2000);
    assert.equal(w.completed.length, 100);
    w.box.clear(false);
  }
});

test('Retry-After is a floor for all, however the jitter falls, and a stream that is back does not shorten it', async () => {
  mock.method(Math, 'random', () => 0);
  const w = outbox();
  let refused = false;
  w.answer = () => {
    if (refused) return { status: 'accepted' };
    refused = true;
    throw refusal(429, { retryAfter: 7000 });
  };
  w.box.gate('live');
  w.write('m1');
  await flushMicrotasks();
  w.write('n1', 'carol@example.net');
  await advance(3000);
  w.box.gate('away');
  w.box.gate('live');
  await advance(3900);
  assert.deepEqual(ids(w), ['m1'], 'a request before the Retry-After was over');
  await advance(300);
  assert.deepEqual(new Set(ids(w)), new Set(['m1', 'n1']));
});

test('the stream is away: nothing but bounded probes; when it is live all goes out in order', async () => {
  const w = outbox();
  let down = true;
  w.answer = () => {
    if (down) throw new TypeError('fetch failed');
    return { status: 'accepted' };
  };
  w.box.gate('away');
  for (let n = 0; n < 50; n++) w.write(`m${n}`);
  await advance(2400);
  assert.equal(w.requests.length, 0, 'a request at once');
  assert.deepEqual([w.box.state.waits, w.box.state.pending], ['stream', 50]);
  await advance(600_000 - 2400, 200);
  assert.ok(w.requests.length >= 10 && w.requests.length <= 25, `${w.requests.length} probes in ten minutes, want 10 to 25`);
  down = false;
  const before = w.requests.length;
  w.box.gate('live');
  await flushMicrotasks();
  assert.deepEqual(
    ids(w).slice(before),
    Array.from({ length: 50 }, (_, n) => `m${n}`),
  );
});

test('the stream is blocked but requests work: a probe finds that out', async () => {
  const w = outbox();
  w.box.gate('away');
  for (const id of ['m1', 'm2', 'm3']) w.write(id);
  await advance(6000);
  assert.deepEqual(ids(w), ['m1', 'm2', 'm3']);
});

test('closed: no request at all', async () => {
  const w = outbox();
  w.box.gate('closed');
  w.write('m1');
  await advance(600_000, 1000);
  assert.equal(w.requests.length, 0);
});

test('refused for good in the middle: it fails alone, says why, and can be sent again or dismissed', async () => {
  for (const status of [400, 403, 404, 413, 422, 501]) {
    const w = outbox();
    w.answer = (e) => {
      if (e.id === 'm2') throw refusal(status);
      return { status: 'accepted' };
    };
    const sends = ['m1', 'm2', 'm3'].map((id) => w.write(id));
    await flushMicrotasks();
    assert.deepEqual(
      w.completed,
      [
        ['m1', 'sent'],
        ['m2', 'failed'],
        ['m3', 'sent'],
      ],
      String(status),
    );
    await assert.rejects(sends[1], (e) => e.status === status);
    assert.equal(w.box.list()[0].error, `refused with ${status}`);
    w.answer = () => ({ status: 'accepted' });
    w.write('m4');
    assert.ok(w.box.retry('m2'));
    await flushMicrotasks();
    assert.deepEqual(ids(w).slice(-2), ['m4', 'm2'], 'what is sent again comes after what was written since');
    assert.equal(w.box.list().length, 0);
  }
});

test('answers that blame the gateway do not block for ever', async () => {
  const w = outbox();
  w.answer = (e) => {
    if (e.id === 'm1') throw refusal(500, { code: 'internal' });
    return { status: 'accepted' };
  };
  w.write('m1');
  w.write('m2');
  await advance(300_000, 500);
  assert.deepEqual(w.completed, [
    ['m1', 'failed'],
    ['m2', 'sent'],
  ]);
  assert.equal(ids(w).filter((id) => id === 'm1').length, 8);
});

test('401 pauses: the caller learns it, the message stays, and a fresh credential sends it', async () => {
  const w = outbox();
  let token = false;
  w.answer = () => {
    if (!token) throw refusal(401);
    return { status: 'accepted' };
  };
  const sends = [w.write('m1'), w.write('m2'), w.write('n1', 'carol@example.net')];
  for (const s of sends) await assert.rejects(s, (e) => e.status === 401);
  await advance(600_000, 1000);
  assert.ok(w.requests.length <= 2, `${w.requests.length} requests without a credential`);
  assert.deepEqual([w.box.state.waits, w.box.state.pending], ['credentials', 3]);
  token = true;
  w.box.resume();
  await flushMicrotasks();
  assert.deepEqual(w.completed.map(([id]) => id).toSorted(), ['m1', 'm2', 'n1']);
});

test('a request without an answer ends, and is repeated under its id', async () => {
  const w = outbox();
  let hangs = true;
  w.answer = (e, signal) =>
    hangs ? new Promise((_, fail) => signal.addEventListener('abort', () => fail(signal.reason))) : { status: 'accepted' };
  w.write('m1');
  await advance(29_000, 1000);
  assert.equal(w.requests.length, 1);
  hangs = false;
  await advance(5000);
  assert.deepEqual(ids(w), ['m1', 'm1']);
  assert.deepEqual(w.completed, [['m1', 'sent']]);
});

test('cancel: before a request it is gone; under way the answer decides', async () => {
  const w = outbox();
  /** @type {any} */ let hold;
  w.answer = () => new Promise((done, fail) => (hold = { done, fail }));
  const sends = ['m1', 'm2', 'm3'].map((id) => w.write(id));
  assert.equal(await w.box.cancel('m3'), true);
  await assert.rejects(sends[2], (e) => e.code === 'cancelled');
  const first = w.box.cancel('m1');
  hold.done({ status: 'accepted' });
  assert.equal(await first, false, 'the gateway has it');
  await flushMicrotasks();
  const second = w.box.cancel('m2');
  hold.fail(new TypeError('fetch failed'));
  assert.equal(await second, true);
  await advance(10_000);
  assert.deepEqual(ids(w), ['m1', 'm2']);
});

test('given up after a day, because an older id would be another stanza', async () => {
  const w = outbox();
  w.box.gate('closed');
  const sent = w.write('m1');
  await advance(86_400_000, 600_000);
  await assert.rejects(sent, /within a day/);
  assert.deepEqual(w.completed, [['m1', 'failed']]);
});

test('a reload: what was not sent is sent, in order, also when the clock went back', async () => {
  const storage = memory();
  const first = outbox({ storage });
  first.answer = (e) => {
    if (e.id === 'm2') throw refusal(403);
    return new Promise(() => {});
  };
  first.write('m0', 'carol@example.net');
  for (const id of ['m2', 'm1', 'm3']) first.write(id); // ids are no order
  await flushMicrotasks();
  mock.timers.setTime(start - 3_600_000);
  first.write('m4');
  assert.equal(storage.items.size, 5);
  const second = outbox({ storage });
  await flushMicrotasks();
  assert.deepEqual(second.shown, ['m0', 'm2', 'm1', 'm3', 'm4']);
  assert.deepEqual(
    ids(second).filter((id) => id !== 'm0'),
    ['m1', 'm3', 'm4'],
  );
  assert.deepEqual(
    second.box.list().map((e) => [e.id, e.state, e.error]),
    [['m2', 'failed', 'refused with 403']],
  );
  assert.deepEqual([...storage.items.keys()], ['perch:outbox:http://gateway alice@example.net:m2']);
});

test('messages are of one account, and are never sent by another', async () => {
  const storage = memory();
  const alice = outbox({ storage });
  alice.box.gate('closed');
  alice.write('m1');
  const carol = outbox({ storage, account: 'carol@example.net' });
  await flushMicrotasks();
  assert.equal(carol.requests.length, 0);
  const again = outbox({ storage, proved: false }); // by a saved state alone
  await advance(60_000, 1000);
  assert.equal(again.requests.length, 0);
  again.box.identify('carol@example.net', true); // it was of alice, and the token is not
  assert.deepEqual(again.completed, [['m1', 'dropped']]);
  again.box.gate('live');
  await flushMicrotasks();
  assert.equal(again.requests.length, 0);
  assert.equal(storage.items.size, 1);
  const back = outbox({ storage, proved: false });
  back.box.identify('alice@example.net', true);
  await flushMicrotasks();
  assert.deepEqual(ids(back), ['m1']);
});

test('a storage that is full, broken or old harms nothing', async () => {
  const full = {
    ...memory(),
    setItem() {
      throw new Error('quota');
    },
  };
  const w = outbox({ storage: full });
  w.write('m1');
  await flushMicrotasks();
  assert.deepEqual(w.completed, [['m1', 'sent']]);
  const broken = memory();
  broken.setItem('perch:outbox:http://gateway alice@example.net:x', '{"id":"x"');
  broken.setItem('perch:outbox:http://gateway alice@example.net:y', '{"id":"y","to":1,"body":"b","at":1,"state":"pending"}');
  broken.setItem(
    'perch:outbox:http://gateway dora@example.net:z',
    JSON.stringify({ id: 'z', to: bob, body: 'b', at: start - 8 * 86_400_000, state: 'pending' }),
  );
  broken.setItem('of another program', 'kept');
  assert.equal(outbox({ storage: broken }).box.list().length, 0);
  assert.deepEqual([...broken.items.keys()], ['of another program']);
});

test('bounded: 1000 messages, a million characters', () => {
  const w = outbox();
  w.box.gate('closed');
  for (let n = 0; n < 1000; n++) {
    assert.ok(w.box.fits('x'));
    w.write(`m${n}`);
  }
  assert.equal(w.box.fits('x'), false);
  assert.equal(outbox().box.fits('x'.repeat((1 << 20) + 1)), false);
});

/** Tabs that receive each other's announcements; each has its own storage or the same one. */
function tabs(n, storage) {
  const all = [];
  for (let i = 0; i < n; i++) {
    const me = outbox({
      storage,
      announce: (a) => all.forEach((w) => w !== me && !w.asleep && queueMicrotask(() => w.box.onAnnouncement(structuredClone(a)))),
    });
    me.box.lead(i === 0);
    all.push(me);
  }
  return all;
}

for (const [name, storage] of [
  ['one storage', memory],
  ['no storage', () => null],
]) {
  test(`two tabs, ${name}: exactly one sends, in the order of writing over both, and both know`, async () => {
    const [one, two] = tabs(2, storage());
    one.box.gate('away');
    two.box.gate('away');
    const sends = [];
    for (let n = 0; n < 6; n++) {
      sends.push((n % 2 ? two : one).write(`m${n}`));
      await advance(10);
    }
    one.box.gate('live');
    two.box.gate('live');
    await flushMicrotasks();
    assert.deepEqual(ids(one), ['m0', 'm1', 'm2', 'm3', 'm4', 'm5']);
    assert.deepEqual(ids(two), []);
    assert.equal((await Promise.all(sends)).length, 6);
    assert.equal(two.box.list().length, 0);
  });

  test(`a tab dies, ${name}: another one sends what is left, a repeat has the same id`, async () => {
    const [one, two] = tabs(2, storage());
    one.answer = () => new Promise(() => {});
    for (let n = 0; n < 4; n++) {
      (n % 2 ? two : one).write(`m${n}`);
      await advance(10);
    }
    assert.deepEqual(ids(one), ['m0']);
    one.asleep = true;
    two.box.lead(true);
    await flushMicrotasks();
    assert.deepEqual(ids(two), ['m0', 'm1', 'm2', 'm3']);
  });

  test(`cancel, retry and a tab that was asleep, ${name}`, async () => {
    const [one, two] = tabs(2, storage());
    one.box.gate('away');
    two.write('m1');
    two.write('m2');
    await flushMicrotasks();
    assert.equal(await two.box.cancel('m1'), true);
    two.asleep = true;
    one.answer = () => {
      throw refusal(422);
    };
    one.box.gate('live');
    await flushMicrotasks();
    two.asleep = false;
    two.box.share();
    await flushMicrotasks();
    assert.deepEqual(
      two.box.list().map((e) => [e.id, e.state]),
      [['m2', 'failed']],
    );
    one.answer = () => ({ status: 'accepted' });
    two.box.retry('m2');
    await flushMicrotasks();
    assert.deepEqual([one.box.list().length, two.box.list().length], [0, 0]);
    assert.deepEqual(ids(one), ['m2', 'm2']);
  });
}

// Copies of one message.

/** A client whose requests this test answers, without a stream. */
function client({ archive = [], post = () => [202, {}] } = {}) {
  const posts = [];
  const perch = new Perch({
    url: 'http://gateway',
    token: 't',
    fetch: async (url, init) => {
      if (init.method === 'POST') {
        const m = JSON.parse(init.body);
        posts.push(m);
        const [status, headers] = post(m);
        return Response.json({ id: m.id, status: 'accepted', code: 'x', title: 'refused' }, { status, headers });
      }
      return Response.json({ items: archive, next: null, prev: null, complete: true });
    },
  });
  let position = 0;
  const event = (type, data, { log = 'a', time = Date.now() } = {}) =>
    perch.store.apply({
      id: `${log}-${++position}`,
      type,
      time: new Date(time).toISOString(),
      data: { kind: 'chat', source: 'live', ...data },
    });
  return {
    perch,
    posts,
    event,
    seen: () => (perch.store.conversations.get(bob)?.messages ?? []).map((m) => `${m.direction} ${m.body} ${m.status ?? ''}`.trim()),
  };
}

const item = (id, direction, body, message_id, ago = 0) => ({
  id,
  direction,
  body,
  ...(message_id && { message_id }),
  time: new Date(Date.now() - ago).toISOString(),
  from: direction === 'in' ? bob : 'alice@example.net',
  to: direction === 'in' ? 'alice@example.net' : bob,
});
const received = (id, body, more = {}) => ({ id, from: `${bob}/phone`, to: 'alice@example.net', body, ...more });
const sent = (id, body, more = {}) => ({ id, from: 'alice@example.net/perch', to: bob, body, ...more });

test('the copy in the archive is known by its ids, however late it has got there', async () => {
  const archive = [];
  const { perch, event, seen } = client({ archive });
  const { id } = await perch.send(bob, 'hi');
  event('message.received', received('r1', 'ok'));
  event('message.received', received('r2', 'with a stanza-id', { stanza_id: 's2' }));
  archive.push(item('s0', 'out', 'hi', id, -600_000), item('s1', 'in', 'ok', 'r1', -600_000), item('s2', 'in', 'with a stanza-id', 'r2'));
  assert.equal(await perch.loadHistory(bob), 0);
  event('message.sent', sent(id, 'hi'));
  assert.deepEqual(seen().toSorted(), ['in ok', 'in with a stanza-id', 'out hi accepted']);
});

test('another message is no copy, however alike: ids decide and never the time', async () => {
  const archive = [];
  const { perch, event, seen } = client({ archive });
  event('message.received', received('r1', 'ok', { stanza_id: 's1' }));
  event('message.received', received('r2', 'ok'));
  archive.push(item('s1', 'in', 'ok', 'r1'), item('s2', 'in', 'ok', 'r2'), item('s3', 'in', 'ok', 'r3'), item('s4', 'in', 'ok', 'r1'));
  assert.equal(await perch.loadHistory(bob), 2);
  assert.equal(seen().length, 4);
  event('message.received', received('r3', 'ok')); // replayed to us after the archive was read
  assert.equal(seen().length, 4);
  event('message.received', received('r4', 'ok'));
  assert.equal(seen().length, 5);
});

test('an archive without ids: the same side and text, and a time from writing to arrival', async () => {
  const archive = [];
  const { perch, event, seen } = client({ archive });
  const { id } = await perch.send(bob, 'ok');
  event('message.sent', sent(id, 'ok'));
  event('message.status', { id, status: 'sent', time: new Date(Date.now() + 300_000).toISOString() });
  archive.push(
    item('1', 'out', 'ok', '', -300_000),
    item('2', 'out', 'ok', '', -330_000),
    item('3', 'in', 'ok', ''),
    item('4', 'out', 'ok', '', 60_000),
  );
  assert.equal(await perch.loadHistory(bob), 3);
  assert.equal(await perch.loadHistory(bob), 0);
  assert.equal(seen().length, 4);
});

test('the archive, or a carbon, shows that a pending message was sent after all', async () => {
  const archive = [];
  const { perch, event, posts, seen } = client({ archive, post: () => [503, { 'Retry-After': '3600' }] });
  const sends = ['one', 'two'].map((body, n) => perch.send(bob, body, { id: `own${n}` }));
  await flushMicrotasks();
  archive.push(item('s1', 'out', 'one', 'own0'));
  await perch.loadHistory(bob);
  assert.deepEqual((await sends[0]).id, 'own0');
  assert.deepEqual(seen(), ['out one acked', 'out two pending']);
  event('message.sent', sent('own1', 'two'));
  event('message.sent', sent('own1', 'two', { from: 'alice@example.net/phone' }));
  event('message.sent', sent('own0', 'one', { stanza_id: 's1' }));
  assert.deepEqual(seen().toSorted(), ['out one acked', 'out two accepted']);
  assert.ok(posts.length <= 1);
});

test('another log brings what was read from the archive: known by id; a new message with a used id is not', () => {
  const { event, seen } = client();
  event('message.received', received('1', 'ok'));
  event('message.received', received('1', 'ok', { source: 'archive', stanza_id: 's1' }), { log: 'b' });
  assert.equal(seen().length, 1);
  event('message.received', received('1', 'ok'), { log: 'b' });
  event('message.received', received('1', 'another'), { log: 'b' });
  assert.equal(seen().length, 3);
});

test('the recipient as the gateway writes it: no second copy in another conversation', async () => {
  for (const [to, want] of [
    ['Bob@Example.net', [1]],
    ['\uff42ob@example.net', [0, 1]], // a wide b: only the gateway knows that this is bob
  ]) {
    const { perch, event } = client();
    await perch.send(to, 'hi', { id: 'own' });
    event('message.sent', sent('own', 'hi'));
    assert.deepEqual(
      [...perch.store.conversations.values()].map((c) => c.messages.length),
      want,
      to,
    );
  }
});

test('pending messages come after what was sent, in order, even when the clocks differ', async () => {
  const { perch, event, seen } = client({ post: (m) => (m.body === 'one' ? [202, {}] : [503, { 'Retry-After': '60' }]) });
  await perch.send(bob, 'one', { id: 'own1' });
  void perch.send(bob, 'two', { id: 'own2' });
  await flushMicrotasks();
  event('message.sent', sent('own1', 'one'), { time: Date.now() + 300_000 });
  event('message.received', received('r1', 'yes?'), { time: Date.now() + 301_000 });
  assert.deepEqual(seen(), ['out one accepted', 'in yes?', 'out two pending']);
});

test('retry: a message that bounced gets another id, one that was refused keeps its own', async () => {
  let status = 422;
  const { perch, event, posts, seen } = client({ post: () => [status, {}] });
  await assert.rejects(perch.send(bob, 'refused', { id: 'own1' }), PerchError);
  assert.deepEqual(seen(), ['out refused failed']);
  status = 202;
  await perch.retry(bob, 'own1');
  assert.deepEqual(
    posts.map((m) => m.id),
    ['own1', 'own1'],
  );
  event('message.sent', sent('own1', 'refused'));
  event('message.status', { id: 'own1', status: 'failed', error: { condition: 'recipient-unavailable' } });
  assert.deepEqual(seen(), ['out refused failed']);
  await perch.retry(bob, 'own1');
  assert.notEqual(posts[2].id, 'own1');
  assert.deepEqual(seen(), ['out refused accepted']);
  assert.equal(await perch.cancel(bob, posts[2].id), false, 'the gateway has it');
});

test('a hundred calls are refused when the outbox is full, and nothing is shown', async () => {
  const { perch, seen } = client();
  await assert.rejects(perch.send(bob, 'x'.repeat((1 << 20) + 1)), (e) => e.code === 'outbox-full');
  assert.deepEqual(seen(), []);
});

test('Retry-After may be a date', async () => {
  const { perch, posts } = client({ post: () => [503, { 'Retry-After': new Date(Date.now() + 20_000).toUTCString() }] });
  void perch.send(bob, 'x').catch(() => {});
  await flushMicrotasks();
  await advance(19_000, 1000);
  assert.equal(posts.length, 1);
  await advance(4000);
  assert.equal(posts.length, 2);
});

test('writing… ends with the stream, the presence and the message', () => {
  const { perch, event } = client();
  const typing = () => perch.store.conversations.get(bob).typing;
  const begin = () => event('chat_state', { from: `${bob}/phone`, state: 'composing' });
  begin();
  event('hello', { session: {}, resumed: true });
  assert.equal(typing(), null);
  begin();
  event('presence', { jid: bob, available: false });
  assert.notEqual(typing(), 'composing');
  begin();
  event('message.received', received('r1', 'hi'));
  assert.equal(typing(), null);
});
