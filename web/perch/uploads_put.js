// One PUT of a file, with progress: by XMLHttpRequest in pages, where fetch reports none and sends a stream
// without its length; by a stream of a known length in Node; else by fetch, without progress.

import { localError } from './errors.js';

/** @typedef {{ url: string | URL, headers: Record<string, string>, file: Blob, signal: AbortSignal, moved: (bytes: number) => void }} FilePut
 * moved is called with the bytes so far */

/** Bytes of a file that are read at once. */
const chunk = 65_536;
/** How long nothing of a file may move, and its answer may take, in milliseconds. */
const stallTime = 120_000;

/** Sends a file. Rejects with the reason of the signal; with a TypeError when there was no answer, as fetch
 * does; and with upstream-timeout when nothing moves any more.
 * @param {typeof fetch} fetch @param {FilePut} put @returns {Promise<Response>} */
export async function putFile(fetch, put) {
  put.signal.throwIfAborted();
  const way = globalThis.XMLHttpRequest ? byXHR : streams() ? byStream : whole;
  const control = new AbortController();
  const abort = () => control.abort(put.signal.reason);
  const stalled = () => control.abort(localError('upstream-timeout', `Nothing of the file has moved for ${stallTime / 1000} seconds`));
  let timer = way === whole ? undefined : setTimeout(stalled, stallTime);
  let over = false;
  const moved = (/** @type {number} */ bytes) => {
    if (over) return; // a service may answer before it has read all, which is then still read from here
    clearTimeout(timer);
    timer = setTimeout(stalled, stallTime);
    put.moved(bytes);
  };
  put.signal.addEventListener('abort', abort);
  try {
    return await way(fetch, { ...put, moved, signal: control.signal });
  } finally {
    over = true;
    clearTimeout(timer);
    put.signal.removeEventListener('abort', abort);
  }
}

/** Reports whether fetch sends a stream with the length that it is given, as that of Node does. */
function streams() {
  const { versions } = /** @type {any} */ (globalThis).process ?? {};
  return Boolean(versions?.node) && !versions.bun && !('Deno' in globalThis);
}

/** @param {typeof fetch} _ @param {FilePut} put @returns {Promise<Response>} */
function byXHR(_, { url, headers, file, signal, moved }) {
  return new Promise((done, fail) => {
    const x = new XMLHttpRequest();
    const abort = () => x.abort();
    signal.addEventListener('abort', abort);
    x.open('PUT', url);
    for (const [name, value] of Object.entries(headers)) x.setRequestHeader(name, value);
    x.upload.onprogress = (e) => moved(e.loaded);
    x.onload = () => done(responseOf(x));
    x.onerror = () => fail(new TypeError('There was no answer'));
    x.onabort = () => fail(signal.reason);
    x.onloadend = () => signal.removeEventListener('abort', abort);
    x.send(file);
  });
}

/** @param {XMLHttpRequest} x */
function responseOf(x) {
  const retryAfter = /^retry-after: *(.+?)\r?$/im.exec(x.getAllResponseHeaders())?.[1];
  const without = [204, 205, 304].includes(x.status);
  return new Response(without ? null : x.responseText, { status: x.status, headers: retryAfter ? { 'Retry-After': retryAfter } : {} });
}

/** @param {typeof fetch} fetch @param {FilePut} put */
function byStream(fetch, { url, headers, file, signal, moved }) {
  let at = 0;
  const body = new ReadableStream({
    async pull(stream) {
      if (at >= file.size) return stream.close();
      const bytes = new Uint8Array(await file.slice(at, at + chunk).arrayBuffer());
      at += bytes.length;
      stream.enqueue(bytes);
      moved(at);
    },
  });
  const length = { 'Content-Length': String(file.size) };
  return fetch(
    url,
    /** @type {any} */ ({ method: 'PUT', headers: { ...headers, ...length }, body, signal, redirect: 'manual', duplex: 'half' }),
  );
}

/** @param {typeof fetch} fetch @param {FilePut} put */
function whole(fetch, { url, headers, file, signal }) {
  return fetch(url, { method: 'PUT', headers, body: file, signal });
}
