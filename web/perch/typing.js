// "Is writing", both ways. Neither end can rely on the other one to say that it has ended.

/** @import { ChatState, Conversation, JID } from '../types.d.ts' */

/** How long somebody is shown as writing without another sign, in milliseconds. */
const shownFor = 60_000;
/** Composing is repeated at most this often, and ends this long after the last key, in milliseconds. */
const repeatAfter = 5000;
const pauseAfter = 6000;

/** Who writes, after somebody has begun to. In a chat there is one other side, in a room each nick is one.
 * @param {Conversation} c @param {ChatState} state @param {string} [nick] @returns {Pick<Conversation, 'typing' | 'writing'>} */
export function withWriter(c, state, nick) {
  if (nick === undefined) return { typing: state, writing: c.writing.length ? [] : c.writing };
  return { typing: 'composing', writing: c.writing.includes(nick) ? c.writing : [...c.writing, nick] };
}

/** Who writes, after somebody does no more. @param {Conversation} c @param {string} [nick] @returns {Pick<Conversation, 'typing' | 'writing'>} */
export function withoutWriter(c, nick) {
  const writing = c.writing.filter((n) => n !== nick);
  return { typing: writing.length ? 'composing' : null, writing };
}

/** What no address is. @param {JID} jid @param {string} [nick] */
const writerKey = (jid, nick) => (nick === undefined ? jid : `${jid}\n${nick}`);

/** Timers by address. */
class Timers {
  /** @type {Map<string, any>} */ #timers = new Map();

  /** @param {JID} jid @param {number} ms @param {() => void} f */
  start(jid, ms, f) {
    this.stop(jid);
    const timer = setTimeout(() => {
      this.#timers.delete(jid);
      f();
    }, ms);
    /** @type {any} */ (timer).unref?.(); // it does not keep a program running
    this.#timers.set(jid, timer);
  }

  /** @param {JID} jid */
  stop(jid) {
    clearTimeout(this.#timers.get(jid));
    return this.#timers.delete(jid);
  }

  clear() {
    for (const jid of [...this.#timers.keys()]) this.stop(jid);
  }
}

/** Ends what the other side, or one in a room, has begun to write and never ended. */
export class TypingEnds {
  #timers = new Timers();
  #ended;

  /** @param {(jid: JID, nick?: string) => void} ended */
  constructor(ended) {
    this.#ended = ended;
  }

  /** @param {JID} jid @param {string} [nick] */
  expect(jid, nick) {
    this.#timers.start(writerKey(jid, nick), shownFor, () => this.#ended(jid, nick));
  }

  /** @param {JID} jid @param {string} [nick] */
  cancel(jid, nick) {
    this.#timers.stop(writerKey(jid, nick));
  }

  clear() {
    this.#timers.clear();
  }
}

/** Tells the other side that the user writes, and that it has ended. */
export class Typing {
  #timers = new Timers();
  /** When composing was sent last, by conversation. @type {Map<JID, number>} */ #sent = new Map();
  #send;

  /** @param {(jid: JID, state: ChatState) => void} send */
  constructor(send) {
    this.#send = send;
  }

  /** A key was pressed. @param {JID} jid */
  input(jid) {
    if (Date.now() - (this.#sent.get(jid) ?? -Infinity) > repeatAfter) {
      this.#sent.set(jid, Date.now());
      this.#send(jid, 'composing');
    }
    this.#timers.start(jid, pauseAfter, () => this.end(jid));
  }

  /** The user does not write any more. @param {JID} jid */
  end(jid) {
    this.#timers.stop(jid);
    if (this.#sent.delete(jid)) this.#send(jid, 'paused');
  }

  /** The message was sent, which says all. @param {JID} jid */
  sent(jid) {
    this.#timers.stop(jid);
    this.#sent.delete(jid);
  }

  clear() {
    this.#timers.clear();
    this.#sent.clear();
  }
}
