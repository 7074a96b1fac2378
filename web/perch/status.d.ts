/** The message with a status, or the message itself when its own is newer and nothing changes:
 * the answer of a request may come after an event that is newer.
 * @param {StoredMessage} m @param {StoredMessage['status']} status @param {string} [error]
 * @param {string} [time] when the service had it @returns {StoredMessage} */
export function advance(m: StoredMessage, status: StoredMessage["status"], error?: string, time?: string): StoredMessage;
import type { StoredMessage } from '../types.d.ts';
