// Rooms in the store: what the gateway has of them, who is in them and what is said there, whatever the
// order in which events, snapshots and pages come. Without a gateway.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Perch, Store } from '../perch.js';
import { mayDo, mayIn, mayModerate, named } from '../perch/room_rights.js';
import { reuse } from '../perch/reuse.js';
import { flushMicrotasks, recorded, stopClock } from './offline.mjs';
import { archived, at, frame, greeted, messages, own, page, random, relation, room, roomData, said } from './rooms_kit.mjs';

stopClock();

const reload = (store) => {
  const next = new Store();
  next.load(JSON.parse(JSON.stringify(store)));
  return next;
};
const listed = (store) => store.list.map((c) => `${c.type} ${c.jid} ${c.name}`);

test('a room that has not changed is the same object, and so is each part of one that has', () => {
  const store = greeted();
  const changes = [];
  store.subscribe((c) => changes.push(c.what));
  const before = store.rooms.get(room);
  store.apply(frame('room.changed', roomData(), 1));
  assert.equal(store.rooms.get(room), before, 'nothing has changed');
  assert.deepEqual(changes, []);
  store.apply(frame('room.changed', roomData({ subject: { text: 'Croquet', by: 'Bo', at: at(1) } }), 2));
  const after = store.rooms.get(room);
  assert.notEqual(after, before);
  assert.equal(before.subject.text, 'Flamingos', 'a snapshot was changed');
  for (const part of ['features', 'bookmark', 'occupants']) assert.equal(after[part], before[part], part);
  const conversation = store.conversations.get(room);
  store.apply(frame('room.occupants', { jid: room, count: 4, complete: false }));
  assert.deepEqual(store.rooms.get(room).occupants, { count: 4, complete: false, events: 'none' });
  assert.equal(store.rooms.get(room).subject, after.subject);
  assert.equal(store.conversations.get(room), conversation, 'a list does not redraw for who comes and goes');
  store.apply(frame('room.affiliation', { jid: room, account: own, affiliation: 'member', own: true }, 3));
  store.apply(frame('room.affiliation', { jid: room, account: 'bo@x', affiliation: 'outcast', own: false }, 4));
  assert.equal(store.rooms.get(room).affiliation, 'member');
});

test('a room that another client has forgotten is gone', () => {
  const store = greeted([roomData()]);
  const changes = [];
  store.subscribe((c) => changes.push(c.what));
  store.apply(frame('room.forgotten', { jid: room }, 1));
  assert.equal(store.rooms.get(room), undefined);
  assert.ok(changes.includes('rooms'), `got ${changes}, want rooms among them`);
  store.apply(frame('room.forgotten', { jid: room }, 2));
  assert.equal(changes.filter((what) => what === 'rooms').length, 1, 'it goes once');
});

test('parts that are equal are kept, others are not', () => {
  const old = { a: { b: [1, { c: 2 }] }, d: null };
  const same = reuse(old, structuredClone(old));
  assert.equal(same, old);
  const other = reuse(old, { a: { b: [1, { c: 2 }] }, d: {}, e: undefined });
  assert.equal(other.a, old.a);
  assert.deepEqual(other, { a: old.a, d: {}, e: undefined });
  for (const next of [{ a: { b: [1] } }, { a: { b: { 0: 1, 1: { c: 2 } } }, d: null }, [], null, 7])
    assert.deepEqual(reuse(old, next), next);
  assert.deepEqual(reuse([1, 2], [1]), [1]);
});

test('rooms are conversations: those that were joined or bookmarked stand in the list, invitations do not', () => {
  const other = (jid, more) => roomData({ jid, name: '', bookmark: null, ...more });
  const store = greeted([
    roomData(),
    other('a@r', { state: 'left', joined_at: at(0) }),
    other('b@r', { state: 'left', joined_at: null, bookmark: { autojoin: false, store: '0402' } }),
    other('c@r', { state: 'invited', invited: { jid: 'c@r', via: 'room' } }),
    other('d@r', { state: 'kicked', reason: '' }),
  ]);
  assert.deepEqual(listed(store), ['room b@r ', 'room d@r ', `room ${room} Tea`]);
  assert.deepEqual([...store.roomInvitations.keys()], ['c@r']);
  assert.deepEqual(listed(reload(store)), listed(store));
  store.apply(frame('hello', { session: { jid: own }, resumed: false }));
  store.apply(frame('rooms.snapshot', { as_of: '', part: 1, last: true, items: [other('d@r', {})] }));
  assert.equal(store.rooms.size, 5, 'a part of a reset is shown');
  store.apply(frame('live', { tip: '' }));
  assert.deepEqual([listed(store), [...store.rooms.keys()], store.roomInvitations.size], [['room d@r '], ['d@r'], 0]);
});

test('an invitation is a state of its room, until it is declined or the room joined', () => {
  const store = greeted([roomData({ jid: 'in@r' })]);
  const invite = (jid, position) => store.apply(frame('room.invited', { jid, by: 'bo@x', via: 'room', reason: 'tea' }, position));
  for (const [n, jid] of ['in@r', 'new@r', 'two@r'].entries()) invite(jid, n + 1);
  assert.deepEqual(
    ['in@r', 'new@r'].map((jid) => store.rooms.get(jid).state),
    ['joined', 'invited'],
  );
  store.apply(frame('room.state', roomData({ jid: 'new@r', state: 'left', bookmark: null, joined_at: null }), 4));
  assert.deepEqual([store.rooms.has('new@r'), store.roomInvitations.has('new@r')], [false, false], 'declined');
  store.apply(frame('room.state', roomData({ jid: 'two@r', state: 'joining' }), 5));
  assert.deepEqual([store.rooms.get('two@r').state, store.roomInvitations.has('two@r')], ['joining', false]);
});

test('a room that is forgotten goes when it is left, also over events on the way', () => {
  const store = greeted([roomData(), roomData({ jid: 'old@r', state: 'left', bookmark: null })]);
  store.forgetRoom('old@r');
  store.forgetRoom(room);
  assert.deepEqual([...store.rooms.keys()], [room]);
  store.apply(frame('room.state', roomData({ state: 'leaving' }), 1));
  store.apply(frame('room.state', roomData({ state: 'left', bookmark: null }), 2));
  assert.deepEqual([store.rooms.size, store.list.length], [0, 0]);
  store.apply(frame('room.state', roomData({ state: 'joining' }), 3));
  store.apply(frame('room.state', roomData({ state: 'left', bookmark: null }), 4));
  assert.equal(store.rooms.size, 1, 'it was joined again, and left without being forgotten');
});

test('a room that is forgotten outside of it stays away, also when the event that it is left comes last', () => {
  for (const [more, event] of [
    [{ state: 'kicked', bookmark: null }, true],
    [{ state: 'invited', bookmark: null, invited: { jid: room, via: 'room' } }, true],
    [{ state: 'left', reason: 'shutdown', bookmark: null }, true],
    [{ state: 'left', bookmark: { autojoin: false, store: '0402' } }, false],
  ]) {
    const store = greeted([roomData(more)]);
    store.forgetRoom(room);
    if (event) store.apply(frame('room.state', roomData({ state: 'left', bookmark: null }), 1));
    assert.equal(store.rooms.size, 0, JSON.stringify(more));
    const again = roomData({ state: 'left', bookmark: { autojoin: false, store: '0402' } });
    store.apply(frame('room.changed', again, 2));
    assert.equal(store.rooms.size, 1, `another device has it in its list: ${JSON.stringify(more)}`);
  }
});

test('a reset shows all of its rooms to whoever hears of the first one', () => {
  const store = greeted([roomData(), roomData({ jid: 'old@r' })]);
  const seen = [];
  store.subscribe((c) => c.what === 'rooms' && seen.push([...store.rooms].map(([jid, r]) => `${jid} ${r.state}`).sort()));
  store.apply(frame('hello', { session: { jid: own }, resumed: false }));
  store.apply(
    frame('rooms.snapshot', { as_of: '', part: 1, last: true, items: [roomData({ state: 'left' }), roomData({ jid: 'new@r' })] }),
  );
  store.apply(frame('live', { tip: '' }));
  const want = ['new@r joined', `${room} left`];
  assert.deepEqual(seen, [want, want, want], 'one gone, one changed, one new');
});

test('invitations of strangers leave nothing behind that grows', () => {
  const store = greeted();
  for (let n = 1; n <= 300; n++) store.apply(frame('room.invited', { jid: `room${n}@r`, via: 'room' }, n));
  assert.deepEqual([store.roomInvitations.size, store.rooms.size, store.conversations.size], [100, 101, 101]);
  assert.equal(store.rooms.get('room300@r').state, 'invited');
  store.apply(frame('message.received', said(1, 'Bo', { from: 'room250@r/Bo', to: 'room250@r' }), 301));
  for (let n = 301; n <= 500; n++) store.apply(frame('room.invited', { jid: `room${n}@r`, via: 'room' }, n + 1));
  assert.deepEqual([store.rooms.has('room250@r'), messages(store, 'room250@r').length], [false, 1], 'what was said is kept');
});

test('messages have their author; what an occupant writes to the account alone is a conversation of its own', () => {
  const store = greeted();
  store.apply(frame('message.received', said(1), 1));
  store.apply(frame('message.sent', said(2, 'Alice'), 2));
  const toMe = { room: { nick: 'Bo', own: false }, kind: 'chat', to: `${own}/perch`, room_stanza_id: undefined, ref: 'im3' };
  store.apply(frame('message.received', said(3, 'Bo', toMe), 3));
  const back = { ...toMe, ref: 'om4', from: `${own}/perch`, to: `${room}/Bo` };
  store.apply(frame('message.sent', said(4, 'Bo', back), 4));
  assert.deepEqual(
    messages(store).map((m) => [m.direction, m.room.nick, m.room.own, m.archive]),
    [
      ['in', 'Bo', false, 's1'],
      ['out', 'Alice', true, 's2'],
    ],
  );
  const c = store.conversations.get(`${room}/Bo`);
  assert.deepEqual(
    [c.type, c.name, c.messages.map((m) => m.direction), store.addressed(`${room}/Bo`)],
    ['private', 'Bo', ['in', 'out'], `${room}/Bo`],
  );
  assert.deepEqual([store.addressed('bo@x/phone'), store.addressed(room)], ['bo@x', room]);
  store.merge(room, page([archived(said(1), 1), archived(said(2, 'Alice'), 2), archived(said(5, 'Cy', { id: 'm1' }), 5)]), true);
  assert.deepEqual(
    messages(store).map((m) => m.archive),
    ['s1', 's2', 's5'],
  );
  assert.equal(messages(store)[0].room.affiliation, 'none', 'the archive says less of the author');
});

test('without an archive, two that use one id for one text are two', () => {
  const plain = (nick) => said(1, nick, { body: 'hi', room_stanza_id: undefined, ref: `r-${nick}`, source: 'archive' });
  const store = greeted();
  store.apply({ ...frame('message.received', plain('Bo')), id: 'log-1' });
  store.apply({ ...frame('message.received', plain('Cy')), id: 'other-1' });
  store.apply({ ...frame('message.received', plain('Bo')), id: 'other-2' });
  assert.deepEqual(
    messages(store).map((m) => m.room.nick),
    ['Bo', 'Cy'],
  );
});

const reacted = (n, from, emojis, sets) => ({
  ...{ ref: `rs${n}`, id: `m${n}`, conversation: room, from: `${room}/${from}`, emojis },
  reactions: [...new Set(Object.values(sets).flat())].map((emoji) => {
    const by = Object.keys(sets).filter((nick) => sets[nick].includes(emoji));
    return { emoji, by: by.map((nick) => `${room}/${nick}`), own: by.includes('Alice') };
  }),
});
const shown = (m) => (m.reactions ?? []).map((r) => `${r.emoji} ${r.by.map((jid) => jid.split('/')[1])} ${r.own}`);

test('reactions are those of nicks; with another nick the account has those of that one', () => {
  const store = greeted();
  store.apply(frame('message.received', said(1), 1));
  store.apply(frame('message.reactions', reacted(1, 'Bo', ['👍'], { Bo: ['👍'] }), 2));
  store.apply(frame('message.reactions', reacted(1, 'Alice', ['👍', '🎉'], { Bo: ['👍'], Alice: ['👍', '🎉'] }), 3));
  assert.deepEqual(shown(messages(store)[0]), ['👍 Alice,Bo true', '🎉 Alice true']);
  const before = messages(store)[0];
  store.apply(frame('room.changed', roomData({ nick: 'Lis' }), 4));
  assert.deepEqual(shown(messages(store)[0]), ['👍 Alice,Bo false', '🎉 Alice false']);
  assert.deepEqual(shown(before), ['👍 Alice,Bo true', '🎉 Alice true'], 'a snapshot was changed');
  store.apply(frame('message.reactions', reacted(1, 'Bo', [], { Alice: ['👍', '🎉'] }), 5));
  assert.deepEqual(shown(messages(store)[0]), ['🎉 Alice false', '👍 Alice false']);
});

test('a moderator has taken a message back; a later page says so too', () => {
  for (const live of [true, false]) {
    const store = greeted();
    store.apply(frame('message.received', said(1), 1));
    const gone = { by: `${room}/Mo`, moderated: true, reason: 'spam' };
    if (live) store.apply(frame('message.retracted', { ref: 'rs1', id: 'm1', conversation: room, at: at(2), ...gone }, 2));
    else {
      const rel = { kind: 'retraction', target: 's1', ref: 'rs1', ...gone };
      store.merge(room, page([], [relation(2, '', rel, { from: room, room: { nick: '', own: false } })]), false);
    }
    const { body, retracted } = messages(store)[0];
    assert.deepEqual([body, retracted.by, retracted.moderated, retracted.reason], ['', `${room}/Mo`, true, 'spam'], `live: ${live}`);
  }
});

test('nobody changes the message of another one by a page', () => {
  for (const early of [true, false]) {
    const store = greeted();
    const message = () => store.apply(frame('message.received', said(1), 1));
    if (!early) message();
    const edit = { kind: 'edit', target: 'm1' };
    const retraction = { kind: 'retraction', target: 's1', ref: 'rs1' };
    const forged = [
      relation(2, 'Cy', edit, { body: 'forged' }),
      relation(3, 'Bo', edit, { body: 'another who has the nick', room: { nick: 'Bo', own: false } }),
      relation(4, 'Cy', retraction),
      relation(5, 'Cy', { ...retraction, moderated: true, by: `${room}/Mo` }),
      relation(6, 'Bo', edit, { body: 'another id', room: { nick: 'Bo', own: false, occupant_id: 'id-Bo2' } }),
      relation(7, 'Bo', { kind: 'edit', target: 'm9' }, { body: 'another message' }),
    ];
    store.merge(room, page([], forged), false);
    if (early) message();
    assert.deepEqual([messages(store)[0].body, messages(store)[0].edited], ['text 1', undefined], `early: ${early}`);
    store.merge(room, page([], [relation(8, 'Bo', edit, { body: 'my own' })]), false);
    assert.equal(messages(store)[0].body, 'my own');
    store.merge(room, page([], [relation(9, 'Bo', retraction)]), false);
    assert.equal(messages(store)[0].retracted.by, `${room}/Bo`);
  }
});

test('a room that does not tell its occupants apart is believed in nothing but reactions', () => {
  const nobody = { room: { nick: 'Bo', own: false } };
  const store = greeted();
  store.apply(frame('message.received', said(1, 'Bo', nobody), 1));
  const edit = relation(2, 'Bo', { kind: 'edit', target: 'm1' }, { body: 'forged', ...nobody });
  const retraction = relation(3, 'Bo', { kind: 'retraction', target: 's1', ref: 'rs1' }, nobody);
  const reaction = relation(4, 'Cy', { kind: 'reactions', target: 's1', ref: 'rs1', emojis: ['👍'] }, nobody);
  store.merge(room, page([], [edit, retraction, reaction]), false);
  assert.deepEqual([messages(store)[0].body, shown(messages(store)[0])], ['text 1', ['👍 Cy false']]);
});

test('who writes in a room, by nick; it ends with a message, a state, or after a minute', () => {
  const store = greeted();
  const writes = (nick, state = 'composing') => store.apply(frame('chat_state', { from: `${room}/${nick}`, state, room, nick }));
  const who = () => [store.conversations.get(room).typing, store.conversations.get(room).writing];
  for (const nick of ['Bo', 'Cy', 'Bo', 'Di']) writes(nick);
  assert.deepEqual(who(), ['composing', ['Bo', 'Cy', 'Di']]);
  writes('Cy', 'paused');
  store.apply(frame('message.received', said(1, 'Bo'), 1));
  assert.deepEqual(who(), ['composing', ['Di']]);
  mock.timers.tick(60_001);
  assert.deepEqual(who(), [null, []]);
  writes('Bo');
  store.apply(frame('chat_state', { from: `${room}/Cy`, state: 'composing' }));
  assert.deepEqual(who(), ['composing', ['Bo']], 'what one writes to the account alone is not for the room');
  store.apply(frame('hello', { session: { jid: own }, resumed: true }));
  assert.deepEqual(who(), [null, []]);
});

test('messages that name the account: by its address, or its nick as a word', () => {
  const m = (body, more = {}) => ({ body, room: { nick: 'Bo', own: false }, ...more });
  for (const [message, want] of [
    [m('Alice: tea?'), true],
    [m('is alice here'), true],
    [m('ALICE'), true],
    [m('Malice, and Alices'), false],
    [m('Alice2 and Alice'), true],
    [m('Álice'), false],
    [m('𐐀Alice'), false],
    [m('text', { mentions: [{ jid: own, begin: 0, end: 1 }] }), true],
    [{ body: 'Alice' }, false],
  ])
    assert.equal(named(message, own, 'Alice'), want, message.body);
  const store = greeted();
  store.apply(frame('message.received', said(1, 'Bo', { body: 'Alice!' }), 1));
  store.apply(frame('message.received', said(2, 'Bo'), 2));
  const c = store.conversations.get(room);
  assert.deepEqual([c.unread, c.mentions], [2, 1]);
});

test('a hole is that of one room, or of all that the archive of the account has', () => {
  const store = greeted();
  store.apply(frame('message.received', said(1), 1));
  store.apply(frame('message.received', { id: 'x', ref: 'ix', from: 'bob@x/1', to: own, kind: 'chat', body: 'hi', source: 'live' }, 2));
  const gaps = () => ['bob@x', room].map((jid) => store.conversations.get(jid).gap);
  store.apply(frame('session.gap', { from: null, to: null, room }, 3));
  assert.deepEqual(gaps(), [false, true]);
  store.filled(room, true);
  store.apply(frame('session.gap', { from: null, to: null }, 4));
  assert.deepEqual(gaps(), [true, false]);
  store.apply(frame('room.changed', roomData({ missed: { from_ref: 'rs1', to_ref: 'rs9', count: 7 } }), 5));
  assert.deepEqual(gaps(), [true, true]);
});

test('a room whose messages are no events has a hole where the list says that there were some', () => {
  for (const [more, want] of [
    [{}, false],
    [{ delivery: 'mentions' }, true],
    [{ limited: true }, true],
  ]) {
    const store = greeted([roomData(more)]);
    store.apply(frame('message.received', said(5), 5));
    const entry = { ...{ jid: room, type: 'room', name: 'Tea', notify: 'all', pinned: false, archived: false, draft: null }, read: null };
    const changed = (n) => ({ ...entry, last_activity_at: at(n), unread: n, unread_exact: true, mentions: 0, peer_read: null });
    store.apply(frame('conversation.changed', changed(5)));
    assert.equal(store.conversations.get(room).gap, false, 'of the message that is here');
    store.apply(frame('conversation.changed', changed(6)));
    assert.equal(store.conversations.get(room).gap, want, JSON.stringify(more));
    assert.equal(store.conversations.get(room).unread, 6);
  }
});

// Random histories: what happens in two rooms, as a gateway tells it. A store that was there from the
// start, one that came in the middle, and one that lost its stream or was reloaded end with the same.

function historyOf(pick) {
  const rooms = new Map([room, 'b@r'].map((jid) => [jid, roomData({ jid, state: 'left', joined_at: null })]));
  const steps = [];
  for (let n = 1; n <= 40; n++) {
    const jid = [...rooms.keys()][pick(2)];
    const r = structuredClone(rooms.get(jid));
    const what = pick(7);
    if (what === 0) r.state = ['joining', 'joined', 'leaving', 'left', 'kicked', 'banned', 'destroyed', 'failed'][pick(8)];
    if (what === 1) r.subject = pick(3) ? { text: `subject ${pick(3)}`, by: 'Bo', at: at(n) } : null;
    if (what === 2) r.nick = ['Alice', 'Lis'][pick(2)];
    if (what === 3) r.features = { ...r.features, moderation: Boolean(pick(2)) };
    if (what === 4) r.bookmark = pick(2) ? { autojoin: Boolean(pick(2)), store: '0402' } : null;
    if (what === 5) r.affiliation = ['none', 'member', 'owner'][pick(3)];
    if (what === 0 && r.state === 'joined') r.joined_at ??= at(n);
    if (r.state === 'left' && !r.joined_at && !r.bookmark) r.joined_at = at(n); // the session has it still
    rooms.set(jid, r);
    const own_ = { jid, account: own, affiliation: r.affiliation, own: true };
    const event = what === 5 ? frame('room.affiliation', own_, n) : frame(what === 0 ? 'room.state' : 'room.changed', r, n);
    steps.push({ event, rooms: [...rooms.values()] });
  }
  return steps;
}

test('random histories of two rooms: every way to learn of them ends the same (300 histories)', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const pick = random(seed);
    const steps = historyOf(pick);
    const first = greeted(historyOf(random(seed))[0].rooms);
    let second = greeted([]);
    const joins = pick(steps.length);
    for (const [n, { event, rooms }] of steps.entries()) {
      const before = first.rooms.get(event.data.jid);
      first.apply(structuredClone(event));
      const after = first.rooms.get(event.data.jid);
      for (const part of ['features', 'subject', 'bookmark', 'occupants']) {
        const same = JSON.stringify(before?.[part]) === JSON.stringify(after?.[part]);
        assert.equal(before?.[part] === after?.[part], same, `seed ${seed}, step ${n}: ${part}`);
      }
      if (n < joins) continue;
      if (n === joins || pick(9) === 0) {
        second.apply(frame('hello', { session: { jid: own }, resumed: false }));
        second.apply(frame('rooms.snapshot', { as_of: '', part: 1, last: true, items: structuredClone(rooms) }));
        second.apply(frame('live', { tip: '' }));
      } else second.apply(structuredClone(event));
      if (pick(7) === 0) second = reload(second);
    }
    const view = (store) => [[...store.rooms].sort(), listed(store).sort()];
    const want = steps
      .at(-1)
      .rooms.map((r) => [r.jid, r])
      .sort();
    assert.deepEqual([...first.rooms].sort(), want, `seed ${seed}: the first store`);
    assert.deepEqual(view(second), view(first), `seed ${seed}: the second store`);
  }
});

// Messages with what refers to them, live and in the archive, of three people in a room.

function talkOf(pick) {
  const nicks = ['Alice', 'Bo', 'Cy'];
  const steps = [];
  for (let n = 1; n <= 14; n++) {
    const open = steps.filter((s) => s.kind === 'message' && !steps.some((x) => x.kind === 'retraction' && x.target === s));
    const kind = open.length < 2 ? 'message' : ['message', 'edit', 'reactions', 'reactions', 'retraction'][pick(5)];
    const target = open[pick(Math.max(1, open.length))];
    const by = kind === 'message' || kind === 'reactions' ? nicks[pick(3)] : target.by;
    const moderated = kind === 'retraction' && Boolean(pick(2));
    steps.push({ n, kind, by, moderated, ...(kind !== 'message' && { target }), emojis: ['👍', '🎉'].filter(() => pick(2)) });
  }
  return steps;
}

/** A message after some steps. */
function stateOf(target, steps) {
  const about = steps.filter((s) => s.target === target);
  const edits = about.filter((s) => s.kind === 'edit');
  const gone = about.find((s) => s.kind === 'retraction');
  const sets = {};
  for (const s of about) if (s.kind === 'reactions') sets[s.by] = s.emojis;
  const { reactions } = reacted(target.n, 'Bo', [], sets);
  return {
    ...said(target.n, target.by),
    ...(edits.length && { body: `edit ${edits.at(-1).n}`, edited: { count: edits.length, at: at(edits.at(-1).n) } }),
    ...(gone && { body: '', retracted: { at: at(gone.n), by: `${room}/${gone.moderated ? 'Mo' : gone.by}`, moderated: gone.moderated } }),
    ...(reactions.length && { reactions }),
  };
}

function eventOf(step, steps) {
  const known = steps.slice(0, steps.indexOf(step) + 1);
  if (step.kind === 'message') return frame(step.by === 'Alice' ? 'message.sent' : 'message.received', said(step.n, step.by), step.n);
  const m = stateOf(step.target, known);
  if (step.kind === 'edit') return frame('message.edited', m, step.n);
  if (step.kind === 'retraction') return frame('message.retracted', { ref: m.ref, id: m.id, conversation: room, ...m.retracted }, step.n);
  const d = { ref: m.ref, id: m.id, conversation: room, from: `${room}/${step.by}`, emojis: step.emojis, reactions: m.reactions ?? [] };
  return frame('message.reactions', d, step.n);
}

function pageOf(steps, from, to) {
  const part = steps.slice(from, to);
  const here = part.filter((s) => s.kind === 'message');
  const relations = part
    .filter((s) => s.target && !here.includes(s.target))
    .map((s) => {
      const { n } = s.target;
      if (s.kind === 'edit') return relation(s.n, s.by, { kind: 'edit', target: `m${n}` }, { body: `edit ${s.n}`, id: `e${s.n}` });
      const rel = { kind: s.kind, target: `s${n}`, ref: `rs${n}` };
      if (s.kind === 'reactions') return relation(s.n, s.by, { ...rel, emojis: s.emojis });
      const byRoom = { from: room, room: { nick: '', own: false } };
      return s.moderated ? relation(s.n, '', { ...rel, moderated: true, by: `${room}/Mo` }, byRoom) : relation(s.n, s.by, rel);
    });
  return page(
    here.map((m) => archived(stateOf(m, part), m.n)),
    relations,
  );
}

test('random talks: any order of events and pages ends the same (300 talks)', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const pick = random(seed);
    const steps = talkOf(pick);
    const from = pick(steps.length);
    const events = steps.slice(from).map((s) => (store) => store.apply(eventOf(s, steps)));
    const end = from + pick(steps.length - from + 1);
    const cut = pick(end + 1);
    const pages = [[0, cut], [cut, end], ...Array.from({ length: 2 }, () => [pick(end + 1), pick(end + 1)].sort((a, b) => a - b))].map(
      ([a, b]) =>
        (store) =>
          store.merge(room, structuredClone(pageOf(steps, a, b)), false, at(b)),
    );
    let store = greeted();
    while (events.length || pages.length) {
      const next = events.length && (!pages.length || pick(2)) ? events.shift() : pages.splice(pick(pages.length), 1)[0];
      next(store);
      if (pick(5) === 0) next(store); // a cut brings it twice
      if (pick(7) === 0) store = reload(store);
    }
    const view = (m) => ({
      ...{ id: m.id, nick: m.room.nick, body: m.body, edited: Boolean(m.edited), gone: m.retracted?.by },
      reactions: shown(m).toSorted().join(),
    });
    const want = steps.filter((s) => s.kind === 'message').map((s) => stateOf(s, steps));
    for (const w of want) for (const r of w.reactions ?? []) r.by.sort();
    const sorted = (list) => list.map(view).toSorted((a, b) => (a.id < b.id ? -1 : 1));
    assert.deepEqual(sorted(messages(store)), sorted(want), `seed ${seed}, got the first, want the second`);
  }
});

// Occupants.

const occupant = (nick, more = {}) => ({ nick, affiliation: 'none', role: 'participant', show: null, ...more });
const occupants = (store) => store.occupants.get(room)?.items.map((o) => `${o.nick} ${o.role}`);

test('who is in a room is kept up to date from the first page on, and goes with the room', () => {
  const store = greeted();
  const change = (change_, nick, n, more = {}) =>
    store.apply(frame('room.occupant', { jid: room, change: change_, occupant: occupant(nick), ...more }, undefined, n));
  change('joined', 'Early', 1);
  assert.equal(store.occupants.size, 0, 'nobody has asked');
  store.beginOccupants(room);
  store.mergeOccupants(room, { items: ['Al', 'Bo'].map((n) => occupant(n)), next: 'c', count: 4, complete: true, as_of: at(2) }, true);
  store.mergeOccupants(room, { items: ['Cy', 'Di'].map((n) => occupant(n)), next: null, count: 4, complete: true, as_of: at(2) }, false);
  const before = store.occupants.get(room);
  change('left', 'Al', 3);
  change('renamed', 'Zo', 4, { previous_nick: 'Bo' });
  change('changed', 'Cy', 5, { occupant: occupant('Cy', { role: 'visitor' }) });
  assert.deepEqual(occupants(store), ['Cy visitor', 'Di participant', 'Zo participant']);
  assert.equal(before.items.length, 4, 'a snapshot was changed');
  store.apply(frame('room.affiliation', { jid: room, account: '', nick: 'Di', affiliation: 'member', own: false }, 6));
  assert.equal(store.occupants.get(room).items[1].affiliation, 'member');
  store.apply(frame('hello', { session: { jid: own }, resumed: true }));
  assert.equal(store.occupants.get(room).stale, true);
  store.apply(frame('room.state', roomData({ state: 'kicked' }), 7));
  assert.equal(store.occupants.size, 0);
});

test('pages and events of occupants in any order end the same (300 histories)', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const pick = random(seed);
    const store = greeted();
    const all = new Map(['A', 'B', 'C', 'D', 'E', 'F'].filter(() => pick(2)).map((n) => [n, occupant(n)]));
    const late = [];
    const read = () => [...all.values()].sort((a, b) => (a.nick < b.nick ? -1 : 1));
    let n = 1;
    const happen = (tell) => {
      const nick = 'ABCDEF'[pick(6)];
      const role = ['visitor', 'participant'][pick(2)];
      const is = occupant(nick, { role });
      const left = all.has(nick) && pick(2);
      if (left) all.delete(nick);
      else all.set(nick, is);
      const data = { jid: room, change: left ? 'left' : 'joined', occupant: is };
      tell(frame('room.occupant', data, undefined, n++));
    };
    for (let i = pick(4); i > 0; i--) happen(() => {}); // before anybody asked
    store.beginOccupants(room);
    for (let i = pick(4); i > 0; i--) happen((f) => (pick(2) ? store.apply(f) : late.push(f))); // before the page was made
    const page_ = { items: structuredClone(read()), next: null, count: all.size, complete: true, as_of: at(n++) };
    for (const f of late) store.apply(f);
    for (let i = pick(5); i > 0; i--) happen((f) => store.apply(f)); // while the page is on its way
    store.mergeOccupants(room, page_, true);
    for (let i = pick(5); i > 0; i--) happen((f) => store.apply(f));
    assert.deepEqual(store.occupants.get(room).items, read(), `seed ${seed}`);
  }
});

// What may be done.

test('what may be done in a room follows role and affiliation', () => {
  const can = (more, what) => mayIn(roomData(more), what);
  for (const what of ['speak', 'subject', 'invite', 'members', 'configure', 'destroy']) {
    assert.equal(mayIn(undefined, what), false);
    assert.equal(can({ state: 'kicked', role: 'moderator', affiliation: 'owner' }, what), false, what);
    assert.equal(can({ role: 'moderator', affiliation: 'owner' }, what), true, what);
  }
  assert.deepEqual(
    ['speak', 'subject', 'invite', 'members', 'configure'].map((what) => can({}, what)),
    [true, false, true, false, false],
  );
  assert.equal(can({ role: 'visitor' }, 'speak'), false);
  assert.equal(can({ features: { ...roomData().features, members_only: true } }, 'invite'), false);
  assert.equal(can({ role: 'moderator', affiliation: 'admin' }, 'members'), true);
  const to = (mine, theirs, what) => mayDo(roomData(mine), occupant('Bo', theirs), what);
  const moderator = { role: 'moderator', affiliation: 'none' };
  const admin = { role: 'moderator', affiliation: 'admin' };
  const owner = { role: 'moderator', affiliation: 'owner' };
  for (const [mine, theirs, what, want] of [
    [{}, {}, 'kick', false],
    [moderator, {}, 'kick', true],
    [moderator, { role: 'moderator' }, 'kick', false],
    [moderator, { affiliation: 'member' }, 'kick', false],
    [admin, { role: 'moderator' }, 'kick', true],
    [admin, admin, 'kick', false],
    [owner, admin, 'kick', true],
    [owner, owner, 'kick', false],
    [owner, { own: true }, 'kick', false],
    [moderator, { jid: 'bo@x' }, 'ban', false],
    [admin, { jid: 'bo@x' }, 'ban', true],
    [admin, {}, 'ban', false],
    [admin, { ...admin, jid: 'bo@x' }, 'ban', false],
    [moderator, { role: 'visitor' }, 'voice', true],
    [{}, { role: 'visitor' }, 'voice', false],
    [moderator, {}, 'mute', false],
    [{ ...moderator, features: { ...roomData().features, moderated: true } }, {}, 'mute', true],
    [admin, {}, 'moderator', true],
    [moderator, {}, 'moderator', false],
    [admin, { jid: 'bo@x' }, 'member', true],
    [admin, { jid: 'bo@x' }, 'admin', false],
    [owner, { jid: 'bo@x' }, 'admin', true],
    [owner, { jid: 'bo@x', affiliation: 'owner' }, 'none', true],
    [admin, { jid: 'bo@x', affiliation: 'member' }, 'none', true],
    [moderator, { jid: 'bo@x' }, 'member', false],
  ])
    assert.equal(to(mine, theirs, what), want, JSON.stringify([mine, theirs, what]));
  const message = { direction: 'in', archive: 's1', ref: 'rs1' };
  assert.equal(mayModerate(roomData(moderator), message), true);
  for (const [r, m] of [
    [roomData(), message],
    [roomData(moderator), { ...message, direction: 'out' }],
    [roomData(moderator), { ...message, archive: undefined }],
    [roomData({ ...moderator, features: { ...roomData().features, moderation: false } }), message],
  ])
    assert.equal(mayModerate(r, m), false);
});

// A live client.

/** A client whose requests a test answers, and whose stream it plays. */
async function streaming(rooms, answer) {
  const { requests, fetch } = recorded(answer);
  let socket;
  class Socket {
    constructor() {
      socket = this;
    }
    close() {}
  }
  const perch = new Perch({ url: 'http://gateway', token: 't', transport: 'ws', WebSocket: Socket, storage: null, fetch });
  perch.connect();
  await flushMicrotasks();
  const play = async (...frames) => {
    for (const f of frames) socket.onmessage({ data: JSON.stringify(f) });
    await flushMicrotasks();
  };
  const session = { jid: own, state: 'online', features: ['rooms'] };
  await play(
    frame('hello', { session, resumed: false, heartbeat_ms: 25_000, features: ['conversations', 'rooms'] }),
    frame('rooms.snapshot', { as_of: '', part: 1, last: true, items: rooms }),
    frame('live', { tip: '' }),
  );
  return { perch, requests, play };
}
const archives = (requests) => requests.filter((r) => r.path.startsWith('/v1/archive')).map((r) => r.path);

test('what a room says to have missed is read once, and nothing else with it', async () => {
  const other = roomData({ jid: 'b@r', delivery: 'mentions' });
  const { requests, play } = await streaming([roomData(), other], () => [200, page([])]);
  const elsewhere = said(2, 'Bo', { from: 'b@r/Bo', to: 'b@r' });
  await play(frame('message.received', said(1), 1), frame('message.received', elsewhere, 2));
  await play(frame('session.gap', { from: null, to: null, room: 'b@r' }, 3)); // which the archive cannot fill
  assert.equal(archives(requests).length, 1);
  const change = (n, missed) => frame('room.changed', roomData({ subject: { text: `${n}`, by: 'Bo', at: at(n) }, missed }), n);
  await play(change(4), change(5), frame('room.state', { ...other, reason: 'x' }, 6));
  assert.equal(archives(requests).length, 1, 'nothing was missed');
  await play(change(7, { from_ref: 'rs1', count: 7 }), change(8, { from_ref: 'rs1', count: 7 }));
  assert.deepEqual(archives(requests).slice(1), [`/v1/archive?with=${encodeURIComponent(room)}&limit=50`]);
});

test('signing out ends what is read by itself: one more request would open the session again', async () => {
  const answers = [];
  const { perch, requests, play } = await streaming([roomData(), roomData({ jid: 'b@r' })], ({ method, path }) => {
    if (method === 'DELETE') return [200, {}];
    if (path.startsWith('/v1/archive'))
      return new Promise((done) => answers.push(() => done([200, { ...page([]), prev: 'more', complete: false }])));
    const entry = { ...{ jid: room, type: 'room', name: 'Tea', notify: 'all', pinned: false, archived: false, draft: null, read: null } };
    const items = [{ ...entry, last_activity_at: at(0), unread: 0, unread_exact: true, mentions: 0, peer_read: null }];
    return path.startsWith('/v1/conversations?') ? [200, { items, next: 'more', complete: false }] : [200, {}];
  });
  await perch.loadConversations(2);
  await perch.loadConversations(2);
  await play(frame('message.received', said(1), 1), frame('message.received', said(2, 'Bo', { from: 'b@r/Bo', to: 'b@r' }), 2));
  await play(...[room, 'b@r'].map((jid, n) => frame('session.gap', { from: null, to: null, room: jid }, 3 + n)));
  assert.equal(answers.length, 1, 'a hole is being filled');
  const gone = perch.signOut();
  const before = requests.length;
  perch.typing(room);
  perch.saveDraft(room, 'begun');
  answers[0]();
  await play(frame('live', { tip: '' }));
  await gone;
  mock.timers.tick(60_000);
  await flushMicrotasks();
  assert.deepEqual(
    requests.slice(before).filter((r) => r.method !== 'DELETE'),
    [],
  );
});

// The calls.

async function client(answer = () => [200, {}], features = ['conversations', 'rooms', 'message-edit']) {
  const { requests, fetch } = recorded(answer);
  const perch = new Perch({ url: 'http://gateway', token: 't', fetch, storage: null });
  perch.store.apply(frame('hello', { session: { jid: own, features: ['rooms'] }, resumed: false, features }));
  perch.store.apply(frame('rooms.snapshot', { as_of: '', part: 1, last: true, items: [roomData()] }));
  perch.store.apply(frame('live', { tip: '' }));
  return { perch, requests };
}

test('every verb is one request', async () => {
  const { perch, requests } = await client();
  const p = perch;
  const calls = [
    [() => p.setAutojoin(true), 'POST /v1/session', { rooms: 'autojoin' }],
    [() => p.setAutojoin(false), 'POST /v1/session', { rooms: null }],
    [() => p.listRooms({ state: 'joined' }), 'GET /v1/rooms?state=joined'],
    [() => p.getRoom(room), `GET /v1/rooms/${room}`],
    [
      () => p.joinRoom(room, { nick: 'Al', password: 'x', autojoin: null }),
      `PUT /v1/rooms/${room}?wait=joined`,
      { nick: 'Al', password: 'x', autojoin: null },
    ],
    [() => p.joinRoom(room, { wait: false }), `PUT /v1/rooms/${room}`, {}],
    [() => p.changeRoom(room, { delivery: 'mentions' }), `PATCH /v1/rooms/${room}`, { delivery: 'mentions' }],
    [() => p.setSubject(room, ''), `PUT /v1/rooms/${room}/subject`, { subject: '' }],
    [() => p.inviteToRoom(room, 'bo@x', { reason: 'tea' }), `POST /v1/rooms/${room}/invitations`, { to: 'bo@x', reason: 'tea' }],
    [() => p.occupants(room, { q: 'b', role: 'visitor' }), `GET /v1/rooms/${room}/occupants?q=b&role=visitor`],
    [() => p.setRole(room, 'B/o ?', 'visitor'), `PATCH /v1/rooms/${room}/occupants/B/o ?`, { role: 'visitor' }],
    [() => p.members(room, { affiliation: 'outcast' }), `GET /v1/rooms/${room}/members?affiliation=outcast`],
    [
      () => p.setMember(room, 'bo@x', 'outcast', { reason: 'spam' }),
      `PUT /v1/rooms/${room}/members/bo@x`,
      { affiliation: 'outcast', reason: 'spam' },
    ],
    [() => p.roomConfig(room), `GET /v1/rooms/${room}/config`],
    [() => p.setRoomConfig(room, { name: 'T' }), `PATCH /v1/rooms/${room}/config`, { name: 'T' }],
    [() => p.setRoomPhoto(room, 'AA=='), `PUT /v1/rooms/${room}/photo`, { data: 'AA==' }],
    [() => p.directory({ q: 'tea' }), 'GET /v1/directory?q=tea'],
    [() => p.destroyRoom(room, { successor: 'b@r' }), `POST /v1/rooms/${room}/destroy`, { successor: 'b@r' }],
  ];
  for (const [call, what, body] of calls) {
    await call();
    const r = requests.at(-1);
    assert.deepEqual([`${r.method} ${r.path}`, r.body], [what, body]);
  }
});

test('verbs without an answer: kick, moderate, leave, decline', async () => {
  const requests = [];
  const fetch = async (url, init) => {
    requests.push(`${init.method} ${decodeURIComponent(new URL(url).pathname)}${new URL(url).search}`);
    return new Response(null, { status: 204 });
  };
  const perch = new Perch({ url: 'http://gateway', token: 't', fetch, storage: null });
  await perch.kick(room, 'Bo', { reason: 'noise' });
  await perch.moderate(room, 'rs1', { reason: 'spam' });
  await perch.removeMember(room, 'bo@x');
  await perch.removeRoomPhoto(room);
  await perch.leaveRoom(room);
  await perch.leaveRoom(room, { forget: true });
  await perch.declineRoom('b@r');
  assert.deepEqual(requests, [
    `DELETE /v1/rooms/${room}/occupants/Bo?reason=noise`,
    `DELETE /v1/conversations/${room}/messages/rs1?reason=spam`,
    `DELETE /v1/rooms/${room}/members/bo@x`,
    `DELETE /v1/rooms/${room}/photo`,
    `DELETE /v1/rooms/${room}`,
    `DELETE /v1/rooms/${room}?forget=1`,
    'DELETE /v1/rooms/b@r',
  ]);
});

test('what is written in a room, or to one who is there, stands in its conversation at once', async () => {
  const { perch, requests } = await client((r) => [202, { id: r.body?.id, ref: `o${r.body?.id}`, status: 'accepted' }]);
  await perch.send(room, 'Hello all', { id: 'p1' });
  assert.equal(messages(perch.store)[0].ref, undefined, 'a handle that the room has not given');
  await perch.send(`${room}/Bo`, 'Hello Bo', { id: 'p2' });
  assert.deepEqual(
    [messages(perch.store)[0].body, messages(perch.store, `${room}/Bo`)[0].body, perch.store.conversations.get(`${room}/Bo`).type],
    ['Hello all', 'Hello Bo', 'private'],
  );
  assert.deepEqual(
    requests.filter((r) => r.method === 'POST').map((r) => r.body.to),
    [room, `${room}/Bo`],
  );
  perch.store.apply(frame('message.sent', said(1, 'Alice', { id: 'p1', body: 'Hello all' }), 1));
  const [m, ...others] = messages(perch.store);
  assert.deepEqual([m.ref, m.room.nick, others.length], ['rs1', 'Alice', 0]);
  perch.store.apply(frame('message.received', said(2), 2));
  await perch.send(room, 'Yes', { reply_to: { ref: 'rs2' } });
  assert.deepEqual(messages(perch.store).at(-1).reply_to, { ref: 'rs2', id: 'm2', from: `${room}/Bo`, excerpt: 'text 2' });
});

test('a gateway or service without rooms: nothing may be done; an invitation that it has not kept ends here', async () => {
  const { perch } = await client(() => [404, { status: 404, code: 'item-not-found', title: 'x' }], ['conversations']);
  assert.deepEqual([perch.can('rooms'), perch.canIn(room, 'speak'), perch.canModerate(room, {})], [false, false, false]);
  perch.store.apply(frame('room.invited', { jid: 'b@r', via: 'direct' }, 1));
  await perch.declineRoom('b@r');
  assert.equal(perch.store.roomInvitations.size, 0);
});

test('nobody is told who writes where there are too many, or where the account may not speak', async () => {
  const { perch, requests } = await client(() => [200, {}]);
  const typed = () => requests.filter((r) => r.path.includes('chat-states')).length;
  perch.typing(room);
  await flushMicrotasks();
  assert.equal(typed(), 1);
  perch.stopTyping(room);
  await flushMicrotasks();
  for (const more of [{ occupants: { count: 31, complete: true, events: 'none' } }, { role: 'visitor' }, { state: 'left' }]) {
    perch.store.apply(frame('room.changed', roomData(more), 1));
    perch.typing(room);
  }
  await flushMicrotasks();
  assert.equal(typed(), 2, 'composing and paused');
});
