// "Is writing", both ways. Neither end can rely on the other one to say that it has ended.

/** @import { ChatState, JID } from '../types.d.ts' */

/** How long somebody is shown as writing without another sign, in milliseconds. */
const shownFor = 60_000;
/** Composing is repeated at most this often, and ends this long after the last key, in milliseconds. */
const repeatAfter = 5000;
const pauseAfter = 6000;

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

/** Ends what the other side has begun to write and never ended. */
export class TypingEnds {
  #timers = new Timers();
  #ended;

  /** @param {(jid: JID) => void} ended */
  constructor(ended) {
    this.#ended = ended;
  }

  /** @param {JID} jid */
  expect(jid) {
    this.#timers.start(jid, shownFor, () => this.#ended(jid));
  }

  /** @param {JID} jid */
  cancel(jid) {
    this.#timers.stop(jid);
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
