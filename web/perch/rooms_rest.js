// The REST calls about rooms (XEP-0045), one method for each operation.

import { PerchError } from './errors.js';
import { Rest } from './rest.js';

/** @import { Affiliation, DirectoryPage, JID, Member, MemberList, OccupantPage, OccupantQuery, Role } from '../types.d.ts' */
/** @import { Room, RoomConfig, RoomJoin, RoomPage, RoomPatch, SignInAnswer } from '../types.d.ts' */

/** @param {JID} jid @param {...string} more */
const pathOf = (jid, ...more) => ['/v1/rooms', ...[jid, ...more].map(encodeURIComponent)].join('/');

/** The calls of Rest, and those about rooms. */
export class RoomsRest extends Rest {
  /** Whether the session joins the rooms of the account's bookmarks by itself, and follows what other
   * devices change of them. @param {boolean} on @returns {Promise<SignInAnswer>} */
  setAutojoin(on) {
    return this.request('POST', '/v1/session', { body: { rooms: on ? 'autojoin' : null } });
  }

  /** @param {{ state?: 'joined' | 'bookmarked' | 'invited', limit?: number, cursor?: string }} [query] @returns {Promise<RoomPage>} */
  listRooms(query = {}) {
    return this.request('GET', '/v1/rooms', { query });
  }

  /** @param {JID} jid @returns {Promise<Room>} */
  getRoom(jid) {
    return this.request('GET', pathOf(jid));
  }

  /** Joins a room, now and after every login, and makes it if there is none. It is bookmarked, unless
   * autojoin is null. Resolves when the room has decided, or after 20 seconds; with wait false at once:
   * room.state says what becomes of it. @param {JID} jid @param {RoomJoin & { wait?: boolean }} [how] @returns {Promise<Room>} */
  joinRoom(jid, { wait = true, ...how } = {}) {
    return this.request('PUT', pathOf(jid), { query: wait ? { wait: 'joined' } : {}, body: how });
  }

  /** Changes the own nick, the bookmark, and what becomes events. @param {JID} jid @param {RoomPatch} change @returns {Promise<Room>} */
  changeRoom(jid, change) {
    return this.request('PATCH', pathOf(jid), { body: change });
  }

  /** Leaves a room; with forget its bookmark goes too. @param {JID} jid @param {{ forget?: boolean }} [o] @returns {Promise<void>} */
  async leaveRoom(jid, { forget = false } = {}) {
    await this.request('DELETE', pathOf(jid), { query: forget ? { forget: 1 } : {} });
  }

  /** Declines an invitation to a room. @param {JID} jid @returns {Promise<void>} */
  async declineRoom(jid) {
    await this.request('DELETE', pathOf(jid));
  }

  /** Ends a room for all who are in it; its owners alone may.
   * @param {JID} jid @param {{ reason?: string, successor?: JID }} [o] @returns {Promise<void>} */
  async destroyRoom(jid, o = {}) {
    await this.request('POST', `${pathOf(jid)}/destroy`, { body: o });
  }

  /** The subject is sent; room.changed says when the room has it. @param {JID} jid @param {string} subject "" removes it */
  async setSubject(jid, subject) {
    await this.request('PUT', `${pathOf(jid)}/subject`, { body: { subject } });
  }

  /** Invites somebody. Nobody says whether an invitation has arrived.
   * @param {JID} jid @param {JID} to @param {{ reason?: string, via?: 'auto' | 'room' | 'direct' }} [o] */
  async inviteToRoom(jid, to, o = {}) {
    await this.request('POST', `${pathOf(jid)}/invitations`, { body: { to, ...o } });
  }

  /** A page of those who are in a room, by nick; Perch.loadOccupants has them in the store.
   * @param {JID} jid @param {OccupantQuery} [query] @returns {Promise<OccupantPage>} */
  occupants(jid, query = {}) {
    return this.request('GET', `${pathOf(jid)}/occupants`, { query });
  }

  /** @param {JID} jid @param {string} nick @param {Role} role none is a kick @param {{ reason?: string }} [o] */
  async setRole(jid, nick, role, { reason } = {}) {
    await this.request('PATCH', pathOf(jid, 'occupants', nick), { body: { role, ...(reason && { reason }) } });
  }

  /** @param {JID} jid @param {string} nick @param {{ reason?: string }} [o] @returns {Promise<void>} */
  async kick(jid, nick, { reason } = {}) {
    await this.request('DELETE', pathOf(jid, 'occupants', nick), { query: { reason: reason || undefined } });
  }

  /** The lists that a room keeps; those who are banned are outcasts, and are only shown when asked for.
   * @param {JID} jid @param {{ affiliation?: Exclude<Affiliation, 'none'> }} [query] @returns {Promise<MemberList>} */
  members(jid, query = {}) {
    return this.request('GET', `${pathOf(jid)}/members`, { query });
  }

  /** Gives an account an affiliation: outcast is a ban, none takes it off the lists.
   * @param {JID} jid @param {JID} member @param {Affiliation} affiliation @param {{ nick?: string, reason?: string }} [o] @returns {Promise<Member>} */
  setMember(jid, member, affiliation, o = {}) {
    return this.request('PUT', pathOf(jid, 'members', member), { body: { affiliation, ...o } });
  }

  /** @param {JID} jid @param {JID} member @param {{ reason?: string }} [o] @returns {Promise<void>} */
  async removeMember(jid, member, { reason } = {}) {
    await this.request('DELETE', pathOf(jid, 'members', member), { query: { reason: reason || undefined } });
  }

  /** @param {JID} jid @returns {Promise<RoomConfig>} */
  roomConfig(jid) {
    return this.request('GET', `${pathOf(jid)}/config`);
  }

  /** What is left out stays as it is. Resolves with what the room has then.
   * @param {JID} jid @param {RoomConfig} config @returns {Promise<RoomConfig>} */
  setRoomConfig(jid, config) {
    return this.request('PATCH', `${pathOf(jid)}/config`, { body: config });
  }

  /** The picture of a room, null where there is none. @param {JID} jid @returns {Promise<Blob | null>} */
  async roomPhoto(jid) {
    try {
      return await this.request('GET', `${pathOf(jid)}/photo`, { as: 'blob' });
    } catch (e) {
      if (e instanceof PerchError && e.status === 404) return null;
      throw e;
    }
  }

  /** @param {JID} jid @param {string} data a PNG, JPEG, WebP or GIF in Base64 @returns {Promise<void>} */
  async setRoomPhoto(jid, data) {
    await this.request('PUT', `${pathOf(jid)}/photo`, { body: { data } });
  }

  /** @param {JID} jid @returns {Promise<void>} */
  async removeRoomPhoto(jid) {
    await this.request('DELETE', `${pathOf(jid)}/photo`);
  }

  /** Has the room retract a message of somebody else (XEP-0425); Perch.retract is for own ones.
   * @param {JID} jid @param {string} ref @param {{ reason?: string }} [o] @returns {Promise<void>} */
  async moderate(jid, ref, { reason } = {}) {
    await this.deleteMessage(jid, ref, { ...(reason && { reason }) });
  }

  /** A page of the public rooms of a service, of the account's server if none is named. With q a page may
   * have no items, and there may be more. @param {{ service?: JID, q?: string, limit?: number, cursor?: string }} [query]
   * @returns {Promise<DirectoryPage>} */
  directory(query = {}) {
    return this.request('GET', '/v1/directory', { query });
  }
}
