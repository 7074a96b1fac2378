// The errors of the client: problems that the gateway answered with (RFC 9457), and what the
// client refuses by itself.

/** @import { Problem } from '../types.d.ts' */

/** The longest Retry-After that is obeyed, in milliseconds. */
const maxRetryAfter = 3_600_000;

/** An answer of the gateway that is no success, as RFC 9457 problem. */
export class PerchError extends Error {
  /** @param {number} status @param {Problem} problem @param {number} [retryAfter] in ms */
  constructor(status, problem, retryAfter = 0) {
    super(problem.detail || problem.title || problem.code);
    this.name = 'PerchError';
    this.status = status;
    /** The slug, such as "item-not-found". @type {Problem['code']} */
    this.code = problem.code;
    /** @type {Problem} */
    this.problem = problem;
    this.retryAfter = retryAfter;
  }

  /** Whether the same call may succeed later. */
  get temporary() {
    return this.status === 409 || this.status === 429 || this.status >= 503;
  }
}

/** Why the outbox gave a message up. */
export class OutboxError extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** The error of a response that is no success; a body that is no problem gives the code "http".
 * @param {Response} response */
export async function problemOf(response) {
  /** @type {Problem} */
  const problem = await response.json().catch(() => ({ status: response.status, code: 'http', title: `HTTP ${response.status}` }));
  return new PerchError(response.status, problem, retryAfterOf(response.headers.get('Retry-After')));
}

/** Seconds or a date (RFC 9110, 10.2.3), in milliseconds from now; 0 without a usable value.
 * @param {string | null} text */
function retryAfterOf(text) {
  if (!text) return 0;
  const ms = /^\s*\d+\s*$/.test(text) ? 1000 * Number(text) : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), maxRetryAfter) : 0;
}

/** What the client refuses without a request, in the form of a problem. @param {string} code @param {string} detail */
export function localError(code, detail) {
  const problem = { type: `/problems/${code}`, title: detail, status: 0, detail, instance: '', code, request_id: '' };
  return new PerchError(0, /** @type {any} */ (problem));
}
