// The rooms of an account, as the gateway has them: each event brings a room whole. What has not
// changed in it stays the same object, so that === tells what to draw again.

import { JIDMap, renewed } from './jids.js';
import { reuse } from './reuse.js';

/** @import { Events, JID, Room, RoomInvitation } from '../types.d.ts' */
/** Called after each change with the room as it is now and as it was. @typedef {(jid: JID, now: Room | undefined, before: Room | undefined) => void} Changed */

/** The rooms by their addresses. */
export class Rooms {
  /** @type {JIDMap<Room>} */ map = new JIDMap();
  #changed;
  /** Rooms that go as soon as they are left. */ #leaving = new JIDMap();

  /** @param {Changed} changed */
  constructor(changed) {
    this.#changed = changed;
  }

  /** A room as an event has it. One that was forgotten here, or whose invitation was declined, is gone
   * when it is left: no later event names it. @param {Room} room */
  put(room) {
    const { jid, state, invited } = room;
    const over = state === 'left' && !invited;
    if (state === 'joining' || state === 'joined') this.#leaving.delete(jid);
    if (over && (this.#leaving.has(jid) || (!room.joined_at && !room.bookmark))) this.#remove(jid);
    else this.#set(jid, room);
  }

  /** All rooms, as a snapshot has them. @param {Room[]} rooms */
  replace(rooms) {
    const before = this.map;
    this.map = renewed(before, rooms);
    this.#leaving.clear();
    for (const [jid, room] of before) if (!this.map.has(jid)) this.#changed(jid, undefined, room);
    for (const [jid, room] of this.map) if (room !== before.get(jid)) this.#changed(jid, room, before.get(jid));
  }

  /** What was saved. @param {Room[]} rooms */
  load(rooms) {
    this.map = JIDMap.of(rooms, (r) => r.jid);
  }

  /** @param {JID} jid @param {Partial<Room>} change */
  #edit(jid, change) {
    const room = this.map.get(jid);
    if (room) this.#set(jid, { ...room, ...change });
  }

  /** @param {JID} jid @param {Room} room */
  #set(jid, room) {
    const before = this.map.get(jid);
    const now = reuse(before, room);
    if (now === before) return;
    this.map.set(jid, now);
    this.#changed(jid, now, before);
  }

  /** @param {JID} jid */
  #remove(jid) {
    const before = this.map.get(jid);
    this.#leaving.delete(jid);
    if (this.map.delete(jid)) this.#changed(jid, undefined, before);
  }

  /** The account forgets a room: now, if it is not in it, else when it is left. The event that it is left
   * may come later than the answer of the request. @param {JID} jid */
  forget(jid) {
    const room = this.map.get(jid);
    const inside = room && ['joining', 'joined', 'leaving'].includes(room.state);
    if (!inside) this.#remove(jid);
    if (inside || (room && (room.state !== 'left' || room.reason))) this.#leaving.set(jid, true);
  }

  /** Of an invitation that is not kept nothing is. @param {JID} jid */
  uninvite(jid) {
    if (this.map.get(jid)?.state === 'invited') this.#remove(jid);
  }

  /** The session has nothing of a room any more. @param {JID} jid */
  forgotten(jid) {
    this.#remove(jid);
  }

  /** @param {Events['room.occupants']} d */
  count({ jid, count, complete }) {
    const room = this.map.get(jid);
    if (room) this.#edit(jid, { occupants: { ...room.occupants, count, complete } });
  }

  /** @param {Events['room.affiliation']} d */
  affiliation({ jid, own, affiliation }) {
    if (own) this.#edit(jid, { affiliation });
  }

  /** An invitation is a state of its room, but of one that the account is in. @param {RoomInvitation} invited */
  invited(invited) {
    const room = this.map.get(invited.jid) ?? unknown(invited.jid);
    if (room.state === 'joined' || room.state === 'joining') return;
    const open = room.state === 'left' && !room.bookmark?.autojoin;
    this.#set(invited.jid, { ...room, invited, ...(open && { state: 'invited', reason: '' }) });
  }
}

/** A room of which nothing is known but that there is one. @param {JID} jid @returns {Room} */
const unknown = (jid) => ({
  ...{ jid, state: 'left', reason: '', retry_at: null, nick: '', role: 'none', affiliation: 'none', name: '', subject: null },
  occupants: { count: 0, complete: false, events: 'none' },
  features: {
    ...{ archive: false, occupant_ids: false, moderation: false, members_only: false, real_jids: false },
    ...{ password: false, moderated: false, persistent: false, public: false, avatar: false },
  },
  ...{ bookmark: null, delivery: 'all', invited: null, joined_at: null, last_seen_at: null },
});

/** Reports whether a list of conversations has a place for a room without messages.
 * @param {Room | undefined} room */
export const isShown = (room) => Boolean(room && room.state !== 'invited' && (room.state !== 'left' || room.bookmark));
