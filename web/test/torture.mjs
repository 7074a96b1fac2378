// 500 random cuts: after each the store equals a fresh snapshot, and every
// message is there once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodies, client, isFresh, live, once, sleep, stage, until } from './kit.mjs';

const bob = await stage('jid', { user: 'bob' });

for (const transport of ['ws', 'sse']) {
  test(`250 streams over ${transport}, each cut at a random moment`, async () => {
    const perch = client({ transport });
    const ids = new Set();
    let twice = 0;
    const resets = [];
    perch.on('hello', (f) => f.data.resumed || resets.push(f.data.reset_reason));
    perch.on('*', (f) => f.id && (ids.has(f.id) ? twice++ : ids.add(f.id)));
    perch.connect();
    await live(perch);
    const want = [];
    let cutting = true;
    const talk = (async () => {
      for (let n = 0; cutting; n++) {
        const body = `${transport} ${n}`;
        want.push(body);
        await stage('deliver', { from: 'bob', to: 'alice', body });
        if (n % 5 === 0) await stage('presence', { user: 'echo', show: ['away', 'dnd', 'chat'][n % 3], status: `turn ${n}` });
        if (n % 20 === 0) await stage('invite', { from: n % 40 ? 'oscar' : 'carol', to: 'alice', nick: `nick ${n}`, message: '' });
        await sleep(Math.random() * 12);
      }
    })();
    let cuts = 0;
    for (; perch.connection.connects <= 250; cuts++) {
      // a cut between two streams is not counted
      await sleep(Math.random() * 70);
      await stage('cut');
    }
    cutting = false;
    await talk;
    await until(
      () => `the last message; ${bodies(perch, bob).length} of ${want.length} are here`,
      () => bodies(perch, bob).includes(want.at(-1)),
    );
    await live(perch);
    once(bodies(perch, bob), want, 'every message once, in order');
    assert.deepEqual(resets, ['first'], 'every stream but the first is resumed');
    assert.equal(twice, 0, 'an event was shown twice');
    await isFresh(perch);
    console.log(`${transport}: ${want.length} messages over ${perch.connection.connects} streams, ${cuts} cuts`);
    perch.disconnect();
  });
}
