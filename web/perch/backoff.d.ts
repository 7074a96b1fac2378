/** Limits of a back-off, in milliseconds. @typedef {{ base?: number, cap?: number }} BackoffOptions */
/** Full jitter: a random part of base * 2^n, at most cap.
 * @param {number} n attempts that failed before @param {BackoffOptions} [o] */
export function jitter(n: number, o?: BackoffOptions): number;
/** At least half of the ceiling and the rest random, for requests that are only a probe: no
 * draw may make them frequent. @param {number} n @param {BackoffOptions} o */
export function halfJitter(n: number, o: BackoffOptions): number;
/** The one back-off of everything that an outbox sends: after a failure all of it waits. */
export class Backoff {
    /** @param {BackoffOptions} [o] */
    constructor(o?: BackoffOptions);
    /** Milliseconds until the next request may be made; 0: now. */
    get wait(): number;
    /** Reports whether the next request is a probe, so that only one may be under way. */
    get probing(): boolean;
    /** A request has failed for a temporary reason.
     * @param {number} retryAfter in milliseconds, 0 if the answer named none
     * @param {boolean} away whether the stream is away too */
    failed(retryAfter: number, away: boolean): void;
    /** The stream is away: no request but a probe, and the first one not at once. */
    away(): void;
    /** The gateway answers again. */
    succeeded(): void;
    #private;
}
/**
 * Limits of a back-off, in milliseconds.
 */
export type BackoffOptions = {
    base?: number;
    cap?: number;
};
