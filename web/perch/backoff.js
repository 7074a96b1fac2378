/** Limits of a back-off, in milliseconds. @typedef {{ base?: number, cap?: number }} BackoffOptions */

/** Full jitter: a random part of base * 2^n, at most cap.
 * @param {number} n attempts that failed before @param {BackoffOptions} [o] */
export function jitter(n, o = {}) {
  return Math.random() * ceiling(n, o);
}

/** At least half of the ceiling and the rest random, for requests that are only a probe: no
 * draw may make them frequent. @param {number} n @param {BackoffOptions} o */
export function halfJitter(n, o) {
  const most = ceiling(n, o);
  return most / 2 + (Math.random() * most) / 2;
}

/** @param {number} n @param {BackoffOptions} o */
function ceiling(n, o) {
  return Math.min(o.cap ?? 30_000, (o.base ?? 500) * 2 ** Math.min(n, 20));
}

/** The one back-off of everything that an outbox sends: after a failure all of it waits. */
export class Backoff {
  #options;
  #probe;
  #failures = 0;
  #until = 0;
  /** What a Retry-After has asked for; a stream that is back does not shorten it. */ #floor = 0;

  /** @param {BackoffOptions} [o] */
  constructor(o = {}) {
    this.#options = o;
    this.#probe = { base: 10 * (o.base ?? 500), cap: 2 * (o.cap ?? 30_000) };
  }

  /** Milliseconds until the next request may be made; 0: now. */
  get wait() {
    return Math.max(0, this.#until - Date.now(), this.#floor - Date.now());
  }

  /** Reports whether the next request is a probe, so that only one may be under way. */
  get probing() {
    return this.#failures > 0;
  }

  /** A request has failed for a temporary reason.
   * @param {number} retryAfter in milliseconds, 0 if the answer named none
   * @param {boolean} away whether the stream is away too */
  failed(retryAfter, away) {
    const now = Date.now();
    this.#floor = Math.max(this.#floor, now + retryAfter);
    if (this.#failures > 0 && this.#until > now) return; // one of several that were under way together
    const n = this.#failures++;
    this.#until = now + (away ? halfJitter(n, this.#probe) : jitter(n, this.#options));
  }

  /** The stream is away: no request but a probe, and the first one not at once. */
  away() {
    this.#failures = Math.max(this.#failures, 1);
    this.#until = Math.max(this.#until, Date.now() + halfJitter(this.#failures - 1, this.#probe));
  }

  /** The gateway answers again. */
  succeeded() {
    this.#failures = 0;
    this.#until = 0;
  }
}
