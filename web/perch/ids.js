// Ids of messages, and positions in the gateway's log ("<epoch>-<number>").

/** An id for a message: 128 random bits. crypto.randomUUID would need a secure page. */
export function newID() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
}

/** The part of a position that names the log. @param {string} position */
export const logOf = (position) => position.slice(0, position.lastIndexOf('-'));

/** @param {string} position */
const numberOf = (position) => Number(position.slice(position.lastIndexOf('-') + 1));

/** Reports whether position a comes after b. Numbers increase inside a log; a position of
 * another log is always newer. @param {string} a @param {string} b */
export function isAfter(a, b) {
  return logOf(a) !== logOf(b) || numberOf(a) > numberOf(b);
}
