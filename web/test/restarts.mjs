// The gateway is killed and stopped under its clients; Redis has the log.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodies, client, isFresh, live, once, stage, until } from './kit.mjs';

const bob = await stage('jid', { user: 'bob' });

test('12 restarts, by SIGTERM and SIGKILL', async () => {
  const clients = [client({ transport: 'ws' }), client({ transport: 'sse' })];
  const resets = [];
  for (const perch of clients) {
    perch.on('hello', (f) => resets.push(f.data.reset_reason));
    perch.connect();
    await live(perch);
  }
  const want = [];
  const say = async (body) => {
    want.push(body);
    await stage('deliver', { from: 'bob', to: 'alice', body });
  };
  const received = () =>
    Promise.all(
      clients.map((perch, n) =>
        until(
          () => `client ${n} has "${want.at(-1)}"; ${JSON.stringify(perch.connection)}`,
          () => bodies(perch, bob).includes(want.at(-1)),
          40_000,
        ),
      ),
    );
  for (let n = 0; n < 12; n++) {
    for (let i = 0; i < 3; i++) await say(`round ${n}, before ${i}`);
    await received();
    await stage(n % 2 ? 'kill' : 'stop');
    for (let i = 0; i < 3; i++) await say(`round ${n}, without a gateway ${i}`); // wait in the service
    await stage('start');
    await say(`round ${n}, after`);
    await received();
  }
  for (const perch of clients) {
    await live(perch);
    once(bodies(perch, bob), want, 'every message once, in order');
    await isFresh(perch);
    perch.disconnect();
  }
  assert.deepEqual(
    resets.filter((r) => r !== null),
    ['first', 'first'],
    'a restart is a resume',
  );
});
