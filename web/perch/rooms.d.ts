/** @import { Events, JID, Room, RoomInvitation } from '../types.d.ts' */
/** Called after each change with the room as it is now and as it was. @typedef {(jid: JID, now: Room | undefined, before: Room | undefined) => void} Changed */
/** The rooms by their addresses. */
export class Rooms {
    /** @param {Changed} changed */
    constructor(changed: Changed);
    /** @type {JIDMap<Room>} */ map: JIDMap<Room>;
    /** A room as an event has it. One that was forgotten here, or whose invitation was declined, is gone
     * when it is left: no later event names it. @param {Room} room */
    put(room: Room): void;
    /** All rooms, as a snapshot has them. @param {Room[]} rooms */
    replace(rooms: Room[]): void;
    /** What was saved. @param {Room[]} rooms */
    load(rooms: Room[]): void;
    /** The account forgets a room: now, if it is not in it, else when it is left. The event that it is left
     * may come later than the answer of the request. @param {JID} jid */
    forget(jid: JID): void;
    /** Of an invitation that is not kept nothing is. @param {JID} jid */
    uninvite(jid: JID): void;
    /** The session has nothing of a room any more. @param {JID} jid */
    forgotten(jid: JID): void;
    /** @param {Events['room.occupants']} d */
    count({ jid, count, complete }: Events["room.occupants"]): void;
    /** @param {Events['room.affiliation']} d */
    affiliation({ jid, own, affiliation }: Events["room.affiliation"]): void;
    /** An invitation is a state of its room, but of one that the account is in. @param {RoomInvitation} invited */
    invited(invited: RoomInvitation): void;
    #private;
}
export function isShown(room: Room | undefined): boolean;
/**
 * Called after each change with the room as it is now and as it was.
 */
export type Changed = (jid: JID, now: Room | undefined, before: Room | undefined) => void;
import { JIDMap } from './jids.js';
import type { Room } from '../types.d.ts';
import type { JID } from '../types.d.ts';
import type { Events } from '../types.d.ts';
import type { RoomInvitation } from '../types.d.ts';
