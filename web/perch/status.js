// The status of a message that was sent: one step after the other, never back.

/** @import { StoredMessage } from '../types.d.ts' */

/** The order of the statuses of a message that was accepted. */
const order = ['pending', 'accepted', 'sent', 'acked', 'delivered', 'displayed'];

/** The message with a status, or the message itself when its own is newer and nothing changes:
 * the answer of a request may come after an event that is newer.
 * @param {StoredMessage} m @param {StoredMessage['status']} status @param {string} [error]
 * @param {string} [time] when the service had it @returns {StoredMessage} */
export function advance(m, status, error, time) {
  const [from, to] = [order.indexOf(m.status ?? ''), order.indexOf(status ?? '')];
  const reached = time && to >= order.indexOf('sent') && !m.reached ? { reached: time } : {};
  if ((to >= 0 && from > to) || (m.status === status && m.error === error)) return 'reached' in reached ? { ...m, ...reached } : m;
  const { error: _, ...rest } = m;
  return { ...rest, ...reached, ...(status && { status }), ...(error && { error }) };
}
