// One event stream that is kept open, over whichever transport works.

import { Attempt } from './attempt.js';
import { jitter } from './backoff.js';
import { Commands } from './commands.js';
import { overSSE, overWebSocket } from './transports.js';

/** @import { ConnectionState, Frame, Options, SavedState } from '../types.d.ts' */
/** @import { Ending } from './attempt.js' */
/** @typedef {Options & { url: URL, fetch: typeof fetch }} StreamOptions */
/** @typedef {'ws' | 'sse'} Transport */

/**
 * What a source of frames needs of its client.
 * @typedef {object} Port
 * @property {(refused: boolean) => Promise<string>} token
 * @property {() => Promise<string>} ticket
 * @property {() => string} cursor
 * @property {(f: Frame) => void} frame
 * @property {(s: Partial<ConnectionState>) => void} state
 * @property {() => SavedState} save
 * @property {(s: SavedState) => void} restore
 * @property {import('./outbox.js').Outbox} outbox
 */

/** WebSockets in a row without hello, until SSE is tried instead. */
const maxBlockedSockets = 2;
/** How long SSE is kept before a WebSocket is tried again, in milliseconds. */
const sseTime = 600_000;
/** The longest wait when the gateway asks to reconnect at once, in milliseconds. */
const immediately = 250;

/** @param {number} ms @param {AbortSignal} signal ends the wait @returns {Promise<void>} */
const sleep = (ms, signal) =>
  new Promise((done) => {
    if (signal.aborted) return done();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      done();
    };
    const timer = ms === Infinity ? undefined : setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });

/** Keeps one event stream open: one attempt after the other, until stop. */
export class Stream {
  #options;
  #port;
  #stopping = new AbortController();
  /** Ends the wait between two attempts. */ #waiting = new AbortController();
  #connects = 0;
  /** Attempts in a row that did not last. */ #failures = 0;
  /** WebSockets in a row without hello. */ #blockedSockets = 0;
  /** Until when SSE is taken, in milliseconds. */ #sseUntil = 0;
  /** Whether the token was refused, so that the next attempt asks for another one. */ #tokenRefused = false;
  #commands = new Commands();
  /** Writes to the socket that is open. @type {((text: string) => void) | null} */ #write = null;

  /** @param {StreamOptions} options @param {Port} port */
  constructor(options, port) {
    this.#options = options;
    this.#port = port;
  }

  start() {
    globalThis.addEventListener?.('online', this.#onWake);
    globalThis.document?.addEventListener('visibilitychange', this.#onWake);
    void this.#run();
  }

  stop() {
    globalThis.removeEventListener?.('online', this.#onWake);
    globalThis.document?.removeEventListener('visibilitychange', this.#onWake);
    this.#stopping.abort();
    this.#waiting.abort();
  }

  /** Ends the wait between two attempts; connects again after an ending that stopped the stream. */
  reconnectNow() {
    this.#waiting.abort();
  }

  /** Sends a command over the socket; see Commands. @param {string} type @param {unknown} data @param {AbortSignal} [signal] */
  command(type, data, signal) {
    return this.#commands.send(this.#write, type, data, signal);
  }

  #onWake = () => {
    if (globalThis.document?.visibilityState !== 'hidden') this.reconnectNow();
  };

  async #run() {
    while (!this.#stopping.signal.aborted) {
      const transport = this.#transport();
      this.#port.state({ state: 'connecting', transport, retryIn: 0 });
      const { code, reason, retryAfter } = await this.#connect(transport);
      if (this.#stopping.signal.aborted) return;
      const delay = this.#retryDelay(code, retryAfter);
      this.#waiting = new AbortController();
      if (delay === Infinity) this.#port.state({ state: 'stopped', code, reason, retryIn: 0 });
      else this.#port.state({ state: 'waiting', code, reason, retryIn: delay });
      await sleep(delay, this.#waiting.signal);
    }
  }

  /** @returns {Transport} */
  #transport() {
    const { transport } = this.#options;
    if (transport === 'ws' || transport === 'sse') return transport;
    return this.#socketClass() === undefined || Date.now() < this.#sseUntil ? 'sse' : 'ws';
  }

  #socketClass() {
    return this.#options.WebSocket ?? globalThis.WebSocket;
  }

  /** One connection, from its handshake to its end. Never rejects. @param {Transport} transport @returns {Promise<Ending>} */
  async #connect(transport) {
    const attempt = new Attempt((f) => this.#commands.take(f) || this.#onFrame(f, transport), this.#options.silence);
    const abort = () => attempt.abort();
    this.#stopping.signal.addEventListener('abort', abort);
    const ending = await attempt.run(async () => {
      const target = await this.#target(transport);
      if (transport === 'ws') return overWebSocket(this.#socketClass(), target, attempt, (write) => (this.#write = write));
      return overSSE(this.#options.fetch, target, attempt);
    });
    this.#stopping.signal.removeEventListener('abort', abort);
    this.#write = null;
    this.#commands.close();
    if (attempt.stable) this.#failures = 0;
    if (!attempt.greeted && ending.code < 4000) this.#onBlocked(transport);
    return ending;
  }

  /** @param {Frame} f @param {Transport} transport */
  #onFrame(f, transport) {
    if (f.type === 'hello') {
      if (transport === 'ws') this.#blockedSockets = 0;
      this.#tokenRefused = false;
      this.#connects++;
    }
    this.#port.frame(f);
    if (f.type === 'live') this.#port.state({ state: 'live', transport, retryIn: 0, connects: this.#connects });
  }

  /** A connection failed before hello, perhaps because of its transport. @param {Transport} transport */
  #onBlocked(transport) {
    if (transport === 'sse') {
      this.#sseUntil = 0; // neither works: they are tried in turn
      return;
    }
    if (++this.#blockedSockets < maxBlockedSockets || this.#options.transport === 'ws' || this.#options.ticket) return;
    this.#blockedSockets = 0;
    this.#sseUntil = Date.now() + sseTime;
  }

  /** Where to connect, and what to show there. @param {Transport} transport @returns {Promise<import('./transports.js').Target>} */
  async #target(transport) {
    const url = new URL(transport === 'ws' ? '/v1/events/ws' : '/v1/events', this.#options.url);
    if (transport === 'ws') url.protocol = url.protocol.replace('http', 'ws');
    if (this.#port.cursor()) url.searchParams.set('since', this.#port.cursor());
    if (this.#options.upstream) url.searchParams.set('upstream', this.#options.upstream);
    if (this.#options.stanzas) url.searchParams.set('types', '*,stanza');
    /** @type {Record<string, string>} */ const headers = { Accept: 'text/event-stream' };
    const protocols = ['perch.v1'];
    if (transport === 'ws' && (this.#options.ticket || this.#options.auth === 'ticket')) {
      url.searchParams.set('ticket', await this.#port.ticket());
    } else {
      const token = await this.#port.token(this.#tokenRefused);
      headers.Authorization = `Bearer ${token}`;
      protocols.push(`perch.bearer.${base64url(token)}`);
    }
    return { url, headers, protocols };
  }

  /** How long to wait after an ending, by the range of its close code; Infinity: until reconnectNow.
   * @param {number} code @param {number} [retryAfter] */
  #retryDelay(code, retryAfter = 0) {
    if (code === 4001 && typeof this.#options.token === 'function' && !this.#tokenRefused) {
      this.#tokenRefused = true;
      return 0;
    }
    if (code >= 4000 && code <= 4099) return Infinity;
    const atOnce = code >= 4200 && code <= 4299 && this.#failures === 0;
    this.#failures++;
    return Math.max(retryAfter, atOnce ? Math.random() * immediately : jitter(this.#failures - 1, this.#options.backoff));
  }
}

/** @param {string} text */
const base64url = (text) => btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
