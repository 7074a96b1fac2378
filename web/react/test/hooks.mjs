// The hooks under React itself, in a document of jsdom: what is rendered, and how often. Without a gateway.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JSDOM } from 'jsdom';
import { StrictMode, act, createElement as h, memo } from 'react';
import { renderToString } from 'react-dom/server';
import { Perch } from '@perch-im/perch';
import * as hooks from '@perch-im/react';
import { at, frame, own, room, roomData } from '../../test/rooms_kit.mjs';

const dom = new JSDOM('<div id="root"></div>', { url: 'http://page.example.net' });
Object.assign(globalThis, { window: dom.window, document: dom.window.document, IS_REACT_ACT_ENVIRONMENT: true });
if (!globalThis.navigator) globalThis.navigator = dom.window.navigator; // in Node 20
const { createRoot } = await import('react-dom/client');

const people = Array.from({ length: 300 }, (_, n) => `p${String(n).padStart(3, '0')}@x`);
const buddy = (jid) => ({ jid, name: jid, groups: [], subscription: 'both', ask: null, approved: false });
const present = (jid, show = null) => ({
  ...{ jid, available: true, show, status: '', priority: 0, resources: [], updated_at: null, stale: false },
});
const message = (n, from) => ({
  id: `m${n}`,
  ref: `r${n}`,
  stanza_id: `s${n}`,
  from: `${from}/phone`,
  to: own,
  kind: 'chat',
  body: `text ${n}`,
});
const whole = (items) => ({ as_of: '', part: 1, last: true, items });

/** A client that is live, without a gateway. */
function client() {
  const perch = new Perch({ url: 'http://gateway', token: 't', storage: null, transport: 'sse', fetch: () => new Promise(() => {}) });
  const session = { jid: own, state: 'online', features: ['rooms'] };
  for (const f of [
    frame('hello', { session, resumed: false, features: ['rooms', 'conversations'] }),
    frame('roster.snapshot', whole(people.map(buddy))),
    frame('rooms.snapshot', whole([roomData()])),
    frame('presence.snapshot', whole(people.map((jid) => present(jid)))),
    frame('live', { tip: '' }),
  ])
    perch.store.apply(f);
  return perch;
}

/** Renders an element in a provider; resolves with what ends it. */
async function render(perch, element, { strict = false, ...props } = {}) {
  const root = createRoot(document.getElementById('root'));
  const all = h(hooks.PerchProvider, { perch, ...props }, element);
  await act(async () => root.render(strict ? h(StrictMode, null, all) : all));
  return () => act(async () => root.unmount());
}
const apply = (perch, ...frames) => act(async () => frames.forEach((f) => perch.store.apply(f)));
const text = () => document.getElementById('root').textContent;

/** Counts renders by name. */
const counter = () => {
  const renders = {};
  return {
    renders,
    count: (name) => void (renders[name] = (renders[name] ?? 0) + 1),
    clear: () => Object.keys(renders).forEach((k) => delete renders[k]),
  };
};

test('the presence of one buddy renders one row of 300', async () => {
  const perch = client();
  const { renders, count, clear } = counter();
  const Row = memo(({ contact }) => (count(contact.jid), h('li', null, `${contact.jid} ${contact.presence.show}`)));
  const List = () => (
    count('list'),
    h(
      'ul',
      null,
      hooks.useRoster().map((c) => h(Row, { key: c.jid, contact: c })),
    )
  );
  const Rooms = () => (count('rooms'), hooks.useRooms().length);
  const Chat = () => (count('chat'), hooks.useMessages('p007@x').length);
  const Chats = () => (count('chats'), hooks.useConversations().length);
  const end = await render(
    perch,
    [List, Rooms, Chat, Chats].map((C, key) => h(C, { key })),
  );
  assert.equal(Object.keys(renders).length, 304);
  clear();
  await apply(perch, frame('presence', present('p007@x', 'dnd')));
  assert.deepEqual(renders, { list: 1, 'p007@x': 1 });
  assert.match(text(), /p007@x dnd/);
  clear();
  await apply(perch, frame('presence', present('p007@x', 'dnd')), frame('heartbeat', { tip: '' }));
  assert.deepEqual(renders, {}, 'the same again renders nothing');
  await apply(perch, frame('message.received', message(1, 'p007@x'), 1));
  assert.deepEqual(renders, { chat: 1, chats: 1 });
  await end();
});

test('a row that reads its own contact needs no list to render', async () => {
  const perch = client();
  const { renders, count, clear } = counter();
  const Row = memo(({ jid }) => (count(jid), h('li', null, hooks.useContact(jid).presence.show)));
  const end = await render(
    perch,
    people.slice(0, 50).map((jid) => h(Row, { key: jid, jid })),
  );
  clear();
  await apply(perch, frame('presence', present('p003@x', 'away')), frame('presence', present('p299@x', 'away')));
  assert.deepEqual(renders, { 'p003@x': 1 });
  await end();
});

test('each hook has its part of the state', async () => {
  const perch = client();
  const Page = () =>
    JSON.stringify({
      session: hooks.useSession()?.state,
      connection: hooks.useConnection().state,
      outbox: hooks.useOutbox().pending,
      roster: hooks.useRoster().length,
      contact: hooks.useContact('p001@x')?.name,
      presence: hooks.usePresence('p001@x')?.show,
      conversations: hooks.useConversations().map((c) => c.jid),
      conversation: hooks.useConversation('p001@x')?.unread,
      messages: hooks.useMessages('p001@x').map((m) => m.body),
      rooms: hooks.useRooms().map((r) => r.name),
      room: hooks.useRoom(room)?.subject?.text,
      occupants: hooks.useOccupants(room) ?? null,
      typing: hooks.useTyping('p001@x'),
      unread: hooks.useSlice((s) => s.list.reduce((n, c) => n + c.unread, 0)),
    });
  const end = await render(perch, h(Page));
  const before = JSON.parse(text());
  assert.deepEqual([before.session, before.connection, before.outbox, before.roster], ['online', 'idle', 0, 300]);
  await apply(
    perch,
    frame('presence', present('p001@x', 'xa')),
    frame('message.received', message(1, 'p001@x'), 1),
    frame('chat_state', { from: 'p001@x/phone', state: 'composing' }),
    frame('room.changed', roomData({ subject: { text: 'Croquet', by: 'Bo', at: at(1) } }), 2),
  );
  await act(async () => void perch.send('p001@x', 'hello').catch(() => {}));
  assert.deepEqual(JSON.parse(text()), {
    ...{ session: 'online', connection: 'idle', outbox: 1, roster: 300, contact: 'p001@x', presence: 'xa' },
    ...{ conversations: ['p001@x', room], conversation: 1, messages: ['text 1', 'hello'], rooms: ['Tea'], room: 'Croquet' },
    ...{ occupants: null, typing: ['p001@x'], unread: 1 },
  });
  await end();
  perch.discardPending();
});

test('a slice that is written in place, and makes its value anew, renders when it is another one', async () => {
  const perch = client();
  const { renders, count, clear } = counter();
  const Away = () => (count('away'), hooks.useSlice((s) => [...s.presence.values()].filter((p) => p.show).map((p) => p.jid)).join());
  const end = await render(perch, h(Away), { strict: true });
  clear();
  await apply(perch, frame('presence', present('p001@x', 'away')));
  assert.equal(text(), 'p001@x');
  const once = renders.away;
  await apply(perch, frame('presence', present('p001@x', 'dnd')), frame('message.received', message(1, 'p001@x'), 1));
  assert.deepEqual(renders, { away: once });
  await end();
});

test('another address is another part, at once', async () => {
  const perch = client();
  await apply(perch, ...[1, 2].map((n) => frame('message.received', message(n, `p00${n}@x`), n)));
  const Chat = ({ jid }) =>
    hooks
      .useMessages(jid)
      .map((m) => m.body)
      .join();
  const root = createRoot(document.getElementById('root'));
  for (const [jid, want] of [
    ['p001@x', 'text 1'],
    ['p002@x', 'text 2'],
    ['p003@x', ''],
  ]) {
    await act(async () => root.render(h(hooks.PerchProvider, { perch }, h(Chat, { jid }))));
    assert.equal(text(), want);
  }
  await act(async () => root.unmount());
});

test('the provider connects while it is there, also when React mounts twice', async () => {
  const perch = client();
  const State = () => hooks.useConnection().state;
  const end = await render(perch, h(State), { connect: true, strict: true });
  assert.equal(text(), 'connecting');
  await end();
  assert.equal(perch.connection.state, 'idle');
});

test('a server renders what the state is, and no provider is an error that says so', () => {
  const perch = client();
  const Page = () => `${hooks.useSession().jid} ${hooks.useRoster().length}`;
  assert.equal(renderToString(h(hooks.PerchProvider, { perch }, h(Page))), `${own} 300`);
  assert.throws(() => renderToString(h(Page)), /There is no PerchProvider/);
});
