// What a page without a token does over the socket that its ticket has opened (docs/events.md): the commands
// that stand for requests, and their answers.

import { PerchError } from './errors.js';

/** A command that was sent. @typedef {{ resolve: (data: any) => void, reject: (reason: unknown) => void }} Waiting */

/** Most bytes of a frame that the gateway takes. */
const maxFrame = 65_536;

/** The command that does what a request would, if there is one. @param {string} method @param {URL} url @param {any} body
 * @returns {[type: string, data: any] | undefined} */
export function commandOf(method, url, body) {
  const [what, jid, part, ref, verb] = url.pathname.split('/').slice(2).map(decodeURIComponent);
  const message = { conversation: jid, ref, ...body };
  switch (`${method} ${what} ${verb ?? part ?? ''}`) {
    case 'POST messages ':
      return ['message.send', body];
    case 'PATCH conversations messages':
      return ['message.edit', message];
    case 'DELETE conversations messages':
      return ['message.retract', { ...message, ...Object.fromEntries(url.searchParams) }];
    case 'PUT conversations reactions':
      return ['message.react', message];
    case 'PUT conversations read':
      return ['conversation.read', { conversation: jid, ...body }];
    case 'PUT chat-states ':
      return ['chat_state.set', { to: jid, ...body }];
    case 'PUT presence ':
      return ['presence.set', body];
    case 'PUT blocked ':
      return ['blocked.add', { jid, ...body }];
    case 'DELETE blocked ':
      return jid ? ['blocked.remove', { jid }] : undefined;
  }
}

/** The commands of one stream that wait for their answers. */
export class Commands {
  /** @type {Map<string, Waiting>} */ #waiting = new Map();
  #last = 0;

  /** Sends a command. Rejects with PerchError, or with another error when there is no answer: it may be sent again.
   * @param {((text: string) => void) | null | undefined} write to the socket, if there is one
   * @param {string} type @param {any} data @param {AbortSignal} [signal] @returns {Promise<any>} */
  async send(write, type, data, signal) {
    if (!write) throw new TypeError('There is no socket');
    signal?.throwIfAborted();
    const id = data?.id ?? `perch-${++this.#last}`; // of a message: a repeat under it is the same one
    const text = JSON.stringify({ id, type, data });
    if (new TextEncoder().encode(text).length > maxFrame) throw new PerchError(413, tooLarge);
    const abort = () => this.#end(id)?.reject(signal?.reason);
    try {
      return await new Promise((resolve, reject) => {
        signal?.addEventListener('abort', abort);
        this.#waiting.set(id, { resolve, reject });
        write(text);
      });
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Reports whether a frame is the answer to a command. @param {any} f */
  take(f) {
    const waiting = f.type === 'reply' || f.type === 'error' ? this.#end(f.ref) : undefined;
    if (f.type === 'reply') waiting?.resolve(f.data);
    else waiting?.reject(new PerchError(f.error.status, f.error));
    return f.type === 'reply' || Boolean(waiting);
  }

  /** The socket has closed: nothing will answer. */
  close() {
    for (const id of [...this.#waiting.keys()]) this.#end(id)?.reject(new TypeError('The socket has closed'));
  }

  /** @param {string} id */
  #end(id) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }
}

/** @type {import('../types.d.ts').Problem} */
const tooLarge = {
  ...{ type: '/problems/body-too-large', title: 'Body too large', status: 413, code: 'body-too-large' },
  ...{ detail: 'A message over the socket has at most 64 KiB', instance: '', request_id: '' },
};
