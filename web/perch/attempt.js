// One connection of the event stream, and how it ended.

import { PerchError } from './errors.js';

/** @import { Frame } from '../types.d.ts' */

/** Why a connection ended, as a close code (docs/events.md). retryAfter is in milliseconds.
 * @typedef {{ code: number, reason: string, retryAfter?: number }} Ending */

/** Silence that ends a connection before hello, in milliseconds: a first login may take 15 s. */
const handshakeSilence = 25_000;
/** A connection that lasted for as long as this ends a series of failures, in milliseconds. */
const stableAfter = 10_000;

/** The state of one connection from its handshake to its end. It is over when the transport
 * ends, when abort is called, or when nothing has arrived for too long. */
export class Attempt {
  /** Whether hello has arrived. */
  greeted = false;

  #onFrame;
  #heartbeatSilence;
  #silence = handshakeSilence;
  #silent = false;
  /** What the gateway has said before it closes. @type {Ending | null} */ #announced = null;
  #abort = new AbortController();
  #began = Date.now();
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;

  /** @param {(f: Frame) => void} onFrame
   * @param {number} [silence] silence that ends the connection after hello, in milliseconds; 2 heartbeats + 5 s if not given */
  constructor(onFrame, silence) {
    this.#onFrame = onFrame;
    this.#heartbeatSilence = silence;
  }

  /** Aborted when the transport has to end. */
  get signal() {
    return this.#abort.signal;
  }

  /** Whether the connection has lasted, so that the next one is no repeated failure. */
  get stable() {
    return this.greeted && Date.now() - this.#began > stableAfter;
  }

  abort() {
    this.#abort.abort();
  }

  /** Runs a transport to its end. Never rejects. @param {() => Promise<Ending>} transport @returns {Promise<Ending>} */
  async run(transport) {
    this.heard();
    const ending = await transport().then((e) => this.#announced ?? e, endingOf);
    clearTimeout(this.#timer);
    return this.#silent ? { code: 4102, reason: 'nothing was heard' } : ending;
  }

  /** Bytes have arrived: the silence begins again. */
  heard() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#silent = true;
      this.abort();
    }, this.#silence);
  }

  /** A frame has arrived. @param {Frame} f */
  frame(f) {
    if (f.type === 'hello') {
      this.greeted = true;
      this.#silence = this.#heartbeatSilence ?? 2 * f.data.heartbeat_ms + 5000;
    }
    if (f.type === 'error' && f.close) this.#announced = { code: f.close.code, reason: f.close.reason };
    this.heard();
    this.#onFrame(f);
  }
}

/** The ending of a connection that failed. @param {unknown} error @returns {Ending} */
function endingOf(error) {
  if (error instanceof PerchError) return { code: closeCodeOf(error.status), reason: error.code, retryAfter: error.retryAfter };
  return { code: 1006, reason: error instanceof Error ? error.message : '' };
}

/** The close code that means the same as the status of a refused request. @param {number} status */
function closeCodeOf(status) {
  if (status === 401) return 4001;
  if (status === 403) return 4003;
  const final = status >= 400 && status < 500 && status !== 408 && status !== 429;
  return final ? 4000 : 4100;
}
