// The stores under Svelte's store contract, as its documentation has it, without Svelte and without a gateway.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Perch } from '@perch-im/perch';
import * as stores from '@perch-im/svelte';
import { frame, own, room, roomData } from '../../test/rooms_kit.mjs';

const jid = 'bo@x';
const present = (show) => ({
  ...{ jid, available: true, show, status: '', priority: 0, resources: [], updated_at: null, stale: false },
});
const whole = (items) => ({ as_of: '', part: 1, last: true, items });

function client() {
  const perch = new Perch({ url: 'http://gateway', token: 't', storage: null });
  for (const f of [
    frame('hello', { session: { jid: own, state: 'online', features: ['rooms'] }, resumed: false, features: ['rooms'] }),
    frame('roster.snapshot', whole([{ jid, name: 'Bo', groups: [], subscription: 'both', ask: null, approved: false }])),
    frame('rooms.snapshot', whole([roomData()])),
    frame('presence.snapshot', whole([present(null)])),
    frame('live', { tip: '' }),
  ])
    perch.store.apply(f);
  return perch;
}

test('a store gives its value at once, then each other one, until its end', () => {
  const perch = client();
  const seen = [];
  const { subscribe } = stores.contact(perch, jid); // the contract lets it be called unbound
  const end = subscribe((c) => seen.push(c.presence.show));
  assert.deepEqual(seen, [null], 'synchronously, before subscribe returns');
  perch.store.apply(frame('presence', present('away')));
  perch.store.apply(frame('presence', present('away')));
  perch.store.apply(frame('message.received', { id: 'm1', ref: 'r1', from: `${jid}/phone`, to: own, kind: 'chat', body: 'hello' }, 1));
  assert.deepEqual(seen, [null, 'away'], 'and for nothing else');
  end();
  perch.store.apply(frame('presence', present('dnd')));
  assert.deepEqual(seen, [null, 'away']);
  end();
});

test('subscribers do not know of each other, and one that ends while it runs ends', () => {
  const perch = client();
  const store = stores.presence(perch, jid);
  const [a, b] = [[], []];
  const endA = store.subscribe((p) => a.push(p.show) > 1 && endA());
  const endB = store.subscribe((p) => b.push(p.show));
  for (const show of ['away', 'dnd']) perch.store.apply(frame('presence', present(show)));
  assert.deepEqual(
    [a, b],
    [
      [null, 'away'],
      [null, 'away', 'dnd'],
    ],
  );
  endB();
});

test('every store has its part', () => {
  const perch = client();
  perch.store.apply(frame('message.received', { id: 'm1', ref: 'r1', from: `${jid}/phone`, to: own, kind: 'chat', body: 'hello' }, 1));
  perch.store.apply(frame('chat_state', { from: `${jid}/phone`, state: 'composing' }));
  const get = (store) => {
    let value;
    store.subscribe((v) => (value = v))();
    return value;
  };
  assert.deepEqual(
    {
      session: get(stores.session(perch)).jid,
      connection: get(stores.connection(perch)).state,
      outbox: get(stores.outbox(perch)).pending,
      roster: get(stores.roster(perch)).map((c) => c.name),
      conversations: get(stores.conversations(perch)).map((c) => c.jid),
      conversation: get(stores.conversation(perch, jid)).unread,
      messages: get(stores.messages(perch, jid)).map((m) => m.body),
      rooms: get(stores.rooms(perch)).map((r) => r.name),
      room: get(stores.room(perch, room)).nick,
      occupants: get(stores.occupants(perch, room)),
      typing: get(stores.typing(perch, jid)),
      unread: get(stores.slice(perch, (s) => s.list.reduce((n, c) => n + c.unread, 0))),
    },
    {
      ...{ session: own, connection: 'idle', outbox: 0, roster: ['Bo'], conversations: [jid, room], conversation: 1 },
      ...{ messages: ['hello'], rooms: ['Tea'], room: 'Alice', occupants: undefined, typing: [jid], unread: 1 },
    },
  );
});
