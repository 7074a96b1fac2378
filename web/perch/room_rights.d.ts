/** @param {Room | undefined} room @param {RoomRight} what */
export function mayIn(room: Room | undefined, what: RoomRight): boolean;
/** @param {Room | undefined} room @param {Occupant} other @param {OccupantRight} what @returns {boolean} */
export function mayDo(room: Room | undefined, other: Occupant, what: OccupantRight): boolean;
/** Reports whether a text or its mentions name the account. @param {StoredMessage} m @param {string} own @param {string} [nick] in the room */
export function named(m: StoredMessage, own: string, nick?: string): boolean;
export function mayModerate(room: Room | undefined, m: StoredMessage): boolean;
export type RoomRight = "speak" | "subject" | "invite" | "members" | "configure" | "destroy";
/**
 * What is done to an occupant.
 */
export type OccupantRight = "kick" | "voice" | "mute" | "ban" | "moderator" | Exclude<Affiliation, "outcast">;
import type { Room } from '../types.d.ts';
import type { Occupant } from '../types.d.ts';
import type { StoredMessage } from '../types.d.ts';
import type { Affiliation } from '../types.d.ts';
