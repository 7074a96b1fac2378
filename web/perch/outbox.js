// Messages, and changes to messages, that were written and that the gateway does not have yet.

import { Backoff } from './backoff.js';
import { OutboxError } from './errors.js';
import { classify, textOf } from './failures.js';
import { OutboxStorage } from './outbox_storage.js';

/** @import { Extras, OutboxState, OwnChange, Status } from '../types.d.ts' */

/** What is sent: a message, or with change and ref what is done to an earlier one.
 * @typedef {Omit<Extras, 'id'> & { change?: OwnChange['kind'], ref?: string, emojis?: string[], reason?: string }} Extra */

/**
 * A message from the moment it was written until the gateway has it, or it was refused.
 * @typedef {Extra & Written} Entry
 * @typedef {object} Written
 * @property {string} id idempotency key and stanza id: repeated under it, it is one stanza
 * @property {string} to
 * @property {string} body
 * @property {number} at when it was written, in milliseconds; grows strictly, and is the order of sending
 * @property {'pending' | 'failed'} state
 * @property {string} [error] why it failed, in one sentence
 * @property {boolean} [cancelled] the user took it back; it is dropped unless a request under way succeeds
 * @property {string} [account] whose message it is; "" until the gateway has named the account
 * @property {number} [doubtful] answers that blame the gateway, but perhaps for this message
 */

/**
 * What became of an entry.
 * @typedef {{ is: 'sent', status: Status, ref?: string } | { is: 'failed', error: string, cause?: unknown } | { is: 'cancelled' }} Outcome
 */

/**
 * What one tab posts to the others about the outbox that they share.
 * @typedef {{ op: 'add', entries: Entry[] } | { op: 'complete', id: string, outcome: Outcome } |
 *   { op: 'retry' | 'cancel', id: string }} Announcement
 */

/**
 * What an outbox needs of its client.
 * @typedef {object} OutboxPort
 * @property {(e: Entry, signal: AbortSignal) => Promise<{ status: Status, ref?: string }>} deliver makes one request
 * @property {(e: Entry) => void} added an entry is here that the store must show
 * @property {(e: Entry, outcome: Outcome) => void} completed
 * @property {(e: Entry) => void} dropped an entry of another account, which must not be shown here
 * @property {(a: Announcement) => void} announce
 * @property {() => void} changed
 */

/** Whether requests may be made. open: there is no stream to go by. live: the stream is
 * there. away: it is being opened, so only probes. closed: none.
 * @typedef {'open' | 'live' | 'away' | 'closed'} Gate */

/** Conversations that may have a request under way at a time. */
const maxInFlight = 4;
/** Most entries, and most characters in them. */
const limits = { entries: 1000, characters: 1 << 20 };
/** How long a message is tried, in milliseconds. The gateway knows a repeated id for a day
 * and no longer: later it would be another stanza. */
const giveUpAfter = 86_400_000 - 60_000;
/** How long one request may take, in milliseconds. */
const requestTimeout = 30_000;
/** Answers such as 500 until a message is taken for the cause of them. */
const maxDoubtful = 8;
/** Outcomes that are kept for tabs that were suspended. */
const maxOutcomes = 2000;

/** The order of sending is kept inside a conversation. @param {string} to */
const conversationOf = (to) => (to.split('/', 1)[0] ?? to).toLowerCase();

/**
 * The messages that a user has written and the gateway does not have yet. One queue a
 * conversation, with one request under way in each, so that the order of writing is the
 * order of sending; one back-off for all of them. While the event stream is away only a probe
 * is sent. Of several tabs only the one that leads sends; all have the entries, so that any can
 * take over.
 */
export class Outbox {
  #port;
  #storage;
  #origin;
  #backoff;
  /** @type {OutboxStorage | null} */ #saved = null;
  /** @type {Map<string, Entry>} in the order of writing */ #entries = new Map();
  /** @type {Map<string, Waiter>} */ #waiting = new Map();
  /** @type {Map<string, Outcome>} */ #outcomes = new Map();
  /** Entries of which a request is under way, by conversation. @type {Map<string, Entry>} */ #busy = new Map();
  /** Which attempt was the last one of a conversation: probes take turns. @type {Map<string, number>} */ #turns = new Map();
  #turn = 0;
  #account = '';
  #last = 0;
  #leading = true;
  /** @type {Gate} */ #gate = 'open';
  #paused = false;
  /** Whether messages were restored for an account that the gateway has not named yet: the
   * token may be of another one. */ #unverified = false;
  /** @type {any} */ #timer;

  /** @param {OutboxPort} port
   * @param {{ storage?: Storage | null, backoff?: import('./backoff.js').BackoffOptions, origin?: string }} [o]
   * origin: the gateway's address, part of the name in the storage */
  constructor(port, o = {}) {
    this.#port = port;
    this.#storage = o.storage ?? null;
    this.#origin = o.origin ?? '';
    this.#backoff = new Backoff(o.backoff);
  }

  /** How many messages wait, and for what. @returns {OutboxState} */
  get state() {
    const pending = [...this.#entries.values()].filter((e) => e.state === 'pending').length;
    const waits = this.#gate === 'away' || this.#gate === 'closed' ? 'stream' : this.#backoff.wait > 0 ? 'backoff' : null;
    return { pending, failed: this.#entries.size - pending, waits: this.#paused ? 'credentials' : waits, retryIn: this.#backoff.wait };
  }

  /** @param {string} id */
  has(id) {
    return this.#entries.has(id);
  }

  /** Entries in the order of writing. */
  list() {
    return [...this.#entries.values()];
  }

  /** Reports whether one more message has room. @param {string} body */
  fits(body) {
    const characters = this.list().reduce((n, e) => n + e.body.length, body.length);
    return this.#entries.size < limits.entries && characters <= limits.characters;
  }

  /** Takes a message that was written now; the caller has asked fits. Resolves when the
   * gateway has it, rejects when it has failed, was cancelled, or the token was refused.
   * @param {Extra & { id: string, to: string, body: string }} m */
  add(m) {
    /** @type {Entry} */ const e = { ...m, at: this.#next(), state: 'pending', account: this.#account };
    this.#insert([e]);
    this.#saved?.save(e);
    this.#port.announce({ op: 'add', entries: [e] });
    const promise = this.wait(e.id);
    this.#flush();
    return promise;
  }

  /** Resolves when the gateway has the entry; rejects when it has failed or was cancelled.
   * @param {string} id @returns {Promise<{ id: string, status: string }>} */
  wait(id) {
    const waiter = this.#waiting.get(id) ?? new Waiter();
    this.#waiting.set(id, waiter);
    return waiter.promise;
  }

  /** Merges entries of a storage, a saved state or another tab. What this outbox has completed
   * already is not taken again. @param {Entry[]} entries @param {string} [account] */
  merge(entries, account = this.#account) {
    const unknown = entries.filter((e) => !this.#entries.has(e.id) && !this.#outcomes.has(e.id));
    const fresh = unknown.slice(0, Math.max(0, limits.entries - this.#entries.size));
    if (!fresh.length) return;
    this.#insert(fresh.map((e) => ({ ...e, account, doubtful: 0 })));
    if (account === this.#account) for (const e of fresh) this.#saved?.save(e);
    for (const e of fresh) this.#port.added(e);
    this.#flush();
  }

  /** Names the account of this outbox, by a saved state or by the gateway, which proves it.
   * Messages of another account stay in the storage for it and are never sent from here.
   * @param {string} account @param {boolean} proved */
  identify(account, proved) {
    if (proved) this.#unverified = false;
    if (account === this.#account || !account) return this.#flush();
    this.#unverified = !proved;
    for (const e of this.list()) {
      if (e.account && e.account !== account) {
        this.#entries.delete(e.id);
        this.#port.dropped(e);
      } else e.account = account;
    }
    this.#account = account;
    this.#saved = this.#storage && new OutboxStorage(this.#storage, `${this.#origin} ${account}`);
    for (const e of this.#entries.values()) this.#saved?.save(e);
    this.merge(this.#saved?.load() ?? []);
  }

  // Who sends, and when.

  /** @param {boolean} leading whether this tab sends for all */
  lead(leading) {
    this.#leading = leading;
    this.#flush();
  }

  /** @param {Gate} gate */
  gate(gate) {
    if (gate === this.#gate) return;
    this.#gate = gate;
    if (gate === 'away') this.#backoff.away();
    if (gate === 'live' || gate === 'open') {
      this.#backoff.succeeded();
      this.#paused = false;
    }
    this.#flush();
  }

  /** A credential was refused: nothing is sent until there is another one. @param {unknown} cause */
  pause(cause) {
    this.#paused = true;
    for (const [id, w] of this.#waiting) {
      if (this.#entries.get(id)?.state !== 'pending') continue;
      this.#waiting.delete(id);
      w.reject(cause);
    }
    this.#flush();
  }

  /** There is another credential, or a reason to try again. */
  resume() {
    if (!this.#paused) return;
    this.#paused = false;
    this.#flush();
  }

  #online = () => {
    if (this.#gate === 'open') this.#backoff.succeeded();
    this.#flush();
  };

  get #sends() {
    const network = this.#gate === 'live' || globalThis.navigator?.onLine !== false;
    return this.#leading && this.#gate !== 'closed' && !this.#paused && !this.#unverified && network;
  }

  /** Starts the requests that may be made now, and sets the timer for what is due later. */
  #flush() {
    this.#drop();
    this.#port.changed();
    const wait = this.#backoff.wait;
    const heads = this.#heads();
    globalThis[heads.length ? 'addEventListener' : 'removeEventListener']?.('online', this.#online);
    if (this.#sends && wait <= 0) this.#start(heads);
    const due = this.#sends && wait > 0 && heads.length ? wait : Infinity;
    this.#wake(Math.min(due, this.#nextExpiry()));
  }

  /** Starts requests up to the limit. @param {Entry[]} entries */
  #start(entries) {
    for (const e of entries) {
      const most = this.#backoff.probing ? 1 : maxInFlight;
      if (this.#busy.size < most) void this.#attempt(e);
    }
  }

  /** @param {number} ms */
  #wake(ms) {
    clearTimeout(this.#timer);
    if (ms === Infinity) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#flush();
    }, Math.ceil(ms));
    if (ms > 60_000) this.#timer.unref?.(); // only the expiry is due: it does not keep a program running
  }

  /** The first entry of each conversation that has no request under way; the conversation
   * that waits longest for an attempt comes first. */
  #heads() {
    /** @type {Map<string, Entry>} */ const heads = new Map();
    for (const e of this.#entries.values()) {
      const c = conversationOf(e.to);
      if (e.state === 'pending' && !this.#busy.has(c) && !heads.has(c)) heads.set(c, e);
    }
    const turn = (/** @type {Entry} */ e) => this.#turns.get(conversationOf(e.to)) ?? 0;
    return [...heads.values()].sort((a, b) => turn(a) - turn(b) || a.at - b.at);
  }

  /** @param {Entry} e */
  async #attempt(e) {
    const c = conversationOf(e.to);
    this.#busy.set(c, e);
    this.#turns.set(c, ++this.#turn);
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(new Error('the gateway did not answer in time')), requestTimeout);
    try {
      const answer = await this.#port.deliver(e, abort.signal);
      this.#backoff.succeeded();
      this.#complete(e.id, { is: 'sent', status: answer.status, ...(answer.ref && { ref: answer.ref }) });
    } catch (cause) {
      this.#failed(e, cause);
    } finally {
      clearTimeout(timer);
      this.#busy.delete(c);
      if (![...this.#entries.values()].some((x) => conversationOf(x.to) === c)) this.#turns.delete(c);
    }
    this.#flush();
  }

  /** @param {Entry} e @param {any} cause */
  #failed(e, cause) {
    const failure = classify(cause);
    if (failure === 'refused') {
      this.#backoff.succeeded();
      return this.#complete(e.id, { is: 'failed', error: textOf(cause), cause });
    }
    if (failure === 'unauthorized') this.pause(cause);
    else this.#backoff.failed(cause?.retryAfter ?? 0, this.#gate === 'away');
    if (failure === 'doubtful') e.doubtful = (e.doubtful ?? 0) + 1;
    if ((e.doubtful ?? 0) >= maxDoubtful) this.#complete(e.id, { is: 'failed', error: textOf(cause), cause });
    if (e.cancelled) this.#complete(e.id, { is: 'cancelled' });
  }

  // What becomes of entries.

  /** The gateway has it, as an event or the archive shows: no answer is needed any more.
   * @param {string} id @param {Status} [status] */
  confirm(id, status = 'accepted') {
    if (this.#entries.has(id)) this.#complete(id, { is: 'sent', status });
    this.#flush();
  }

  /** @param {string} id @param {Outcome} outcome @param {boolean} [remote] from another tab */
  #complete(id, outcome, remote = false) {
    const e = this.#entries.get(id);
    if (!e) return;
    if (outcome.is === 'failed') {
      Object.assign(e, { state: 'failed', error: outcome.error });
      this.#saved?.save(e);
    } else {
      this.#entries.delete(id);
      this.#saved?.remove(id);
      this.#remember(id, outcome);
    }
    const { cause: _, ...plain } = /** @type {any} */ (outcome);
    if (!remote) this.#port.announce({ op: 'complete', id, outcome: plain });
    this.#port.completed(e, outcome);
    const waiter = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (outcome.is === 'sent') waiter?.resolve({ id, status: outcome.status });
    else waiter?.reject(errorOf(outcome));
  }

  /** @param {string} id @param {Outcome} outcome */
  #remember(id, outcome) {
    this.#outcomes.set(id, outcome);
    for (const old of this.#outcomes.keys()) if (this.#outcomes.size > maxOutcomes) this.#outcomes.delete(old);
  }

  /** Sends a failed message once more, behind what was written since. Reports whether it
   * was here. @param {string} id @param {boolean} [remote] */
  retry(id, remote = false) {
    const e = this.#entries.get(id);
    if (e?.state !== 'failed') return false;
    this.#entries.delete(id);
    this.#insert([{ ...e, at: this.#next(), state: 'pending', error: undefined, cancelled: false, doubtful: 0 }]);
    this.#saved?.save(/** @type {Entry} */ (this.#entries.get(id)));
    if (!remote) this.#port.announce({ op: 'retry', id });
    this.#flush();
    return true;
  }

  /** Takes back a message. Resolves with whether that was in time: a request that is under
   * way may still succeed. @param {string} id @returns {Promise<boolean>} */
  async cancel(id) {
    const e = this.#entries.get(id);
    if (!e) return false;
    const outcome = this.wait(id).then(
      () => false,
      () => !this.#entries.has(id),
    );
    e.cancelled = true;
    this.#port.announce({ op: 'cancel', id });
    this.#flush();
    return outcome;
  }

  /** Forgets every entry of the account. @param {boolean} everywhere in the other tabs too */
  clear(everywhere) {
    for (const e of this.list()) this.#complete(e.id, { is: 'cancelled' }, !everywhere);
  }

  /** Removes what was cancelled, and gives up what is too old. While a request is under way its
   * answer decides. */
  #drop() {
    for (const e of this.list()) {
      if (this.#busy.get(conversationOf(e.to)) === e) continue;
      if (e.cancelled && (this.#leading || e.state === 'failed')) this.#complete(e.id, { is: 'cancelled' });
      else if (e.state === 'pending' && Date.now() - e.at >= giveUpAfter)
        this.#complete(e.id, { is: 'failed', error: 'not sent within a day' });
    }
  }

  #nextExpiry() {
    for (const e of this.#entries.values()) if (e.state === 'pending') return Math.max(1, e.at + giveUpAfter - Date.now());
    return Infinity;
  }

  /** Another tab has posted. @param {Announcement} a */
  onAnnouncement(a) {
    if (a.op === 'add') {
      this.merge(a.entries);
      if (this.#leading) for (const e of a.entries) this.#correct(e);
    } else if (a.op === 'complete') this.#complete(a.id, a.outcome, true);
    else if (a.op === 'retry') {
      const e = this.#entries.get(a.id);
      if (this.retry(a.id, true) && e) this.#port.added(e);
    } else {
      const e = this.#entries.get(a.id);
      if (e) e.cancelled = true;
    }
    this.#flush();
  }

  /** Posts what became of an entry to a tab that was suspended in the meantime. @param {Entry} e as that tab has it */
  #correct(e) {
    const outcome = this.#outcomes.get(e.id) ?? this.#failureOf(e);
    if (outcome) this.#port.announce({ op: 'complete', id: e.id, outcome });
  }

  /** @param {Entry} e as another tab has it @returns {Outcome | null} */
  #failureOf(e) {
    const own = this.#entries.get(e.id);
    return own?.state === 'failed' && e.state === 'pending' ? { is: 'failed', error: own.error ?? '' } : null;
  }

  /** Posts every entry to the other tabs, such as when one has joined. */
  share() {
    if (this.#entries.size) this.#port.announce({ op: 'add', entries: this.list().map((e) => ({ ...e })) });
  }

  /** @param {Entry[]} entries */
  #insert(entries) {
    const all = [...this.#entries.values(), ...entries].sort((a, b) => a.at - b.at);
    this.#entries = new Map(all.map((e) => [e.id, e]));
    this.#last = Math.max(this.#last, all.at(-1)?.at ?? 0);
  }

  /** A time of writing that is later than every other one, even when the clock went back. */
  #next() {
    return (this.#last = Math.max(Date.now(), this.#last + 1));
  }
}

/** A promise with its ends. */
class Waiter {
  constructor() {
    /** @type {Promise<{ id: string, status: string }>} */
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise.catch(() => {}); // without a caller that waits, the store shows the failure
  }
}

/** @param {Exclude<Outcome, { is: 'sent' }>} outcome */
function errorOf(outcome) {
  if (outcome.is === 'cancelled') return new OutboxError('cancelled', 'the message was cancelled');
  return outcome.cause ?? new OutboxError('failed', outcome.error);
}
