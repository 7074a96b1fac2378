/**
 * What an interface shows of an account, part by part, in the form that React's useSyncExternalStore and
 * its like ask for: a function that subscribes, and one that gives the same value until it has changed.
 *
 *     const { subscribe, getSnapshot } = select(perch, messages(jid));
 *
 * A slice is a pure function of the state. Those here give what the state has, and never a copy of it, so that ===
 * tells what to draw again: when the presence of one buddy changes, that contact and the list of all are
 * other objects, and nothing else is.
 *
 * @module perch/slices
 */

import { reuse } from './perch/reuse.js';

export { reuse };

/** @import { Perch } from './perch.js' */
/** @import { Buddy, ConnectionState, Conversation, JID, Occupants, OutboxState, Presence, Room, SessionInfo, StoredMessage, StoreSnapshot } from './types.d.ts' */

/** What the store has, and what is known of the way to the gateway.
 * @typedef {StoreSnapshot & { readonly connection: Readonly<ConnectionState>, readonly outbox: Waiting }} State */
/** What waits to be sent. @typedef {Readonly<Pick<OutboxState, 'pending' | 'failed' | 'waits'>>} Waiting */
/** A buddy with its presence. @typedef {Buddy & { presence: Presence | undefined }} Contact */
/** Both functions may be called unbound. @template T
 * @typedef {{ subscribe: (changed: () => void) => () => void, getSnapshot: () => T }} Watched */
/** @template T @typedef {(state: State) => T} Slice */

/** @type {WeakMap<Perch, Watched<State>>} */
const sources = new WeakMap();

/** The whole state of a client, always the same source. @param {Perch} perch @returns {Watched<State>} */
export function stateOf(perch) {
  const known = sources.get(perch) ?? source(perch);
  sources.set(perch, known);
  return known;
}

/** @param {Perch} perch @returns {Watched<State>} */
function source(perch) {
  /** @type {StoreSnapshot | undefined} */ let from;
  /** @type {State | undefined} */ let state;
  return {
    subscribe(changed) {
      const ends = [perch.store.subscribe(() => changed()), perch.on('connection', () => changed()), perch.on('outbox', () => changed())];
      return () => ends.forEach((end) => end());
    },
    getSnapshot() {
      const store = perch.store.getSnapshot();
      const { pending, failed, waits } = perch.outbox;
      const outbox = reuse(state?.outbox, { pending, failed, waits });
      if (state && from === store && state.connection === perch.connection && state.outbox === outbox) return state;
      from = store;
      state = { ...store, connection: perch.connection, outbox };
      return state;
    },
  };
}

/** One slice of the state. Subscribers are called when it has changed, and not for anything else; what an own
 * slice makes anew stays the same object as long as it is equal.
 * @template T @param {Perch} perch @param {Slice<T>} slice @returns {Watched<T>} */
export function select(perch, slice) {
  const all = stateOf(perch);
  /** @type {State | undefined} */ let from;
  /** @type {any} */ let value;
  const getSnapshot = () => {
    const state = all.getSnapshot();
    if (state !== from) value = reuse(value, slice(state));
    from = state;
    return value;
  };
  /** @param {() => void} changed */
  const subscribe = (changed) => {
    let seen = getSnapshot();
    return all.subscribe(() => {
      const now = getSnapshot();
      if (Object.is(now, seen)) return;
      seen = now;
      changed();
    });
  };
  return { subscribe, getSnapshot };
}

// The slices.

/** @type {readonly never[]} */
const none = Object.freeze([]);

/** The session, null before the stream has begun. @param {State} s @returns {SessionInfo | null} */
export const session = (s) => s.session;

/** @param {State} s */
export const connection = (s) => s.connection;

/** @param {State} s */
export const outbox = (s) => s.outbox;

/** The conversations, pinned ones first, then by activity. @param {State} s @returns {readonly Conversation[]} */
export const conversations = (s) => s.list;

/** @param {JID} jid @returns {Slice<Conversation | undefined>} */
export const conversation = (jid) => (s) => s.conversations.get(jid);

/** The messages of one conversation, oldest first. @param {JID} jid @returns {Slice<readonly StoredMessage[]>} */
export const messages = (jid) => (s) => {
  const all = s.conversations.get(jid)?.messages;
  return all?.length ? all : none;
};

/** @param {JID} jid @returns {Slice<Presence | undefined>} */
export const presence = (jid) => (s) => s.presence.get(jid);

/** Lists by name, by the maps that they are of. @type {WeakMap<ReadonlyMap<JID, any>, any[]>} */
const sorted = new WeakMap();
/** @type {WeakMap<Buddy, Contact>} */
const contacts = new WeakMap();
/** @type {WeakMap<Buddy[], { presence: ReadonlyMap<JID, Presence>, list: readonly Contact[] }>} */
const rosters = new WeakMap();
const collator = new Intl.Collator();

/** @param {Buddy} buddy @param {Presence | undefined} present @returns {Contact} */
function contactOf(buddy, present) {
  const known = contacts.get(buddy);
  if (known && known.presence === present) return known;
  const made = { ...buddy, presence: present };
  contacts.set(buddy, made);
  return made;
}

/** What a map has, by name: the same list for the same map. @template {{ jid: JID, name: string }} T
 * @param {ReadonlyMap<JID, T>} map @returns {T[]} */
function byName(map) {
  const known = sorted.get(map) ?? [...map.values()].sort((a, b) => collator.compare(a.name || a.jid, b.name || b.jid));
  sorted.set(map, known);
  return known;
}

/** The buddies with their presence, by name. @param {State} s @returns {readonly Contact[]} */
export function roster(s) {
  const of = byName(s.buddies);
  const known = rosters.get(of);
  if (known?.presence === s.presence) return known.list;
  const made = of.map((b) => contactOf(b, s.presence.get(b.jid)));
  const list = known && made.every((c, i) => c === known.list[i]) ? known.list : made;
  rosters.set(of, { presence: s.presence, list });
  return list;
}

/** A buddy with its presence. @param {JID} jid @returns {Slice<Contact | undefined>} */
export const contact = (jid) => (s) => {
  const buddy = s.buddies.get(jid);
  return buddy && contactOf(buddy, s.presence.get(jid));
};

/** The rooms of the account, by name. @param {State} s @returns {readonly Room[]} */
export const rooms = (s) => byName(s.rooms);

/** @param {JID} jid @returns {Slice<Room | undefined>} */
export const room = (jid) => (s) => s.rooms.get(jid);

/** Who is in a room, once Perch.loadOccupants was called for it. @param {JID} jid @returns {Slice<Occupants | undefined>} */
export const occupants = (jid) => (s) => s.occupants.get(jid);

/** Who is writing: in a room nicks, else the address of the other side; nobody is long after the last sign of it.
 * @param {JID} jid @returns {Slice<readonly string[]>} */
export function typing(jid) {
  const other = Object.freeze([jid]);
  return (s) => {
    const c = s.conversations.get(jid);
    if (c?.typing !== 'composing') return none;
    return c.type === 'room' ? c.writing : other;
  };
}
