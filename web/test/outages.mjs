// Messages are written in 200 outages: each arrives once, in the order of writing, and an
// outage costs a bounded number of requests. Two clients of one account write, one on each
// transport.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodies, client, live, once, sleep, stage, until } from './kit.mjs';

const echo = await stage('jid', { user: 'echo' });
const bob = await stage('jid', { user: 'bob' });
const rounds = 200;

/** A client that loses one answer of ten, and counts its requests. */
function writer(transport) {
  const w = { transport, posts: 0, lost: 0, worst: 0, toBob: [], toEcho: [], sends: [] };
  w.perch = client({
    transport,
    fetch: async (input, init) => {
      const post = init.method === 'POST' && String(input).endsWith('/v1/messages');
      if (post) w.posts++;
      const answer = await fetch(input, init);
      if (post && Math.random() < 0.1 && ++w.lost) throw new TypeError('the answer was lost');
      return answer;
    },
  });
  w.write = (jid, list, body) => {
    list.push(`${transport} ${body}`);
    w.sends.push(w.perch.send(jid, list.at(-1)));
  };
  return w;
}

test(`${rounds} outages, with messages written in each, over WebSocket and SSE`, async () => {
  const writers = [writer('ws'), writer('sse')];
  const reader = client({ token: 'demo-bob', transport: 'ws' });
  for (const perch of [reader, ...writers.map((w) => w.perch)]) perch.connect();
  await Promise.all([reader, ...writers.map((w) => w.perch)].map(live));
  const alice = writers[0].perch.store.session.jid;
  for (let round = 0; round < rounds; round++) {
    for (const w of writers) w.write(bob, w.toBob, `${round} before`);
    await stage('down');
    for (const w of writers) await until('the stream is away', () => w.perch.connection.state !== 'live');
    const began = Date.now();
    const before = writers.map((w) => w.posts);
    for (let n = 0; n < 2; n++) {
      for (const w of writers) w.write(bob, w.toBob, `${round} away ${n}`);
      if (round % 10 === 0) for (const w of writers) w.write(echo, w.toEcho, `${round} echo ${n}`);
      await sleep(Math.random() * 20);
    }
    // A probe waits for half of ten times the base at least, 25 ms here; two requests may
    // have been due when the stream went.
    const bound = 2 + Math.ceil((Date.now() - began) / 25);
    writers.forEach((w, n) => {
      const made = w.posts - before[n];
      assert.ok(made <= bound, `${made} requests over ${w.transport} in an outage of ${Date.now() - began} ms, want at most ${bound}`);
      w.worst = Math.max(w.worst, made);
    });
    await stage('up');
    for (const w of writers) await live(w.perch);
    for (const w of writers) w.write(bob, w.toBob, `${round} after`);
  }
  for (const w of writers) {
    const answers = await Promise.all(w.sends);
    assert.equal(new Set(answers.map((a) => a.id)).size, w.sends.length);
    await until(
      () => `the last message over ${w.transport}`,
      () => bodies(reader, alice).includes(w.toBob.at(-1)),
    );
    await until('the last echo', () => bodies(w.perch, echo).includes(`You said: ${w.toEcho.at(-1)}`));
    once(bodies(reader, alice), w.toBob, 'every message once, in the order of writing');
    once(bodies(w.perch, bob, 'out'), w.toBob, 'what the writer sees');
    once(bodies(w.perch, echo, 'out'), w.toEcho, 'what the writer sees of the other conversation');
    once(
      bodies(w.perch, echo),
      w.toEcho.map((b) => `You said: ${b}`),
      'the other conversation',
    );
    assert.deepEqual(w.perch.outbox, { pending: 0, failed: 0, waits: null, retryIn: 0 });
    console.log(
      `${w.transport}: ${w.sends.length} messages in ${w.posts} requests, ${w.lost} answers lost, at most ${w.worst} requests in an outage`,
    );
    w.perch.disconnect();
  }
  reader.disconnect();
});
