// The block list in the store: read, changed by events, and read again when changes were missed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Perch, Store } from '../perch.js';
import { flushMicrotasks, recorded, stopClock } from './offline.mjs';
import { frame, own, random } from './rooms_kit.mjs';

const [bob, eve, evil] = ['bob@example.net', 'eve@example.net', 'evil.example'];
const listOf = (jids, complete = true) => ({ items: jids.map((jid) => ({ jid })), complete });
const changed = (data, n) => frame('blocked.changed', { added: [], removed: [], ...data }, n);
const hello = (resumed) => frame('hello', { session: { jid: own, features: ['blocking'] }, resumed, features: ['blocking'] });

stopClock();

/** A store that has read the list. */
function reads(jids = [], complete = true) {
  const store = new Store();
  store.apply(hello(false));
  store.apply(frame('live', { tip: '' }));
  store.beginBlocked();
  assert.equal(store.replaceBlocked(listOf(jids, complete)), true);
  return store;
}

test('nothing is known before the list is asked for; then events change it', () => {
  const store = new Store();
  const changes = [];
  store.subscribe((c) => changes.push(c.what));
  store.apply(changed({ added: [bob] }, 1));
  assert.deepEqual([store.blocked, store.blockedBy(bob), changes], [null, undefined, []]);
  store.beginBlocked();
  store.replaceBlocked(listOf([bob, evil]));
  const first = store.blocked;
  assert.deepEqual(first, { items: [bob, evil], complete: true, stale: false });
  store.apply(changed({ added: [eve], removed: ['Bob@Example.NET'] }, 2));
  assert.deepEqual(store.blocked.items, [eve, evil]);
  assert.deepEqual(first.items, [bob, evil], 'a snapshot was changed');
  store.apply(changed({ all: false }, 3));
  assert.deepEqual(store.blocked, { items: [], complete: true, stale: false });
  assert.deepEqual(changes, ['blocked', 'blocked', 'blocked']);
});

test('what blocks an address: itself, its account, its domain', () => {
  const store = reads([bob, evil, `${eve}/phone`]);
  for (const [jid, want] of [
    [bob, bob],
    ['BOB@example.net', bob],
    [`${bob}/phone`, bob],
    ['anybody@Evil.Example/x', evil],
    [evil, evil],
    [`${eve}/phone`, `${eve}/phone`],
    [`${eve}/Phone`, undefined],
    [eve, undefined],
    ['bob@evil.example.net', undefined],
    ['', undefined],
  ])
    assert.equal(store.blockedBy(jid), want, `${jid} is blocked by`);
});

test('a list that is older than events that came before it', () => {
  const store = new Store();
  store.apply(hello(false));
  store.beginBlocked();
  store.apply(changed({ added: [eve] }, 1));
  store.apply(changed({ removed: [bob] }, 2));
  store.replaceBlocked(listOf([bob]));
  assert.deepEqual(store.blocked.items, [eve]);
  store.beginBlocked();
  store.apply(changed({ all: false }, 3));
  store.apply(changed({ added: [evil] }, 4));
  store.replaceBlocked(listOf([bob, eve], false));
  assert.deepEqual(store.blocked, { items: [evil], complete: false, stale: false });
});

test('changes that were missed make it stale, and an answer that is on its way useless', () => {
  for (const [what, miss] of [
    ['a reset', (store) => store.apply(changed({ reset: true }, 1))],
    ['another log', (store) => store.apply(hello(false))],
    ['a saved state', (store) => store.load(JSON.parse(JSON.stringify(store)))],
    ['a flood', (store) => Array.from({ length: 1001 }, (_, n) => store.apply(changed({ added: [`x${n}@example.net`] }, n + 1)))],
  ]) {
    const store = reads([bob]);
    store.beginBlocked();
    miss(store);
    assert.equal(store.blocked.stale, what === 'a reset' || what === 'another log', what);
    assert.equal(store.replaceBlocked(listOf([])), false, `${what}: the answer was taken`);
    assert.ok(store.blockedBy(bob), `${what}: forgotten`);
  }
  const store = reads([bob]);
  store.apply(hello(true));
  assert.equal(store.blocked.stale, false, 'a stream that was resumed has missed nothing');
});

test('it survives a reload, and an older state has none', () => {
  const store = reads([bob, evil], false);
  const loaded = new Store();
  loaded.load(JSON.parse(JSON.stringify(store)));
  assert.deepEqual(loaded.blocked, store.blocked);
  assert.equal(loaded.blockedBy('x@evil.example'), evil);
  loaded.apply(changed({ removed: [evil] }, 9));
  assert.deepEqual(loaded.blocked.items, [bob]);
  const { blocked: _, ...older } = JSON.parse(JSON.stringify(store));
  loaded.load(older);
  assert.deepEqual([loaded.blocked, loaded.blockedBy(bob)], [null, undefined]);
  assert.equal('blocked' in JSON.parse(JSON.stringify(new Store())), false);
});

test('loadBlocked reads once at a time, and again when changes were missed', async () => {
  const answers = [];
  const { requests, fetch } = recorded(() => new Promise((done) => answers.push(done)));
  const perch = new Perch({ token: 'x', fetch, storage: null });
  perch.store.apply(hello(false));
  const both = [perch.loadBlocked(), perch.loadBlocked()];
  await flushMicrotasks();
  assert.equal(requests.length, 1, 'the list is asked for twice at once');
  perch.store.apply(changed({ reset: true }, 1));
  answers.shift()([200, listOf([bob])]);
  await flushMicrotasks();
  assert.equal(requests.length, 2, 'an answer from before a reset was taken');
  answers.shift()([200, listOf([eve])]);
  await Promise.all(both);
  assert.deepEqual(perch.store.blocked, { items: [eve], complete: true, stale: false });
  const failing = perch.loadBlocked();
  await flushMicrotasks();
  answers.shift()([501, { status: 501, code: 'feature-unsupported', title: 'no' }]);
  await assert.rejects(failing, { status: 501 });
  assert.deepEqual(perch.store.blocked.items, [eve]);
});

/** A list of a server that changes, every state of which is known by its position. */
function historyOf(pick) {
  const names = [bob, eve, evil, 'Dora@example.net', `${bob}/phone`];
  const states = [[]];
  const events = [];
  for (let n = 1; n <= 20 + pick(20); n++) {
    const before = states.at(-1);
    const jid = names[pick(names.length)];
    const there = before.includes(jid);
    const kind = pick(12);
    if (kind === 0) (states.push([]), events.push(changed({ all: false }, n)));
    else if (kind === 1) (states.push([evil, bob]), events.push(changed({ reset: true }, n)));
    else if (there) (states.push(before.filter((x) => x !== jid)), events.push(changed({ removed: [jid] }, n)));
    else (states.push([...before, jid]), events.push(changed({ added: [jid] }, n)));
  }
  return { states, events };
}

test('random histories: whenever the list is read, and whatever is missed, it ends as the server has it (500 histories)', () => {
  for (let seed = 1; seed <= 500; seed++) {
    const pick = random(seed);
    const { states, events } = historyOf(pick);
    let store = new Store();
    store.apply(hello(false));
    let seen = 0; // events that have arrived
    /** @type {string[] | null} */ let answer = null; // on its way, as the server had it when it was made
    const ask = () => (store.beginBlocked(), (answer = states[seen + pick(states.length - seen)]));
    const arrives = () => {
      if (!store.replaceBlocked(listOf(answer))) ask();
      else answer = null;
    };
    while (seen < events.length) {
      const step = pick(8);
      if (step === 0 && !answer) ask();
      else if (step === 1 && answer) arrives();
      else if (step === 2 && pick(3) === 0) {
        seen += pick(events.length - seen); // a log that has forgotten
        store.apply(hello(false));
      } else if (step === 3 && pick(3) === 0) {
        const saved = JSON.parse(JSON.stringify(store));
        store = new Store();
        store.load(saved);
        answer = null; // of the page that was left
      } else store.apply(structuredClone(events[seen++]));
      if (store.blocked?.stale && !answer) ask(); // as Perch does
    }
    if (!store.blocked && !answer) ask();
    while (answer) arrives();
    assert.deepEqual(store.blocked, { items: [...states.at(-1)].sort(), complete: true, stale: false }, `seed ${seed}`);
  }
});
