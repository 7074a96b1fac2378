// What the account may do in a room, by its role and affiliation there (XEP-0045, 5) and by what the
// room can do. The room has the last word; this is for interfaces that offer only what can succeed.

import { sameAccount } from './jids.js';

/** @import { Affiliation, Occupant, Room, StoredMessage } from '../types.d.ts' */
/** @typedef {'speak' | 'subject' | 'invite' | 'members' | 'configure' | 'destroy'} RoomRight */
/** What is done to an occupant. @typedef {'kick' | 'voice' | 'mute' | 'ban' | 'moderator' | Exclude<Affiliation, 'outcast'>} OccupantRight */

const ranks = { outcast: 0, none: 1, member: 2, admin: 3, owner: 4 };

/** @param {Room | undefined} room @param {RoomRight} what */
export function mayIn(room, what) {
  if (room?.state !== 'joined') return false;
  const { affiliation, role, features } = room;
  switch (what) {
    case 'speak':
      return role !== 'visitor';
    case 'subject':
      return role === 'moderator';
    case 'invite':
      return !features.members_only || role === 'moderator';
    case 'members':
      return ranks[affiliation] >= ranks.admin;
    default:
      return affiliation === 'owner';
  }
}

/** @param {Room | undefined} room @param {Occupant} other @param {OccupantRight} what @returns {boolean} */
export function mayDo(room, other, what) {
  if (room?.state !== 'joined' || other.own) return false;
  const [mine, theirs] = [ranks[room.affiliation], ranks[other.affiliation]];
  const above = mine > theirs;
  const admin = mine >= ranks.admin;
  switch (what) {
    case 'kick':
      return room.role === 'moderator' && mine >= theirs && (above || (other.role !== 'moderator' && theirs < ranks.admin));
    case 'voice':
      return room.role === 'moderator' && other.role === 'visitor';
    case 'mute':
      return room.features.moderated && other.role === 'participant' && mayDo(room, other, 'kick');
    case 'moderator':
      return admin && above && other.role !== 'moderator' && other.role !== 'none';
    case 'ban':
      return admin && above && Boolean(other.jid);
    default:
      return Boolean(other.jid) && other.affiliation !== what && (mine === ranks.owner || (admin && above && ranks[what] <= ranks.member));
  }
}

/** Reports whether the account may have the room retract the message of another one (XEP-0425).
 * @param {Room | undefined} room @param {StoredMessage} m */
export const mayModerate = (room, m) =>
  room?.state === 'joined' && room.role === 'moderator' && room.features.moderation && m.direction === 'in' && Boolean(m.archive && m.ref);

/** Reports whether a text or its mentions name the account. @param {StoredMessage} m @param {string} own @param {string} [nick] in the room */
export function named(m, own, nick = '') {
  if (m.mentions?.some((x) => sameAccount(x.jid, own))) return true;
  if (!nick || !m.room) return false;
  const [text, word] = [m.body.toLowerCase(), nick.toLowerCase()];
  const letter = /[\p{L}\p{N}_]/u;
  for (let i = text.indexOf(word); i >= 0; i = text.indexOf(word, i + 1)) {
    const before = [...text.slice(Math.max(0, i - 2), i)].at(-1) ?? '';
    const after = [...text.slice(i + word.length, i + word.length + 2)][0] ?? '';
    if (!letter.test(before) && !letter.test(after)) return true;
  }
  return false;
}
