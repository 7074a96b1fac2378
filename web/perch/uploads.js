// Files on their way to the upload service of the XMPP server (XEP-0363): a slot, the bytes, and the way
// through the gateway where the service does not let a page in.

import { PerchError, localError } from './errors.js';
import { putFile } from './uploads_put.js';

/** @import { Attachment, Upload, UploadOptions } from '../types.d.ts' */
/** @import { HTTPClient } from './http.js' */
/** @import { Rest } from './rest.js' */

/** How long a file waits for the gateway to have room for it, in milliseconds: a slot is good for five minutes. */
const patience = 240_000;

/** What is sent, and who is told. @typedef {{ file: Blob, name: string, type: string, signal: AbortSignal, moved: (bytes: number) => void }} Job */

/** The uploads of one account. One file goes at a time, in the order of the calls: the gateway takes no
 * more of a session. */
export class Uploads {
  #rest;
  #http;
  /** Resolves when every file so far has ended. @type {Promise<unknown>} */ #last = Promise.resolve();
  /** Origins of services that do not let this page in. @type {Set<string>} */ #closed = new Set();

  /** @param {Rest} rest @param {HTTPClient} http */
  constructor(rest, http) {
    this.#rest = rest;
    this.#http = http;
  }

  /** @param {Blob} file @param {UploadOptions} o @returns {Promise<Attachment>} */
  async upload(file, { name = nameOf(file), type = file.type, signal = new AbortController().signal, onProgress }) {
    const end = await this.#turn(signal);
    try {
      const moved = (/** @type {number} */ bytes) => onProgress?.(Math.min(bytes, file.size), file.size);
      const url = await this.#attempt({ file, name, type, signal, moved }, true);
      moved(file.size);
      return { url, name, size: file.size, ...(type && { type }) };
    } finally {
      end();
    }
  }

  /** Waits for the files before; the result lets the next one begin. @param {AbortSignal} signal */
  async #turn(signal) {
    const before = this.#last;
    let end = () => {};
    const over = new Promise((done) => (end = () => done(undefined)));
    this.#last = before.then(() => over);
    try {
      await unlessAborted(before, signal);
    } catch (e) {
      end();
      throw e;
    }
    return end;
  }

  /** Resolves with the address that others read the file from. A gateway that does not know the slot any
   * more, such as another node, is asked for another one, once. @param {Job} job @param {boolean} again @returns {Promise<string>} */
  async #attempt(job, again) {
    const { file, name, type, signal } = job;
    const slot = await this.#rest.createUpload({ name, size: file.size, ...(type && { type }) }, { signal });
    try {
      await this.#put(job, slot);
      return slot.get_url;
    } catch (e) {
      if (again && e instanceof PerchError && e.status === 404) return this.#attempt(job, false);
      throw e;
    }
  }

  /** To the service, or where it gives no answer, as to a page without CORS, to the gateway if that takes
   * files. What the service refuses it would refuse from there too. @param {Job} job @param {Upload} slot */
  async #put(job, slot) {
    const { origin } = new URL(slot.put.url);
    if (!slot.proxy_only && !(slot.proxy_url && (this.#closed.has(origin) || unreachable(slot)))) {
      const { status, moved } = await this.#direct(job, slot);
      if (status >= 200 && status < 300) return;
      if (status) throw refused(status);
      if (slot.proxy_url && !moved) this.#closed.add(origin);
    }
    if (!slot.proxy_url) throw localError('upload-refused', noWay(slot));
    await this.#proxied(job, slot.proxy_url);
  }

  /** Resolves with the status of the answer, 0 for none, and whether anything has moved. @param {Job} job @param {Upload} slot */
  async #direct(job, { put: { url, headers } }) {
    let moved = false;
    const put = {
      ...job,
      url,
      headers: { ...headers, 'Content-Type': job.type || 'application/octet-stream' },
      moved: (/** @type {number} */ bytes) => ((moved = moved || bytes > 0), job.moved(bytes)),
    };
    try {
      const response = await putFile(this.#http.fetch, put);
      await response.body?.cancel();
      return { status: response.status, moved };
    } catch (e) {
      if (job.signal.aborted || e instanceof PerchError) throw e;
      return { status: 0, moved };
    }
  }

  /** Another tab, or a busy gateway, is waited for. @param {Job} job @param {string} path */
  async #proxied(job, path) {
    const url = new URL(path, this.#rest.url);
    if (url.origin !== this.#rest.url.origin) throw localError('upload-refused', 'The gateway names another host for its own'); // which would get the token
    for (const end = Date.now() + patience; ;) {
      try {
        return await this.#http.put(url, job);
      } catch (e) {
        const busy = e instanceof PerchError && (e.status === 409 || e.status === 429);
        if (!busy || Date.now() > end) throw e;
        await pause(e.retryAfter || 1000, job.signal);
      }
    }
  }
}

/** A file has a name of its own, other bytes have none. @param {Blob & { name?: string }} file */
const nameOf = (file) => file.name || 'file';

/** Reports whether a page cannot send what the slot needs. @param {Upload} slot */
function unreachable({ put: { url, headers } }) {
  if (!globalThis.XMLHttpRequest) return false;
  const cookie = Object.keys(headers).some((name) => name.toLowerCase() === 'cookie');
  return cookie || (globalThis.location?.protocol === 'https:' && url.startsWith('http:'));
}

/** Why there is no way for a file. @param {Upload} slot */
function noWay({ proxy_only: only }) {
  if (only) return 'The file is larger than the gateway takes';
  const page = globalThis.XMLHttpRequest ? ', or lets no page of this origin in' : '';
  return `The upload service cannot be reached${page}, and the gateway takes no file in its place`;
}

/** What the gateway says, too, of a file that the service has refused. @param {number} status */
function refused(status) {
  const detail = `The upload service answered ${status}`;
  const problem = { type: '/problems/upload-refused', title: detail, status: 502, detail, instance: '', code: 'upload-refused' };
  return new PerchError(502, /** @type {any} */ ({ ...problem, request_id: '', upstream_status: status }));
}

/** @template T @param {Promise<T>} promise @param {AbortSignal} signal @returns {Promise<T>} */
async function unlessAborted(promise, signal) {
  signal.throwIfAborted();
  let abort = () => {};
  const aborted = new Promise((_, fail) => signal.addEventListener('abort', (abort = () => fail(signal.reason))));
  try {
    return await Promise.race([promise, /** @type {Promise<never>} */ (aborted)]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** @param {number} ms @param {AbortSignal} signal */
async function pause(ms, signal) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */ let timer;
  try {
    await unlessAborted(new Promise((done) => (timer = setTimeout(done, ms))), signal);
  } finally {
    clearTimeout(timer);
  }
}
