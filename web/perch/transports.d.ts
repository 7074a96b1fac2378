/** @import { Attempt, Ending } from './attempt.js' */
/** What a transport connects to, with what it has to show.
 * @typedef {{ url: URL, headers: Record<string, string>, protocols: string[] }} Target */
/** @param {typeof WebSocket} Socket @param {Target} target @param {Attempt} attempt
 * @param {(write: (text: string) => void) => void} [opened] is given what writes to the socket @returns {Promise<Ending>} */
export function overWebSocket(Socket: typeof WebSocket, { url, protocols }: Target, attempt: Attempt, opened?: (write: (text: string) => void) => void): Promise<Ending>;
/** SSE by fetch, because EventSource can set no header.
 * @param {typeof fetch} fetch @param {Target} target @param {Attempt} attempt @returns {Promise<Ending>} */
export function overSSE(fetch: typeof globalThis.fetch, { url, headers }: Target, attempt: Attempt): Promise<Ending>;
/**
 * What a transport connects to, with what it has to show.
 */
export type Target = {
    url: URL;
    headers: Record<string, string>;
    protocols: string[];
};
import type { Attempt } from './attempt.js';
import type { Ending } from './attempt.js';
