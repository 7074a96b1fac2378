/** An id for a message: 128 random bits. crypto.randomUUID would need a secure page. */
export function newID(): string;
/** Reports whether position a comes after b. Numbers increase inside a log; a position of
 * another log is always newer. @param {string} a @param {string} b */
export function isAfter(a: string, b: string): boolean;
export function logOf(position: string): string;
