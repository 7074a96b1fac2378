// The two transports of the event stream. Each gives an Attempt what arrives, and resolves
// with the ending of its connection.

import { problemOf } from './errors.js';

/** @import { Attempt, Ending } from './attempt.js' */

/** What a transport connects to, with what it has to show.
 * @typedef {{ url: URL, headers: Record<string, string>, protocols: string[] }} Target */

/** @param {typeof WebSocket} Socket @param {Target} target @param {Attempt} attempt
 * @param {(write: (text: string) => void) => void} [opened] is given what writes to the socket @returns {Promise<Ending>} */
export function overWebSocket(Socket, { url, protocols }, attempt, opened = () => {}) {
  return new Promise((done) => {
    const socket = new Socket(url, protocols);
    const leave = () => {
      socket.onmessage = null; // frames that are under way belong to no attempt
      socket.close(1000);
      done({ code: 1006, reason: 'left' });
    };
    socket.onmessage = (e) => attempt.frame(JSON.parse(e.data));
    socket.onclose = (e) => done({ code: e.code, reason: e.reason });
    let open = false;
    socket.onopen = () => {
      open = true;
      opened((text) => socket.send(text));
    };
    socket.onerror = () => open || done({ code: 1006, reason: 'no handshake' }); // in Node 20 no close follows
    if (attempt.signal.aborted) leave();
    attempt.signal.addEventListener('abort', leave);
  });
}

/** SSE by fetch, because EventSource can set no header.
 * @param {typeof fetch} fetch @param {Target} target @param {Attempt} attempt @returns {Promise<Ending>} */
export async function overSSE(fetch, { url, headers }, attempt) {
  const response = await fetch(url, { headers, signal: attempt.signal, cache: 'no-store' });
  if (!response.ok) throw await problemOf(response);
  if (!response.body) return { code: 1006, reason: 'no stream' };
  const reader = response.body.getReader();
  const decoder = new EventDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { code: 1006, reason: 'the stream ended' };
    attempt.heard();
    for (const data of decoder.decode(value)) {
      if (attempt.signal.aborted) break;
      attempt.frame(JSON.parse(data));
    }
  }
}

/** The data of server-sent events (WHATWG HTML, 9.2). Other fields are not needed: a frame has
 * its id and type inside. */
class EventDecoder {
  #text = new TextDecoder();
  #rest = '';
  #data = '';

  /** The data of the events that bytes complete. @param {Uint8Array} bytes */
  *decode(bytes) {
    const lines = (this.#rest + this.#text.decode(bytes, { stream: true })).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const raw of lines) {
      const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
      if (line.startsWith('data:')) this.#data += line.slice(line[5] === ' ' ? 6 : 5);
      else if (line === '' && this.#data) {
        yield this.#data;
        this.#data = '';
      }
    }
  }
}
