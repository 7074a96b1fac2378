/** The calls of Rest, and those about rooms. */
export class RoomsRest extends Rest {
    /** Whether the session joins the rooms of the account's bookmarks by itself, and follows what other
     * devices change of them. @param {boolean} on @returns {Promise<SignInAnswer>} */
    setAutojoin(on: boolean): Promise<SignInAnswer>;
    /** @param {{ state?: 'joined' | 'bookmarked' | 'invited', limit?: number, cursor?: string }} [query] @returns {Promise<RoomPage>} */
    listRooms(query?: {
        state?: "joined" | "bookmarked" | "invited";
        limit?: number;
        cursor?: string;
    }): Promise<RoomPage>;
    /** @param {JID} jid @returns {Promise<Room>} */
    getRoom(jid: JID): Promise<Room>;
    /** Joins a room, now and after every login, and makes it if there is none. It is bookmarked, unless
     * autojoin is null. Resolves when the room has decided, or after 20 seconds; with wait false at once:
     * room.state says what becomes of it. @param {JID} jid @param {RoomJoin & { wait?: boolean }} [how] @returns {Promise<Room>} */
    joinRoom(jid: JID, { wait, ...how }?: RoomJoin & {
        wait?: boolean;
    }): Promise<Room>;
    /** Changes the own nick, the bookmark, and what becomes events. @param {JID} jid @param {RoomPatch} change @returns {Promise<Room>} */
    changeRoom(jid: JID, change: RoomPatch): Promise<Room>;
    /** Leaves a room; with forget its bookmark goes too. @param {JID} jid @param {{ forget?: boolean }} [o] @returns {Promise<void>} */
    leaveRoom(jid: JID, { forget }?: {
        forget?: boolean;
    }): Promise<void>;
    /** Declines an invitation to a room. @param {JID} jid @returns {Promise<void>} */
    declineRoom(jid: JID): Promise<void>;
    /** Ends a room for all who are in it; its owners alone may.
     * @param {JID} jid @param {{ reason?: string, successor?: JID }} [o] @returns {Promise<void>} */
    destroyRoom(jid: JID, o?: {
        reason?: string;
        successor?: JID;
    }): Promise<void>;
    /** The subject is sent; room.changed says when the room has it. @param {JID} jid @param {string} subject "" removes it */
    setSubject(jid: JID, subject: string): Promise<void>;
    /** Invites somebody. Nobody says whether an invitation has arrived.
     * @param {JID} jid @param {JID} to @param {{ reason?: string, via?: 'auto' | 'room' | 'direct' }} [o] */
    inviteToRoom(jid: JID, to: JID, o?: {
        reason?: string;
        via?: "auto" | "room" | "direct";
    }): Promise<void>;
    /** A page of those who are in a room, by nick; Perch.loadOccupants has them in the store.
     * @param {JID} jid @param {OccupantQuery} [query] @returns {Promise<OccupantPage>} */
    occupants(jid: JID, query?: OccupantQuery): Promise<OccupantPage>;
    /** @param {JID} jid @param {string} nick @param {Role} role none is a kick @param {{ reason?: string }} [o] */
    setRole(jid: JID, nick: string, role: Role, { reason }?: {
        reason?: string;
    }): Promise<void>;
    /** @param {JID} jid @param {string} nick @param {{ reason?: string }} [o] @returns {Promise<void>} */
    kick(jid: JID, nick: string, { reason }?: {
        reason?: string;
    }): Promise<void>;
    /** The lists that a room keeps; those who are banned are outcasts, and are only shown when asked for.
     * @param {JID} jid @param {{ affiliation?: Exclude<Affiliation, 'none'> }} [query] @returns {Promise<MemberList>} */
    members(jid: JID, query?: {
        affiliation?: Exclude<Affiliation, "none">;
    }): Promise<MemberList>;
    /** Gives an account an affiliation: outcast is a ban, none takes it off the lists.
     * @param {JID} jid @param {JID} member @param {Affiliation} affiliation @param {{ nick?: string, reason?: string }} [o] @returns {Promise<Member>} */
    setMember(jid: JID, member: JID, affiliation: Affiliation, o?: {
        nick?: string;
        reason?: string;
    }): Promise<Member>;
    /** @param {JID} jid @param {JID} member @param {{ reason?: string }} [o] @returns {Promise<void>} */
    removeMember(jid: JID, member: JID, { reason }?: {
        reason?: string;
    }): Promise<void>;
    /** @param {JID} jid @returns {Promise<RoomConfig>} */
    roomConfig(jid: JID): Promise<RoomConfig>;
    /** What is left out stays as it is. Resolves with what the room has then.
     * @param {JID} jid @param {RoomConfig} config @returns {Promise<RoomConfig>} */
    setRoomConfig(jid: JID, config: RoomConfig): Promise<RoomConfig>;
    /** The picture of a room, null where there is none. @param {JID} jid @returns {Promise<Blob | null>} */
    roomPhoto(jid: JID): Promise<Blob | null>;
    /** @param {JID} jid @param {string} data a PNG, JPEG, WebP or GIF in Base64 @returns {Promise<void>} */
    setRoomPhoto(jid: JID, data: string): Promise<void>;
    /** @param {JID} jid @returns {Promise<void>} */
    removeRoomPhoto(jid: JID): Promise<void>;
    /** Has the room retract a message of somebody else (XEP-0425); Perch.retract is for own ones.
     * @param {JID} jid @param {string} ref @param {{ reason?: string }} [o] @returns {Promise<void>} */
    moderate(jid: JID, ref: string, { reason }?: {
        reason?: string;
    }): Promise<void>;
    /** A page of the public rooms of a service, of the account's server if none is named. With q a page may
     * have no items, and there may be more. @param {{ service?: JID, q?: string, limit?: number, cursor?: string }} [query]
     * @returns {Promise<DirectoryPage>} */
    directory(query?: {
        service?: JID;
        q?: string;
        limit?: number;
        cursor?: string;
    }): Promise<DirectoryPage>;
}
import { Rest } from './rest.js';
import type { SignInAnswer } from '../types.d.ts';
import type { RoomPage } from '../types.d.ts';
import type { JID } from '../types.d.ts';
import type { Room } from '../types.d.ts';
import type { RoomJoin } from '../types.d.ts';
import type { RoomPatch } from '../types.d.ts';
import type { OccupantQuery } from '../types.d.ts';
import type { OccupantPage } from '../types.d.ts';
import type { Role } from '../types.d.ts';
import type { Affiliation } from '../types.d.ts';
import type { MemberList } from '../types.d.ts';
import type { Member } from '../types.d.ts';
import type { RoomConfig } from '../types.d.ts';
import type { DirectoryPage } from '../types.d.ts';
