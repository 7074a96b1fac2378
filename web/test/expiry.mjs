// The log keeps five events. A client that misses more gets a reset, and the archive has the rest.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodies, client, direct, isFresh, live, once, stage, until } from './kit.mjs';

const bob = await stage('jid', { user: 'bob' });

test('resets by expiry: nothing is missing and nothing is there twice', async () => {
  const clients = [client({ transport: 'ws' }), client({ transport: 'sse' })];
  const witness = client({ url: direct, transport: 'sse' });
  witness.connect();
  await live(witness);
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
  for (let round = 0; round < 10; round++) {
    await say(`round ${round}, there`);
    for (const perch of clients) await until(`there ${round}`, () => bodies(perch, bob).includes(want.at(-1)));
    await stage('down');
    for (let i = 0; i < 8; i++) await say(`round ${round}, away ${i}`);
    await stage('presence', { user: 'echo', show: 'xa', status: `round ${round}` });
    await until('the gateway has them', () => bodies(witness, bob).includes(want.at(-1)));
    await stage('up');
    for (const perch of clients) {
      await until(
        () => `filled in round ${round}: ${bodies(perch, bob).slice(-9)}`,
        () => bodies(perch, bob).includes(want.at(-1)) && !perch.store.conversations.get(bob).gap,
      );
      once(bodies(perch, bob), want, `round ${round}`);
    }
  }
  assert.ok(resets.filter((r) => r === 'expired').length >= 16, `resets: ${resets}`);
  for (const perch of clients) {
    await isFresh(perch);
    perch.disconnect();
  }
  witness.disconnect();
});
