/** The stored message that an item of the archive is a copy of: by the archive's id, else by
 * the message's own id. Some clients number from 1 again after each start, so text and
 * direction must agree too, except for what was written here.
 * @param {StoredMessage[]} list @param {Item} item @returns {StoredMessage | undefined} */
export function findDuplicateOfItem(list: StoredMessage[], item: Item): StoredMessage | undefined;
/** The stored message that an event is a copy of. Inside one log the gateway has each
 * message once, so a message that came as an event is the same one only if it was written
 * here, has the same id of the archive, or was read from the archive into another log.
 * @param {StoredMessage[]} list @param {'in' | 'out'} direction @param {MessageData} d
 * @param {string} event @param {string} time @returns {StoredMessage | undefined} */
export function findDuplicateOfEvent(list: StoredMessage[], direction: "in" | "out", d: MessageData, event: string, time: string): StoredMessage | undefined;
/** Keeps a list in order of time; the later arrival is last among equals. What waits to be sent
 * comes after everything that was sent: it moves to its place when it is.
 * @param {StoredMessage[]} list @param {StoredMessage} m */
export function insert(list: StoredMessage[], m: StoredMessage): void;
import type { StoredMessage } from '../types.d.ts';
import type { Item } from './pages.js';
import type { MessageData } from '../types.d.ts';
