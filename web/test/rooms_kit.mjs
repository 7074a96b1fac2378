// What the tests of rooms without a gateway share: a room, those in it, what is said there.
import { Store } from '../perch.js';
import { start } from './offline.mjs';

export const own = 'alice@example.net';
export const room = 'tea@rooms.example.net';
export const at = (n) => new Date(start + 1000 * n).toISOString();
export const frame = (type, data, position, n = position ?? 0) => ({ type, data, time: at(n), ...(position && { id: `log-${position}` }) });

/** Numbers that depend on the seed alone. */
export function random(seed) {
  let x = seed * 2654435761 + 1;
  return (n) => {
    x = (Math.imul(x ^ (x >>> 15), 2246822519) + 0x9e3779b9) | 0;
    return ((x ^ (x >>> 13)) >>> 0) % n;
  };
}

const features = {
  ...{ archive: true, occupant_ids: true, moderation: true, members_only: false, real_jids: false },
  ...{ password: false, moderated: false, persistent: true, public: true, avatar: false },
};

/** A room as the gateway has it. */
export const roomData = (more = {}) => ({
  ...{ jid: room, state: 'joined', reason: '', retry_at: null, nick: 'Alice', role: 'participant', affiliation: 'none', name: 'Tea' },
  ...{ subject: { text: 'Flamingos', by: 'Bo', at: at(0) }, occupants: { count: 3, complete: true, events: 'none' } },
  ...{ features, bookmark: { autojoin: true, store: '0402' }, delivery: 'all', invited: null, joined_at: at(0), last_seen_at: null },
  ...more,
});

/** A store that is live, with some rooms. */
export function greeted(rooms = [roomData()], { resumed = false } = {}) {
  const store = new Store();
  const session = { jid: own, state: 'online', features: ['rooms'] };
  store.apply(frame('hello', { session, resumed, features: ['conversations', 'rooms'] }));
  if (!resumed) store.apply(frame('rooms.snapshot', { as_of: '', part: 1, last: true, items: rooms }));
  store.apply(frame('live', { tip: '' }));
  return store;
}

/** A message that somebody in the room has written. */
export const said = (n, nick = 'Bo', more = {}) => ({
  ...{ id: `m${n}`, ref: `rs${n}`, room_stanza_id: `s${n}`, from: `${room}/${nick}`, to: room, kind: 'groupchat', body: `text ${n}` },
  ...{ source: 'live', room: { nick, occupant_id: `id-${nick}`, own: nick === 'Alice', affiliation: 'none' } },
  ...more,
});

/** It as an item of the room's archive. */
export const archived = ({ room_stanza_id, id, source: _, room: by, ...m }, n) => ({
  ...{ ...m, id: room_stanza_id, room_stanza_id, message_id: id, room: by && { nick: by.nick, occupant_id: by.occupant_id, own: by.own } },
  ...{ direction: by?.own ? 'out' : 'in', time: at(n), time_is_arrival: false },
});
export const page = (items, relations = []) => ({ items, relations, dropped: [], next: null, prev: null, complete: true });

/** Something about a message that is not on the page. */
export const relation = (n, nick, relation_, more = {}) => ({ ...said(n, nick, { body: '' }), time: at(n), relation: relation_, ...more });
export const messages = (store, jid = room) => store.conversations.get(jid)?.messages ?? [];
