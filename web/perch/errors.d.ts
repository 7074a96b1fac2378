/** The error of a response that is no success; a body that is no problem gives the code "http".
 * @param {Response} response */
export function problemOf(response: Response): Promise<PerchError>;
/** What the client refuses without a request, in the form of a problem. @param {string} code @param {string} detail */
export function localError(code: string, detail: string): PerchError;
/** An answer of the gateway that is no success, as RFC 9457 problem. */
export class PerchError extends Error {
    /** @param {number} status @param {Problem} problem @param {number} [retryAfter] in ms */
    constructor(status: number, problem: Problem, retryAfter?: number);
    status: number;
    /** The slug, such as "item-not-found". @type {Problem['code']} */
    code: Problem["code"];
    /** @type {Problem} */
    problem: Problem;
    retryAfter: number;
    /** Whether the same call may succeed later. */
    get temporary(): boolean;
}
/** Why the outbox gave a message up. */
export class OutboxError extends Error {
    /** @param {string} code @param {string} message */
    constructor(code: string, message: string);
    code: string;
}
import type { Problem } from '../types.d.ts';
