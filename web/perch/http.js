// One HTTP request with the bearer token, and a second one when the token was refused.

import { commandOf } from './commands.js';
import { localError, problemOf } from './errors.js';
import { putFile } from './uploads_put.js';

/** @import { Options } from '../types.d.ts' */
/** @typedef {{ method: string, path: string, body: unknown, status: number }} Call */
/** @typedef {{ body?: unknown, headers?: Record<string, string>, as?: 'json' | 'blob', signal?: AbortSignal }} RequestOptions */

/** Makes requests with the account's bearer token, which it keeps. */
export class HTTPClient {
  #options;
  #onCall;
  #token = '';
  /** Makes a request as a command of the socket, for a page that has no token.
   * @type {((type: string, data: unknown, signal?: AbortSignal) => Promise<any>) | null} */
  overSocket = null;
  /** The fetch of the options, or the platform's. @type {typeof fetch} */ fetch;

  /** @param {Options} options @param {(call: Call) => void} onCall is given every call that was answered */
  constructor(options, onCall) {
    this.#options = options;
    this.#onCall = onCall;
    this.fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
  }

  /** Makes a request; one whose token was refused is made again with a fresh token, if a
   * function supplies tokens. @param {string} method @param {URL} url @param {RequestOptions} o @returns {Promise<any>} */
  async request(method, url, o) {
    if (this.overSocket) {
      const command = commandOf(method, url, o.body);
      if (!command) throw localError('no-token', 'A page without a token has events, and what the socket has commands for');
      return this.overSocket(...command, o.signal);
    }
    const fetch = this.fetch;
    const response = await this.#twice(method, url, o.body, (token) => fetch(url, init(method, token, o)));
    if (response.status === 204) return undefined;
    return o.as === 'blob' ? response.blob() : response.json();
  }

  /** Sends a file to the gateway; moved is called with the bytes so far. @param {URL} url
   * @param {{ file: Blob, signal: AbortSignal, moved: (bytes: number) => void }} job @returns {Promise<any>} */
  async put(url, { file, signal, moved }) {
    const headers = { Accept: 'application/json', 'Content-Type': 'application/octet-stream' };
    const send = (/** @type {string} */ token) =>
      putFile(this.fetch, { url, headers: { ...headers, ...(token && { Authorization: `Bearer ${token}` }) }, file, signal, moved });
    return (await this.#twice('PUT', url, undefined, send)).json();
  }

  /** @param {string} method @param {URL} url @param {unknown} body @param {(token: string) => Promise<Response>} send */
  async #twice(method, url, body, send) {
    if (this.#options.upstream) url.searchParams.set('upstream', this.#options.upstream);
    for (let refused = false; ; refused = true) {
      const response = await send(await this.bearer(refused));
      this.#report({ method, path: url.pathname + url.search, body, status: response.status });
      if (response.status === 401 && !refused && typeof this.#options.token === 'function') continue;
      if (!response.ok) throw await problemOf(response);
      return response;
    }
  }

  /** The token to send, "" for none. @param {boolean} refused whether the last one was refused */
  async bearer(refused) {
    const o = this.#options;
    if (typeof o.token !== 'function') return this.#token || (this.#token = o.token ?? '');
    if (refused || !this.#token) this.#token = await o.token({ refused });
    return this.#token;
  }

  /** The upstream has another credential: it is the next bearer token, unless the gateway
   * issued a token of its own. @param {string | undefined} token */
  replaceToken(token) {
    if (token && !this.#token.startsWith('perch_')) this.#token = token;
  }

  /** @param {Call} call */
  #report(call) {
    this.#options.onRequest?.(call);
    this.#onCall(call);
  }
}

/** @param {string} method @param {string} token @param {RequestOptions} o @returns {RequestInit} */
function init(method, token, o) {
  return {
    method,
    ...(o.signal && { signal: o.signal }),
    headers: {
      Accept: o.as === 'blob' ? 'image/*' : 'application/json',
      ...(token && { Authorization: `Bearer ${token}` }),
      ...(o.body !== undefined && { 'Content-Type': 'application/json' }),
      ...o.headers,
    },
    ...(o.body !== undefined && { body: JSON.stringify(o.body) }),
  };
}
