// What refers to messages: whatever the order in which events, pages of the archive and the
// messages themselves arrive, the store has the same in the end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Store } from '../perch.js';

const own = 'alice@example.net';
const bob = 'bob@example.net';
const at = (n) => new Date(Date.parse('2026-11-28T10:00:00.000Z') + 1000 * n).toISOString();
const frame = (type, data, position, n = position ?? 0) => ({ type, data, time: at(n), ...(position && { id: `log-${position}` }) });

/** A store that has said hello. */
function greeted({ resumed = true } = {}) {
  const store = new Store();
  store.apply(frame('hello', { session: { jid: own, features: [] }, resumed, features: ['conversations'] }));
  store.apply(frame('live', { tip: '' }));
  return store;
}

const message = (n, direction = 'in', more = {}) => ({
  id: `m${n}`,
  ref: `${direction === 'in' ? 'i' : 'o'}m${n}`,
  stanza_id: `s${n}`,
  from: direction === 'in' ? `${bob}/phone` : `${own}/perch`,
  to: direction === 'in' ? own : bob,
  kind: 'chat',
  body: `text ${n}`,
  source: 'live',
  ...more,
});
const shown = (store) =>
  (store.conversations.get(bob)?.messages ?? []).map(({ body, edited, retracted, reactions, id }) => ({
    id,
    body,
    ...(edited && { edits: edited.count }),
    ...(retracted && { retracted: true }),
    ...(reactions && { reactions }),
  }));

test('an edit, a retraction and reactions change the message that they are about', () => {
  const store = greeted();
  store.apply(frame('message.received', message(1), 1));
  const before = store.conversations.get(bob);
  store.apply(frame('message.edited', message(1, 'in', { body: 'better', edited: { count: 1, at: at(2) } }), 2));
  store.apply(frame('message.reactions', reaction(1, own, ['👍'], [{ emoji: '👍', by: [own], own: true }]), 3));
  assert.deepEqual(shown(store), [{ id: 'm1', body: 'better', edits: 1, reactions: [{ emoji: '👍', by: [own], own: true }] }]);
  store.apply(frame('message.retracted', { ref: 'im1', conversation: bob, at: at(4), by: bob }, 4));
  assert.deepEqual(shown(store)[0].body, '');
  assert.equal(store.conversations.get(bob).messages[0].retracted.by, bob);
  assert.deepEqual(
    [before.messages.length, before.messages[0].body, before.messages[0].edited],
    [1, 'text 1', undefined],
    'a snapshot was changed',
  );
});

function reaction(n, from, emojis, reactions, direction = 'in') {
  return { ref: `${direction === 'in' ? 'i' : 'o'}m${n}`, id: `m${n}`, conversation: bob, from, emojis, reactions };
}

test('reactions are those of an account, whatever device it was', () => {
  const store = greeted();
  store.apply(frame('message.received', message(1), 1));
  for (const [n, device] of ['phone', 'tablet'].entries()) {
    const all = [{ emoji: '👍', by: [bob], own: false }];
    store.apply(frame('message.reactions', { ...reaction(1, bob, ['👍'], all), from: `${bob}/${device}` }, 2 + n));
    assert.deepEqual(shown(store)[0].reactions, all, device);
  }
  store.apply(
    frame('message.reactions', { ...reaction(1, own, ['👍'], [{ emoji: '👍', by: [bob, own], own: true }]), from: `${own}/x` }, 4),
  );
  assert.deepEqual(shown(store)[0].reactions, [{ emoji: '👍', by: [own, bob], own: true }]);
  store.apply(frame('message.reactions', { ...reaction(1, bob, [], [{ emoji: '👍', by: [own], own: true }]), from: `${bob}/phone` }, 5));
  assert.deepEqual(shown(store)[0].reactions, [{ emoji: '👍', by: [own], own: true }]);
});

test('what comes before its message waits for it, by handle or by id, over a reload, and is bounded', () => {
  let store = greeted();
  store.apply(frame('message.edited', message(1, 'in', { body: 'better', edited: { count: 2, at: at(2) } }), 2));
  store.merge(
    bob,
    page([], [relation('edit', 2, 'out', { body: 'mine, better' }, 5), relation('reactions', 2, 'in', { emojis: ['🎉'] }, 6)]),
    false,
  );
  assert.deepEqual(shown(store), []);
  const again = greeted();
  again.load(JSON.parse(JSON.stringify(store)));
  store = again;
  store.apply(frame('message.received', message(1), 7));
  store.apply(frame('message.sent', message(2, 'out'), 8));
  assert.deepEqual(shown(store), [
    { id: 'm1', body: 'better', edits: 2 },
    { id: 'm2', body: 'mine, better', edits: 1, reactions: [{ emoji: '🎉', by: [bob], own: false }] },
  ]);
  assert.deepEqual(store.conversations.get(bob).state.pending, {});
  for (let n = 100; n < 500; n++) store.apply(frame('message.retracted', { ref: `im${n}`, conversation: bob, at: at(n) }, n));
  assert.equal(Object.keys(store.conversations.get(bob).state.pending).length, 256);
});

test('another message with the same id, on the other side, is not touched', () => {
  const store = greeted();
  store.apply(frame('message.received', message(1), 1));
  store.apply(frame('message.sent', message(1, 'out'), 2));
  store.merge(bob, page([], [relation('edit', 1, 'in', { body: 'his' }, 3)]), false);
  store.apply(frame('message.retracted', { ref: 'om1', conversation: bob, at: at(4) }, 4));
  assert.deepEqual(shown(store), [
    { id: 'm1', body: 'his', edits: 1 },
    { id: 'm1', body: '', retracted: true },
  ]);
});

test('a new log: what the one before said gives way to the archive', () => {
  const store = greeted({ resumed: false });
  store.apply(frame('message.received', message(1), 1));
  store.apply(frame('message.reactions', reaction(1, bob, ['👍'], [{ emoji: '👍', by: [bob], own: false }]), 2));
  const later = page([{ ...item(message(1), 1) }, item(message(9), 9)], []);
  store.merge(bob, later, false, at(9));
  assert.equal(shown(store)[0].reactions.length, 1, 'the log needs no archive');
  store.apply(frame('hello', { session: { jid: own }, resumed: false }));
  store.apply(frame('live', { tip: '' }));
  store.merge(bob, later, false, at(9));
  assert.equal(shown(store)[0].reactions, undefined, 'it was taken back meanwhile');
});

test('a copy in the archive is known although its text was changed', () => {
  const store = greeted();
  store.apply(frame('message.received', { ...message(1), stanza_id: undefined }, 1));
  store.apply(frame('message.edited', message(1, 'in', { body: 'better', edited: { count: 1, at: at(2) } }), 2));
  store.apply(frame('message.received', { ...message(2), stanza_id: undefined }, 3));
  assert.equal(
    store.merge(bob, page([item(message(1), 1), item({ ...message(2), body: 'changed', edited: { count: 1, at: at(4) } }, 3)], []), false),
    0,
  );
  assert.deepEqual(
    shown(store).map((m) => m.body),
    ['better', 'changed'],
  );
});

/** As GET /v1/archive has a message. */
const item = ({ stanza_id, id, source: _, ...m }, n) => ({
  ...m,
  id: stanza_id,
  message_id: id,
  direction: m.from.startsWith(own) ? 'out' : 'in',
  time: at(n),
  time_is_arrival: false,
});
const relation = (kind, target, direction, { emojis, body = '' }, n) => ({
  ...message(1000 + n, direction, { body }),
  time: at(n),
  relation: { kind, target: `m${target}`, ...(emojis && { emojis }) },
});
const page = (items, relations) => ({ items, relations, dropped: [], next: null, prev: null, complete: true });

// The randomized test. A history is a list of steps of both sides. The server's archive has all of
// them; the log has those from a point on. Pages are pieces of the archive, merged as the gateway
// merges them.

/** Numbers that depend on the seed alone. */
function random(seed) {
  let x = seed * 2654435761 + 1;
  return (n) => {
    x = (Math.imul(x ^ (x >>> 15), 2246822519) + 0x9e3779b9) | 0;
    return ((x ^ (x >>> 13)) >>> 0) % n;
  };
}

const emojis = ['👍', '🎉', '❤️'];

function historyOf(pick) {
  const steps = [];
  for (let n = 1; n <= 14; n++) {
    const messages = steps.filter((s) => s.kind === 'message');
    const target = messages[pick(Math.max(1, messages.length))];
    const kind = messages.length < 2 ? 'message' : ['message', 'message', 'edit', 'reactions', 'reactions', 'retraction'][pick(6)];
    if (kind === 'message') steps.push({ n, kind, direction: ['in', 'out'][pick(2)] });
    else if (kind === 'reactions') steps.push({ n, kind, target, by: [own, bob][pick(2)], emojis: emojis.filter(() => pick(2)) });
    else if (!steps.some((s) => s.kind === 'retraction' && s.target === target)) steps.push({ n, kind, target, body: `edit ${n}` });
  }
  return steps;
}

/** The merged state of a message after some steps, by a clock that is ahead by a skew. */
function stateOf(target, steps, skew = 0) {
  const about = steps.filter((s) => s.target === target);
  const edits = about.filter((s) => s.kind === 'edit');
  const gone = about.find((s) => s.kind === 'retraction');
  const sets = new Map(about.filter((s) => s.kind === 'reactions').map((s) => [s.by, s.emojis]));
  const reactions = emojis
    .map((emoji) => ({ emoji, by: [own, bob].filter((jid) => sets.get(jid)?.includes(emoji)) }))
    .filter((r) => r.by.length)
    .map((r) => ({ ...r, own: r.by.includes(own) }));
  const last = edits.at(-1);
  return {
    ...message(target.n, target.direction),
    ...(last && { body: last.body, edited: { count: edits.length, at: at(last.n + skew) } }),
    ...(gone && { body: '', retracted: { at: at(gone.n + skew), by: target.direction === 'in' ? bob : own } }),
    ...(reactions.length && { reactions }),
  };
}

function pageOf(steps, from, to, skew) {
  const part = steps.slice(from, to);
  const messages = part.filter((s) => s.kind === 'message');
  const relations = part.filter((s) => s.target && !messages.includes(s.target));
  return page(
    messages.map((m) => item(stateOf(m, part, skew), m.n + skew)),
    relations.map((s) => {
      const direction = s.kind === 'reactions' ? (s.by === own ? 'out' : 'in') : s.target.direction;
      return relation(s.kind, s.target.n, direction, s, s.n + skew);
    }),
  );
}

function eventOf(step, steps) {
  const state = step.target ? stateOf(step.target, steps.slice(0, steps.indexOf(step) + 1)) : message(step.n, step.direction);
  switch (step.kind) {
    case 'message':
      return frame(step.direction === 'in' ? 'message.received' : 'message.sent', state, step.n);
    case 'edit':
      return frame('message.edited', state, step.n);
    case 'retraction':
      return frame('message.retracted', { ref: state.ref, id: state.id, conversation: bob, ...state.retracted }, step.n);
    default:
      return frame(
        'message.reactions',
        reaction(step.target.n, step.by, step.emojis, state.reactions ?? [], step.target.direction),
        step.n,
      );
  }
}

test('any order of arrival gives the same end (500 histories)', () => {
  for (let seed = 1; seed <= 500; seed++) {
    const pick = random(seed);
    const steps = historyOf(pick);
    const start = pick(steps.length);
    const skew = pick(11) - 5; // of the archive's clock
    const events = steps.slice(start).map((s) => () => (store) => store.apply(eventOf(s, steps)));
    // Pages that together have what the log has not, or more, and some that overlap; each at any time.
    const end = start + pick(steps.length - start + 1);
    const cut = pick(end + 1);
    const ranges = [[0, cut], [cut, end], ...Array.from({ length: 3 }, () => [pick(end + 1), pick(end + 1)].sort((a, b) => a - b))];
    const pages = ranges.map(
      ([from, to]) =>
        (store) =>
          store.merge(bob, JSON.parse(JSON.stringify(pageOf(steps, from, to, skew))), false, at(to + skew)),
    );
    let store = greeted();
    const queue = events.map((f) => f());
    while (queue.length || pages.length) {
      const next = queue.length && (!pages.length || pick(2)) ? queue.shift() : pages.splice(pick(pages.length), 1)[0];
      next(store);
      if (pick(5) === 0) next(store); // a cut brings it twice
      if (pick(7) === 0) {
        const reloaded = new Store();
        reloaded.load(JSON.parse(JSON.stringify(store)));
        store = reloaded;
      }
    }
    const want = steps
      .filter((s) => s.kind === 'message')
      .map((m) => stateOf(m, steps))
      .map(({ id, body, edited, retracted, reactions }) => ({
        id,
        body,
        ...(edited && { edits: edited.count }),
        ...(retracted && { retracted: true }),
        ...(reactions && { reactions: reactions.toSorted((a, b) => b.by.length - a.by.length || (a.emoji < b.emoji ? -1 : 1)) }),
      }));
    assert.deepEqual(counted(shown(store)), counted(want), `seed ${seed}, got the first, want the second`);
  }
});

/** How often a message was edited is known at least: no page needs to have all of it. The order of
 * messages is that of their times, and two clocks are not one. */
const counted = (list) => list.map(({ edits, ...m }) => ({ ...m, edited: Boolean(edits) })).toSorted((a, b) => (a.id < b.id ? -1 : 1));
