/**
 * The JavaScript client of Perch, the XMPP session gateway: typed REST calls, one event
 * stream that reconnects and resumes by itself, and a store that is always what a fresh
 * snapshot would be. ES modules without dependencies, for browsers and Node 20.
 *
 *     const perch = new Perch({ url: 'http://127.0.0.1:8080', token: 'demo-alice' });
 *     perch.store.subscribe((change) => render(perch.store, change));
 *     perch.connect();
 *     await perch.send(jid, 'Hello!');
 *
 * Three classes stand on each other. Stream and Tabs bring frames: one over a connection
 * of their own, the other through the tab that has one. Store applies frames. Perch ties
 * them together and has the REST calls. What a user writes waits in an Outbox
 * (perch/outbox.js) until the gateway has it.
 *
 * @module perch
 */

import { jitter } from './perch/backoff.js';
import { insert, ofArchived, ofEvent } from './perch/duplicates.js';
import { JIDMap, bare } from './perch/jids.js';
import { Outbox } from './perch/outbox.js';

/** @typedef {import('./types.d.ts').Options} Options */
/** @typedef {import('./types.d.ts').Frame} Frame */
/** @typedef {import('./types.d.ts').Events} Events */
/** @typedef {import('./types.d.ts').Change} Change */
/** @typedef {import('./types.d.ts').Conversation} Conversation */
/** @typedef {import('./types.d.ts').StoredMessage} StoredMessage */
/** @typedef {import('./types.d.ts').SavedState} SavedState */
/** @typedef {import('./types.d.ts').ConnectionState} ConnectionState */
/** @typedef {import('./types.d.ts').SessionInfo} SessionInfo */
/** @typedef {import('./types.d.ts').Buddy} Buddy */
/** @typedef {import('./types.d.ts').Presence} Presence */
/** @typedef {import('./types.d.ts').OwnPresence} OwnPresence */
/** @typedef {import('./types.d.ts').Invitation} Invitation */
/** @typedef {import('./types.d.ts').VCard} VCard */
/** @typedef {import('./types.d.ts').ArchivePage} ArchivePage */
/** @typedef {import('./types.d.ts').ArchiveItem} ArchiveItem */
/** @typedef {import('./types.d.ts').MessageRequest} MessageRequest */
/** @typedef {import('./types.d.ts').MessageRecord} MessageRecord */
/** @typedef {import('./types.d.ts').MessageData} MessageData */
/** @typedef {import('./types.d.ts').Problem} Problem */
/** @typedef {import('./types.d.ts').JID} JID */
/** @template T @typedef {import('./types.d.ts').Page<T>} Page */
/** @typedef {import('./types.d.ts').OutboxState} OutboxState */
/** @typedef {import('./perch/outbox.js').Entry} Entry */
/** @typedef {{ code: number, reason: string, retryAfter?: number }} Ending */
/** @typedef {{ url: URL, headers: Record<string, string>, protocols: string[], signal: AbortSignal, heard: () => void, frame: (f: Frame) => void }} Attempt */

const never = () => {};

/** @param {number} ms @param {AbortSignal} [signal] @returns {Promise<void>} */
const pause = (ms, signal) =>
  new Promise((done) => {
    if (signal?.aborted) return done();
    const end = () => (clearTimeout(timer), signal?.removeEventListener('abort', end), done());
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
  });

/** An answer of the gateway that is no success, as RFC 9457 problem. */
export class PerchError extends Error {
  /** @param {number} status @param {Problem} problem @param {number} [retryAfter] in ms */
  constructor(status, problem, retryAfter = 0) {
    super(problem.detail || problem.title || problem.code);
    this.name = 'PerchError';
    this.status = status;
    /** The slug, such as "item-not-found". */
    this.code = problem.code;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }

  /** Whether the same call may succeed later. */
  get temporary() {
    return this.status === 409 || this.status === 429 || this.status >= 503;
  }
}

/** One account's client. Nothing is sent before the first call. */
export class Perch {
  /** What is known; see Store. */
  store = new Store();
  /** Position of the last durable event that the store has; "" before the first. */
  cursor = '';
  /** @type {ConnectionState} */
  connection = { state: 'idle', transport: null, code: 0, reason: '', retryIn: 0, connects: 0 };

  /** @type {Options} */ #o;
  /** @type {Map<string, Set<(frame: any) => void>>} */ #listeners = new Map();
  /** @type {string} */ #token = '';
  /** @type {Stream | Tabs | null} */ #source = null;
  #fetch;
  #filling = false;
  /** @type {Outbox} */ #outbox;
  #outboxSaid = '';

  /** @param {Options} [options] */
  constructor(options = {}) {
    this.#o = options;
    this.url = new URL(options.url ?? globalThis.location?.origin ?? 'http://127.0.0.1:8080');
    this.#fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
    this.#outbox = this.#newOutbox();
    if (options.state) this.restore(options.state);
  }

  /** Signs in with a JID and a password or token; the answer has the token for everything else.
   * @param {import('./types.d.ts').SignInRequest} account @param {Options} [options]
   * @returns {Promise<import('./types.d.ts').SignInAnswer>} */
  static async signIn(account, options = {}) {
    const { state: _, ...rest } = options;
    return new Perch({ ...rest, token: '' }).request('POST', '/v1/session', { body: account });
  }

  // The event stream.

  /** Opens the event stream and keeps it open until disconnect. */
  connect() {
    if (this.#source) return;
    const options = { ...this.#o, url: this.url, fetch: this.#fetch };
    const port = {
      token: (/** @type {boolean} */ refused) => this.#bearer(refused),
      ticket: async () => (this.#o.ticket ? this.#o.ticket() : (await this.createTicket()).ticket),
      cursor: () => this.cursor,
      frame: (/** @type {Frame} */ f) => this.#receive(f),
      state: (/** @type {Partial<ConnectionState>} */ s) => this.#connected(s),
      save: () => this.save(),
      restore: (/** @type {SavedState} */ s) => this.restore(s),
      outbox: this.#outbox,
    };
    this.#outbox.lead(!this.#shared);
    this.#source = this.#shared ? new Tabs(options, port) : new Stream(options, port);
    this.#outbox.gate('away');
    this.#outbox.identify(this.store.session?.jid ?? '', false);
    this.#adoptPending();
    this.#source.start();
  }

  /** Whether the tabs have one stream and one sender. */
  get #shared() {
    return Boolean(this.#o.share) && Tabs.possible();
  }

  /** Closes the event stream. The XMPP session goes on; signOut ends it. What waits to be
   * sent waits for the next connect. */
  disconnect() {
    this.#outbox.gate('closed');
    this.#source?.stop();
    this.#source = null;
    this.#connected({ state: 'idle', transport: null, retryIn: 0 });
  }

  /** Connects again now instead of waiting, such as when the network is back. */
  reconnect() {
    this.#outbox.resume();
    this.#source?.hurry();
  }

  /** Calls f with each frame of a type ("*": every frame, "connection": ConnectionState,
   * "outbox": OutboxState, "request": each REST call). The result ends it.
   * @template {keyof Events | '*' | 'error' | 'connection' | 'outbox' | 'request'} T
   * @param {T} type
   * @param {(frame: T extends 'connection' ? ConnectionState : T extends 'outbox' ? OutboxState : T extends keyof Events ? Extract<Frame, { type: T }> : any) => void} f */
  on(type, f) {
    const set = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, set.add(f));
    return () => void set.delete(f);
  }

  /** @param {string} type @param {unknown} value */
  #emit(type, value) {
    for (const f of this.#listeners.get(type) ?? []) f(value);
  }

  /** @param {Partial<ConnectionState>} s */
  #connected(s) {
    this.connection = { ...this.connection, ...s };
    const { state, code } = this.connection;
    if (state === 'live') this.#outbox.gate('live');
    else if (state === 'stopped' && (code === 4001 || code === 4004)) this.#outbox.gate('closed');
    else if (state !== 'idle') this.#outbox.gate('away');
    this.#emit('connection', this.connection);
  }

  /** The one way of a frame, whatever brought it. @param {Frame} f */
  #receive(f) {
    if (f.id && !after(f.id, this.cursor)) return; // the tab before us has shown it
    const reset = f.type === 'hello' && !f.data.resumed;
    if (reset) this.cursor = ''; // half a snapshot is none: without its end we ask for another
    if (f.type === 'hello') this.#outbox.identify(f.data.session.jid, true);
    this.store.apply(f);
    if (f.type === 'message.sent') this.#outbox.confirm(f.data.id);
    if (f.type === 'session.state' && f.data.state === 'online') this.#outbox.resume();
    if (f.id) this.cursor = f.id;
    if (f.type === 'live') this.cursor = f.data.tip;
    if (f.type === 'heartbeat' && this.cursor) this.cursor = f.data.tip;
    this.#emit(f.type, f);
    this.#emit('*', f);
    if (f.type === 'live' || f.type === 'session.gap') void this.#fill();
  }

  /** What Options.state takes: the store and the cursor that belongs to it. @returns {SavedState} */
  save() {
    return { ...this.store.toJSON(), cursor: this.cursor };
  }

  /** Goes on from a saved state. @param {SavedState} state */
  restore(state) {
    if (state.version !== 1) return;
    this.store.load(state);
    this.cursor = state.cursor;
    if (!this.#source) return;
    for (const e of this.#outbox.list()) this.#show(e);
    this.#adoptPending();
  }

  // Messages.

  /** Sends a chat message. It stands in the store at once as pending, and its status follows
   * the events. Messages of a conversation go out in the order of these calls, however long
   * the gateway is away, each under one id; a repeat is one message. Rejects when the
   * message is refused for good (status failed), cancelled, or the token is refused: then it
   * stays pending until there is another token.
   * @param {JID} to @param {string} body @param {{ id?: string, thread?: string, subject?: string }} [extra]
   * @returns {Promise<{ id: string, status: string }>} */
  async send(to, body, extra = {}) {
    const id = extra.id ?? newID();
    if (this.#outbox.has(id)) return this.#outbox.wait(id);
    if (!this.#outbox.fits(body)) throw ownError('outbox-full', 'Too many messages wait to be sent');
    this.store.addPending(bare(to), { id, body, ...extra });
    this.#open();
    return this.#outbox.add({ id, to, body, ...(extra.thread && { thread: extra.thread }), ...(extra.subject && { subject: extra.subject }) });
  }

  /** Sends a message that has failed once more, behind what was written since. One that the
   * gateway had taken before it failed gets another id: the old one would be answered as a
   * repeat. Resolves as send does. @param {JID} jid @param {string} id */
  async retry(jid, id) {
    const m = this.store.conversations.get(jid)?.messages.find((x) => x.direction === 'out' && x.id === id && x.status === 'failed');
    if (!m) return;
    this.#open();
    if (this.#outbox.has(id)) {
      const outcome = this.#outbox.wait(id);
      this.store.sendAgain(jid, id, id);
      this.#outbox.retry(id);
      return outcome;
    }
    const { body, thread, subject } = m;
    if (!this.#outbox.fits(body)) throw ownError('outbox-full', 'Too many messages wait to be sent');
    const next = m.event ? newID() : id;
    this.store.sendAgain(jid, id, next);
    return this.#outbox.add({ id: next, to: jid, body, ...(thread && { thread }), ...(subject && { subject }) });
  }

  /** Takes back a message that is pending, or dismisses one that has failed. Resolves with
   * whether it is gone: a request that is under way may still succeed.
   * @param {JID} jid @param {string} id @returns {Promise<boolean>} */
  async cancel(jid, id) {
    if (this.#outbox.has(id)) return this.#outbox.cancel(id);
    return this.store.remove(jid, id);
  }

  /** Forgets every message that is not sent, here and in the storage; other tabs keep theirs. */
  discardPending() {
    this.#outbox.clear(false);
  }

  /** How many messages wait, and for what. */
  get outbox() {
    return this.#outbox.state;
  }

  /** Without a stream each message that is written is a reason to try. */
  #open() {
    if (this.#source) return;
    this.#outbox.gate('open');
    this.#outbox.lead(true);
    this.#outbox.resume();
  }

  #newOutbox() {
    const storage = this.#o.storage === undefined ? defaultStorage(this.#shared) : this.#o.storage;
    return new Outbox(
      {
        deliver: ({ id, to, body, thread, subject }, signal) => this.sendMessage({ to, body, id, ...(thread && { thread }), ...(subject && { subject }) }, { signal }),
        added: (e) => this.#show(e),
        settled: (e, outcome) => {
          if (outcome.is === 'sent') this.store.setStatus(e.id, outcome.status);
          else if (outcome.is === 'failed') this.store.setStatus(e.id, 'failed', outcome.error);
          else this.store.remove(bare(e.to), e.id);
        },
        dropped: (e) => void this.store.remove(bare(e.to), e.id),
        announce: (a) => this.#source instanceof Tabs && this.#source.announce(a),
        changed: () => this.#outboxChanged(),
      },
      { storage, backoff: this.#o.backoff, place: this.url.origin },
    );
  }

  /** Tells listeners of "outbox" what they do not know yet. */
  #outboxChanged() {
    if (!this.#listeners.get('outbox')?.size) return;
    const state = this.#outbox.state;
    const text = `${state.pending} ${state.failed} ${state.waits}`;
    if (text !== this.#outboxSaid) this.#emit('outbox', state);
    this.#outboxSaid = text;
  }

  /** Shows a message of the outbox, unless the store has it. @param {Entry} e */
  #show(e) {
    this.store.addPending(bare(e.to), { id: e.id, body: e.body, ...(e.thread && { thread: e.thread }), ...(e.subject && { subject: e.subject }) }, e.at);
    this.store.setStatus(e.id, e.state, e.error);
  }

  /** What a saved state says is pending is in the outbox, whatever the storage has kept. */
  #adoptPending() {
    const entries = this.store.pending().map(([jid, m]) => {
      const { id, body, thread, subject } = m;
      return { id, to: jid, body, at: Date.parse(m.time) || Date.now(), state: /** @type {const} */ ('pending'), ...(thread && { thread }), ...(subject && { subject }) };
    });
    this.#outbox.adopt(entries, this.store.session?.jid ?? '');
  }

  /** Reads the next older page of the archive into the store, the newest one first.
   * Resolves with how many messages were new. @param {JID} jid @param {number} [limit] */
  async loadHistory(jid, limit = 30) {
    const c = this.store.conversation(jid);
    const before = c.prev ?? undefined;
    const page = await this.getArchive({ with: jid, limit, before });
    return this.#merge(jid, page, true);
  }

  /** @param {JID} jid @param {ArchivePage} page @param {boolean} older */
  #merge(jid, page, older) {
    const added = this.store.merge(jid, page, older);
    for (const item of page.items) if (item.direction === 'out' && item.message_id) this.#outbox.confirm(item.message_id, 'acked');
    return added;
  }

  /** Fills holes from the archive: after a reset the log could not tell what was missed. */
  async #fill() {
    if (this.#filling || this.#o.ticket) return;
    this.#filling = true;
    try {
      for (const c of this.store.holes()) await this.#fillOne(c).catch(never); // it stays marked
    } finally {
      this.#filling = false;
    }
  }

  /** @param {Conversation} c */
  async #fillOne(c) {
    /** @type {string | undefined} */ let before;
    for (let n = 0; n < 20; n++) {
      const page = await this.getArchive({ with: c.jid, limit: 50, before });
      const added = this.#merge(c.jid, page, false);
      const met = added < page.items.length;
      if (met || page.complete || !c.messages.length || !page.prev) {
        this.store.filled(c.jid, met || (page.complete && page.items.length > 0)); // empty: nothing is kept
        return;
      }
      before = page.prev;
    }
  }

  // REST. Every call rejects with PerchError, or with fetch's own error when nobody answered.

  /** @template [T=any]
   * @param {string} method @param {string} path @param {{ query?: Record<string, any>, body?: unknown, headers?: Record<string, string>, as?: 'json' | 'blob', signal?: AbortSignal }} [o]
   * @returns {Promise<T>} */
  async request(method, path, o = {}) {
    const url = new URL(path, this.url);
    for (const [k, v] of Object.entries(o.query ?? {})) {
      for (const one of Array.isArray(v) ? v : [v]) if (one !== undefined && one !== null) url.searchParams.append(k, one);
    }
    for (let refused = false; ; refused = true) {
      const token = await this.#bearer(refused);
      const answer = await this.#fetch(url, {
        method,
        ...(o.signal && { signal: o.signal }),
        headers: {
          Accept: o.as === 'blob' ? 'image/*' : 'application/json',
          ...(token && { Authorization: `Bearer ${token}` }),
          ...(o.body !== undefined && { 'Content-Type': 'application/json' }),
          ...o.headers,
        },
        ...(o.body !== undefined && { body: JSON.stringify(o.body) }),
      });
      const call = { method, path: url.pathname + url.search, body: o.body, status: answer.status };
      this.#o.onRequest?.(call);
      this.#emit('request', call);
      if (answer.status === 401 && !refused && typeof this.#o.token === 'function') continue;
      if (!answer.ok) throw await problemOf(answer);
      if (answer.status === 204) return /** @type {any} */ (undefined);
      return o.as === 'blob' ? /** @type {any} */ (await answer.blob()) : answer.json();
    }
  }

  /** @param {boolean} refused */
  async #bearer(refused) {
    if (typeof this.#o.token !== 'function') return this.#token || (this.#token = this.#o.token ?? '');
    if (refused || !this.#token) this.#token = await this.#o.token({ refused });
    return this.#token;
  }

  /** @returns {Promise<SessionInfo>} */
  getSession() {
    return this.request('GET', '/v1/session');
  }
  /** Opens the session of the token and waits for it. @returns {Promise<import('./types.d.ts').SignInAnswer>} */
  openSession() {
    return this.request('POST', '/v1/session');
  }
  /** A refreshed credential takes over the live session. @param {import('./types.d.ts').Credentials} credential @returns {Promise<void>} */
  async replaceCredentials(credential) {
    await this.request('PUT', '/v1/session/credentials', { body: credential });
    if (credential.token && !this.#token.startsWith('perch_')) this.#token = credential.token;
    this.reconnect(); // and sends what waited for a credential
  }
  /** Ends the XMPP session itself, and everything that is kept of it: what was not sent yet
   * too, in every tab. @returns {Promise<void>} */
  async signOut() {
    await this.request('DELETE', '/v1/session');
    this.#outbox.clear(true);
    this.disconnect();
  }
  /** @param {{ group?: string, q?: string, limit?: number, cursor?: string, include?: 'presence' }} [query] @returns {Promise<Page<Buddy>>} */
  listBuddies(query = {}) {
    return this.request('GET', '/v1/buddies', { query });
  }
  /** @param {import('./types.d.ts').BuddyRequest} buddy @returns {Promise<Buddy>} */
  addBuddy(buddy) {
    return this.request('POST', '/v1/buddies', { body: buddy });
  }
  /** @param {JID} jid @returns {Promise<Buddy>} */
  getBuddy(jid) {
    return this.request('GET', `/v1/buddies/${encodeURIComponent(jid)}`);
  }
  /** @param {JID} jid @param {import('./types.d.ts').BuddyPatch} change @returns {Promise<Buddy>} */
  updateBuddy(jid, change) {
    return this.request('PATCH', `/v1/buddies/${encodeURIComponent(jid)}`, { body: change });
  }
  /** @param {JID} jid @returns {Promise<void>} */
  removeBuddy(jid) {
    return this.request('DELETE', `/v1/buddies/${encodeURIComponent(jid)}`);
  }
  /** @param {{ limit?: number, cursor?: string }} [query] @returns {Promise<Page<Invitation>>} */
  listInvitations(query = {}) {
    return this.request('GET', '/v1/invitations', { query });
  }
  /** @param {JID} jid @param {import('./types.d.ts').AcceptRequest} [how] @returns {Promise<import('./types.d.ts').AcceptedInvitation>} */
  acceptInvitation(jid, how = {}) {
    return this.request('POST', `/v1/invitations/${encodeURIComponent(jid)}/accept`, { body: how });
  }
  /** @param {JID} jid @returns {Promise<Invitation>} */
  declineInvitation(jid) {
    return this.request('POST', `/v1/invitations/${encodeURIComponent(jid)}/decline`);
  }
  /** @param {JID[]} [jid] @returns {Promise<import('./types.d.ts').PresenceList>} */
  listPresence(jid = []) {
    return this.request('GET', '/v1/presence', { query: { jid } });
  }
  /** @param {JID} jid @returns {Promise<Presence>} */
  getPresence(jid) {
    return this.request('GET', `/v1/presence/${encodeURIComponent(jid)}`);
  }
  /** @returns {Promise<OwnPresence>} */
  getOwnPresence() {
    return this.request('GET', '/v1/presence/me');
  }
  /** Replaces the whole presence. @param {import('./types.d.ts').OwnPresenceRequest} presence @returns {Promise<OwnPresence>} */
  setOwnPresence(presence) {
    return this.request('PUT', '/v1/presence/me', { body: presence });
  }
  /** @param {JID} jid @param {{ refresh?: boolean }} [o] @returns {Promise<VCard>} */
  getVCard(jid, o = {}) {
    return this.request('GET', `/v1/vcards/${encodeURIComponent(jid)}`, { query: o.refresh ? { refresh: 1 } : {} });
  }
  /** @returns {Promise<VCard>} */
  getOwnVCard() {
    return this.request('GET', '/v1/vcards/me');
  }
  /** @param {import('./types.d.ts').VCardRequest} card @returns {Promise<void>} */
  setOwnVCard(card) {
    return this.request('PUT', '/v1/vcards/me', { body: card });
  }
  /** The photo of a card, null where there is none. @param {JID} jid @returns {Promise<Blob | null>} */
  async getPhoto(jid) {
    try {
      return await this.request('GET', `/v1/vcards/${encodeURIComponent(jid)}/photo`, { as: 'blob' });
    } catch (e) {
      if (e instanceof PerchError && e.status === 404) return null;
      throw e;
    }
  }
  /** @param {{ with: JID, limit?: number, before?: string, after?: string, start?: string, end?: string }} query @returns {Promise<ArchivePage>} */
  getArchive(query) {
    return this.request('GET', '/v1/archive', { query });
  }
  /** @param {string} account @returns {Promise<import('./types.d.ts').JIDAnswer>} */
  lookupJID(account) {
    return this.request('GET', '/v1/jids', { query: { account } });
  }
  /** Makes one request, past the outbox and its order; send does more. @param {MessageRequest} message @param {{ signal?: AbortSignal }} [o] @returns {Promise<import('./types.d.ts').MessageAnswer>} */
  sendMessage(message, o = {}) {
    return this.request('POST', '/v1/messages', { body: message, signal: o.signal });
  }
  /** @param {string} id @returns {Promise<MessageRecord>} */
  getMessage(id) {
    return this.request('GET', `/v1/messages/${encodeURIComponent(id)}`);
  }
  /** @param {JID} jid @param {import('./types.d.ts').ChatState} state @returns {Promise<void>} */
  setChatState(jid, state) {
    return this.request('PUT', `/v1/chat-states/${encodeURIComponent(jid)}`, { body: { state } });
  }
  /** @returns {Promise<import('./types.d.ts').Ticket>} */
  createTicket() {
    return this.request('POST', '/v1/events/tickets');
  }
  /** One long poll, for programs that want no stream.
   * @param {{ since?: string, wait?: number, limit?: number, types?: string }} [query]
   * @returns {Promise<{ events: Frame[], next: string, reset: { reason: string } | null }>} */
  poll(query = {}) {
    return this.request('GET', '/v1/events', { query });
  }
}

/** @param {Response} answer */
async function problemOf(answer) {
  /** @type {Problem} */
  const problem = await answer.json().catch(() => ({ status: answer.status, code: 'http', title: `HTTP ${answer.status}` }));
  return new PerchError(answer.status, problem, retryAfterOf(answer.headers.get('Retry-After')));
}

/** Seconds or a date (RFC 9110, 10.2.3), in milliseconds from now; 0 where it says nothing. @param {string | null} text */
function retryAfterOf(text) {
  if (!text) return 0;
  const ms = /^\s*\d+\s*$/.test(text) ? 1000 * Number(text) : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), 3_600_000) : 0;
}

/** What the client itself refuses, without a request. @param {string} code @param {string} detail */
function ownError(code, detail) {
  return new PerchError(0, /** @type {any} */ ({ type: `/problems/${code}`, title: detail, status: 0, detail, instance: '', code, request_id: '' }));
}

/** Where messages that wait are kept: by all tabs when one sends for all, else by each tab
 * for itself. Null where there is no storage, or the page may not use it. @param {boolean} shared @returns {Storage | null} */
function defaultStorage(shared) {
  try {
    return (globalThis.document && (shared ? globalThis.localStorage : globalThis.sessionStorage)) || null;
  } catch {
    return null;
  }
}

/** An id for a message: 128 random bits, where crypto.randomUUID would need a secure page. */
function newID() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
}

/** Whether position a comes after b; ids increase inside an epoch, and another epoch is always news.
 * @param {string} a @param {string} b */
function after(a, b) {
  const [x, y] = [a.lastIndexOf('-'), b.lastIndexOf('-')];
  return a.slice(0, x) !== b.slice(0, y) || Number(a.slice(x + 1)) > Number(b.slice(y + 1));
}

/** What is known of an account. It changes by events alone, so that a reconnect, a reset
 * and a first connect are one path; read it and never write to it. */
export class Store {
  /** @type {SessionInfo | null} */ session = null;
  /** @type {Map<JID, Buddy>} */ buddies = new JIDMap();
  /** @type {Map<JID, Presence>} */ presence = new JIDMap();
  /** @type {Map<JID, Invitation>} */ invitations = new JIDMap();
  /** @type {Map<JID, Conversation>} */ conversations = new JIDMap();
  /** Whether a snapshot was complete once. */
  ready = false;

  /** @type {Set<(change: Change) => void>} */ #subscribers = new Set();
  /** Snapshots of a reset, until live says that they are whole. @type {{ buddies: Buddy[], invitations: Invitation[] } | null} */ #reset = null;
  /** @type {Presence[]} */ #snapshot = [];
  #keys = 0;
  /** How far the gateway's clock is ahead of ours, in milliseconds. */ #ahead = 0;

  /** Calls f after each change. The result ends it. @param {(change: Change) => void} f */
  subscribe(f) {
    this.#subscribers.add(f);
    return () => void this.#subscribers.delete(f);
  }

  /** @param {Change} change */
  #changed(change) {
    for (const f of this.#subscribers) f(change);
  }

  /** Applies one frame. @param {Frame} f */
  apply(f) {
    if (f.type === 'hello' || f.type === 'heartbeat') this.#ahead = Date.parse(f.time) - Date.now() || 0;
    switch (f.type) {
      case 'hello':
        this.session = f.data.session;
        for (const c of this.conversations.values()) c.typing = null; // what it was may have ended meanwhile
        this.#reset = f.data.resumed ? null : { buddies: [], invitations: [] };
        this.#snapshot = [];
        return this.#changed({ what: 'session' });
      case 'roster.snapshot':
        return void this.#reset?.buddies.push(...f.data.items);
      case 'invitations.snapshot':
        return void this.#reset?.invitations.push(...f.data.items);
      case 'presence.snapshot':
        this.#snapshot.push(...f.data.items);
        return f.data.last && !this.#reset ? this.#showPresence() : undefined;
      case 'live':
        return this.#reset ? this.#commit(this.#reset) : undefined;
      case 'roster.item':
        this.buddies.set(f.data.jid, f.data);
        if (!this.presence.has(f.data.jid)) this.presence.set(f.data.jid, absent(f.data.jid));
        return this.#changed({ what: 'buddies', jid: f.data.jid });
      case 'roster.removed':
        this.buddies.delete(f.data.jid);
        this.presence.delete(f.data.jid);
        return this.#changed({ what: 'buddies', jid: f.data.jid });
      case 'presence':
        this.presence.set(f.data.jid, f.data);
        if (!f.data.available && this.conversations.get(f.data.jid)?.typing) this.#typing(f.data.jid, 'gone');
        return this.#changed({ what: 'presence', jid: f.data.jid });
      case 'invitation.received':
        this.invitations.set(f.data.jid, f.data);
        return this.#changed({ what: 'invitations', jid: f.data.jid });
      case 'invitation.accepted':
      case 'invitation.declined':
      case 'invitation.cancelled':
        this.invitations.delete(f.data.jid);
        return this.#changed({ what: 'invitations', jid: f.data.jid });
      case 'session.state':
        return this.#stateChanged(f.data, f.time);
      case 'session.gap':
        for (const c of this.conversations.values()) c.gap = true;
        return this.#changed({ what: 'conversations' });
      case 'vcard.changed':
        return this.#changed({ what: 'vcard', jid: f.data.jid });
      case 'chat_state':
        return this.#typing(bare(f.data.from), f.data.state);
      case 'message.received':
      case 'message.sent':
        return this.#message(f.type === 'message.sent' ? 'out' : 'in', f.id ?? '', f.time, f.data);
      case 'message.status':
        return this.setStatus(f.data.id, f.data.status, f.data.error?.text || f.data.error?.condition, f.data.time ?? f.time);
    }
  }

  /** The whole of a reset at once: nobody ever sees half of it. @param {{ buddies: Buddy[], invitations: Invitation[] }} r */
  #commit(r) {
    this.buddies = JIDMap.of(r.buddies, (b) => b.jid);
    this.invitations = JIDMap.of(r.invitations, (i) => i.jid);
    this.#reset = null;
    if (this.ready) for (const c of this.conversations.values()) c.gap = true;
    this.ready = true;
    this.#changed({ what: 'buddies' });
    this.#changed({ what: 'invitations' });
    this.#changed({ what: 'conversations' });
    this.#showPresence();
  }

  #showPresence() {
    this.presence = JIDMap.of(this.#snapshot, (p) => p.jid);
    this.#snapshot = [];
    this.#changed({ what: 'presence' });
  }

  /** @param {Events['session.state']} s @param {string} time */
  #stateChanged(s, time) {
    if (this.session) this.session = { ...this.session, state: s.state, reason: s.reason, retry_at: s.retry_at, since: time };
    // Whether presence is from before the link was lost follows from the state: no event says so.
    const stale = s.state !== 'online';
    for (const [jid, p] of this.presence) if (p.stale !== stale) this.presence.set(jid, { ...p, stale });
    this.#changed({ what: 'session' });
    this.#changed({ what: 'presence' });
  }

  /** @param {JID} jid @param {import('./types.d.ts').ChatState} state */
  #typing(jid, state) {
    this.conversation(jid).typing = state;
    this.#changed({ what: 'conversations', jid });
  }

  /** The conversation with an account, made when there was none. @param {JID} jid @returns {Conversation} */
  conversation(jid) {
    let c = this.conversations.get(jid);
    if (!c) {
      c = { jid, messages: [], typing: null, gap: false, complete: false, prev: null };
      this.conversations.set(jid, c);
    }
    return c;
  }

  /** @param {'in' | 'out'} direction @param {string} event @param {string} time @param {MessageData} d */
  #message(direction, event, time, d) {
    const jid = bare(direction === 'out' ? d.to : d.from);
    const c = this.conversation(jid);
    const at = d.delay?.stamp ?? time;
    if (direction === 'out') this.#moveLocal(d.id, c);
    let m = ofEvent(c.messages, direction, d, event, at);
    if (m?.event) return; // a copy of one that we have
    if (m) c.messages.splice(c.messages.indexOf(m), 1);
    else m = { key: this.#key(), id: d.id, direction, body: d.body, time: at };
    Object.assign(m, { id: d.id, body: d.body, event, time: at }, d.stanza_id && { archive: d.stanza_id });
    if (d.delay) m.delayed = true;
    if (d.subject) m.subject = d.subject;
    if (d.thread) m.thread = d.thread;
    if (direction === 'out' && (!m.status || m.status === 'pending' || m.status === 'failed')) {
      m.status = 'accepted';
      delete m.error;
    }
    if (direction === 'in') c.typing = null;
    insert(c.messages, m);
    this.#changed({ what: 'conversations', jid });
  }

  /** A message that was written here belongs to the account as the gateway writes it, which
   * may be another spelling of its JID. @param {string} id @param {Conversation} c */
  #moveLocal(id, c) {
    for (const other of this.conversations.values()) {
      const m = other === c ? undefined : other.messages.find((x) => x.local && x.id === id && !x.event);
      if (!m) continue;
      other.messages.splice(other.messages.indexOf(m), 1);
      insert(c.messages, m);
      this.#changed({ what: 'conversations', jid: other.jid });
    }
  }

  #key() {
    return `m${++this.#keys}`;
  }

  /** Adds a message that was written here, unless it is there. @param {JID} jid @param {{ id: string, body: string, thread?: string, subject?: string }} m
   * @param {number} [at] when, in milliseconds by our own clock */
  addPending(jid, m, at = Date.now()) {
    const messages = this.conversation(jid).messages;
    const known = messages.find((x) => x.local && x.id === m.id);
    if (known) return known;
    /** @type {StoredMessage} */
    const stored = { ...m, key: this.#key(), direction: 'out', time: new Date(at + this.#ahead).toISOString(), status: 'pending', local: true };
    insert(messages, stored);
    this.#changed({ what: 'conversations', jid });
    return stored;
  }

  /** A message that has failed is pending again, at the end. @param {JID} jid @param {string} id @param {string} next its id from now on */
  sendAgain(jid, id, next) {
    const c = this.conversation(jid);
    const i = c.messages.findIndex((x) => x.direction === 'out' && x.id === id && x.status === 'failed');
    const [m] = i < 0 ? [] : c.messages.splice(i, 1);
    if (!m) return;
    Object.assign(m, { id: next, status: 'pending', local: true, time: new Date(Date.now() + this.#ahead).toISOString() });
    for (const field of /** @type {const} */ (['error', 'event', 'archive', 'reached'])) delete m[field];
    insert(c.messages, m);
    this.#changed({ what: 'conversations', jid });
  }

  /** Takes out a message that was never sent. Reports whether it was there. @param {JID} jid @param {string} id */
  remove(jid, id) {
    const messages = this.conversations.get(jid)?.messages ?? [];
    const i = messages.findIndex((x) => x.direction === 'out' && x.id === id && (x.status === 'pending' || x.status === 'failed'));
    if (i >= 0) messages.splice(i, 1);
    if (i >= 0) this.#changed({ what: 'conversations', jid });
    return i >= 0;
  }

  /** What waits to be handed over, with whom it is for. @returns {[JID, StoredMessage][]} */
  pending() {
    return [...this.conversations.values()].flatMap((c) =>
      c.messages.filter((m) => m.status === 'pending').map((m) => /** @type {[JID, StoredMessage]} */ ([c.jid, m])),
    );
  }

  /** A status never goes back: an answer may come after the event that is newer than it.
   * @param {string} id @param {StoredMessage['status']} status @param {string} [error] @param {string} [time] when the service had it */
  setStatus(id, status, error, time) {
    const order = ['pending', 'accepted', 'sent', 'acked', 'delivered', 'displayed'];
    for (const c of this.conversations.values()) {
      const m = c.messages.findLast((x) => x.direction === 'out' && x.id === id);
      if (!m) continue;
      const [from, to] = [order.indexOf(m.status ?? ''), order.indexOf(status ?? '')];
      if (time && to >= order.indexOf('sent')) m.reached ??= time;
      if (to >= 0 && from > to) return;
      if (m.status === status && m.error === error) return;
      m.status = status;
      if (error) m.error = error;
      else delete m.error;
      return this.#changed({ what: 'conversations', jid: c.jid });
    }
  }

  /** Takes a page of the archive in: what was seen as an event is not shown twice. Resolves
   * with how many were new. @param {JID} jid @param {ArchivePage} page @param {boolean} older whether paging goes on from here */
  merge(jid, page, older) {
    const c = this.conversation(jid);
    let added = 0;
    for (const item of page.items) {
      const m = ofArchived(c.messages, item);
      const unsent = m && (m.status === 'pending' || m.status === 'failed') && !m.event;
      if (m && !unsent) {
        m.archive = item.id;
        continue;
      }
      if (m) c.messages.splice(c.messages.indexOf(m), 1); // it was sent after all: it gets its place
      /** @type {StoredMessage} */
      const stored = m ?? { key: this.#key(), id: item.message_id ?? '', direction: item.direction === 'out' ? 'out' : 'in', body: item.body, time: item.time };
      Object.assign(stored, { archive: item.id, time: item.time }, m && { status: 'acked' });
      if (m) delete m.error;
      else added++;
      insert(c.messages, stored);
    }
    if (older) {
      c.prev = page.prev;
      c.complete = page.complete || !page.prev;
    }
    this.#changed({ what: 'conversations', jid });
    return added;
  }

  /** Conversations where messages may be missing. */
  holes() {
    return [...this.conversations.values()].filter((c) => c.gap && c.messages.length);
  }

  /** @param {JID} jid @param {boolean} whole */
  filled(jid, whole) {
    this.conversation(jid).gap = !whole;
    this.#changed({ what: 'conversations', jid });
  }

  /** @returns {SavedState} */
  toJSON() {
    return {
      version: 1, cursor: '', session: this.session,
      buddies: [...this.buddies.values()], presence: [...this.presence.values()],
      invitations: [...this.invitations.values()],
      conversations: [...this.conversations.values()].map((c) => ({ ...c, typing: null })),
    };
  }

  /** Takes over what toJSON gave. @param {SavedState} state */
  load(state) {
    this.session = state.session;
    this.buddies = JIDMap.of(state.buddies, (b) => b.jid);
    this.presence = JIDMap.of(state.presence, (p) => p.jid);
    this.invitations = JIDMap.of(state.invitations, (i) => i.jid);
    this.conversations = JIDMap.of(structuredClone(state.conversations), (c) => c.jid);
    for (const c of this.conversations.values()) for (const m of c.messages) m.key = this.#key();
    this.ready = true;
    for (const what of /** @type {const} */ (['session', 'buddies', 'presence', 'invitations', 'conversations'])) this.#changed({ what });
  }
}

/** What a snapshot says of a buddy that nothing was heard of. @param {JID} jid @returns {Presence} */
const absent = (jid) => ({ jid, available: false, show: null, status: '', priority: 0, resources: [], updated_at: null, stale: false });

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
 * @property {Outbox} outbox
 */

/** Failures of WebSockets before they said hello, until SSE is tried instead. */
const blockedAfter = 2;
/** How long SSE is kept before a WebSocket is tried again, in milliseconds. */
const sseTime = 600_000;

/** One event stream that is kept open: one attempt after the other, whatever ends them. */
class Stream {
  #o;
  #port;
  #stop = new AbortController();
  #hurry = new AbortController();
  #connects = 0;
  #failures = 0; // attempts in a row that did not get as far as to stay
  #blocked = 0; // WebSockets in a row that did not say hello
  #sseUntil = 0;
  #refused = false;

  /** @param {Options & { url: URL }} o @param {Port} port */
  constructor(o, port) {
    this.#o = o;
    this.#port = port;
  }

  start() {
    globalThis.addEventListener?.('online', this.#woken);
    globalThis.document?.addEventListener('visibilitychange', this.#woken);
    void this.#run();
  }

  stop() {
    globalThis.removeEventListener?.('online', this.#woken);
    globalThis.document?.removeEventListener('visibilitychange', this.#woken);
    this.#stop.abort();
    this.#hurry.abort();
  }

  /** Ends a wait between two attempts; starts over after a stop. */
  hurry() {
    this.#hurry.abort();
  }

  #woken = () => {
    if (globalThis.document?.visibilityState !== 'hidden') this.hurry();
  };

  async #run() {
    while (!this.#stop.signal.aborted) {
      const transport = this.#transport();
      this.#port.state({ state: 'connecting', transport, retryIn: 0 });
      const end = await this.#attempt(transport);
      if (this.#stop.signal.aborted) return;
      const wait = this.#judge(end);
      this.#hurry = new AbortController();
      const stopped = wait === Infinity;
      this.#port.state({ state: stopped ? 'stopped' : 'waiting', code: end.code, reason: end.reason, retryIn: stopped ? 0 : wait });
      await (stopped ? new Promise((done) => this.#hurry.signal.addEventListener('abort', done)) : pause(wait, this.#hurry.signal));
    }
  }

  #transport() {
    const forced = this.#o.transport;
    if (forced === 'sse' || (forced !== 'ws' && (this.#sockets() === undefined || Date.now() < this.#sseUntil))) return /** @type {const} */ ('sse');
    return /** @type {const} */ ('ws');
  }

  #sockets() {
    return this.#o.WebSocket ?? globalThis.WebSocket;
  }

  /** One connection, from its handshake to its end. Never rejects. @param {'ws' | 'sse'} transport @returns {Promise<Ending>} */
  async #attempt(transport) {
    const abort = new AbortController();
    const leave = () => abort.abort();
    this.#stop.signal.addEventListener('abort', leave);
    let silence = 25_000; // a first login may take 15 s
    let hello = false;
    let quiet = false;
    /** @type {any} */ let timer;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => ((quiet = true), abort.abort()), silence);
    };
    const began = Date.now();
    /** @type {Ending | null} */ let last = null;
    /** @param {Frame} f */
    const frame = (f) => {
      if (f.type === 'hello') {
        hello = true;
        silence = this.#o.silence ?? 2 * f.data.heartbeat_ms + 5000;
        this.#blocked = transport === 'ws' ? 0 : this.#blocked;
        this.#refused = false;
        this.#connects++;
      }
      if (f.type === 'error' && f.close) last = { code: f.close.code, reason: f.close.reason };
      heard();
      this.#port.frame(f);
      if (f.type === 'live') this.#port.state({ state: 'live', transport, retryIn: 0, connects: this.#connects });
    };
    heard();
    /** @type {Ending} */ let end;
    try {
      end = await (transport === 'ws' ? this.#overSocket : this.#overFetch).call(this, { ...(await this.#address(transport)), signal: abort.signal, heard, frame });
      end = last ?? end;
    } catch (e) {
      end = e instanceof PerchError ? endingOf(e) : { code: 1006, reason: e instanceof Error ? e.message : '' };
    }
    clearTimeout(timer);
    this.#stop.signal.removeEventListener('abort', leave);
    if (quiet) end = { code: 4102, reason: 'nothing was heard' };
    if (hello && Date.now() - began > 10_000) this.#failures = 0;
    if (!hello && transport === 'ws' && end.code < 4000 && ++this.#blocked >= blockedAfter && this.#o.transport !== 'ws' && !this.#o.ticket) {
      this.#blocked = 0;
      this.#sseUntil = Date.now() + sseTime;
    }
    if (!hello && transport === 'sse' && end.code < 4000) this.#sseUntil = 0; // nothing works: try both in turn
    return end;
  }

  /** @param {'ws' | 'sse'} transport */
  async #address(transport) {
    const url = new URL(transport === 'ws' ? '/v1/events/ws' : '/v1/events', this.#o.url);
    if (this.#port.cursor()) url.searchParams.set('since', this.#port.cursor());
    /** @type {Record<string, string>} */ const headers = { Accept: 'text/event-stream' };
    const protocols = ['perch.v1'];
    if (transport === 'ws') url.protocol = url.protocol.replace('http', 'ws');
    if (this.#o.ticket || (transport === 'ws' && this.#o.auth === 'ticket')) {
      url.searchParams.set('ticket', await this.#port.ticket());
    } else {
      const token = await this.#port.token(this.#refused);
      headers.Authorization = `Bearer ${token}`;
      protocols.push(`perch.bearer.${btoa(token).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`);
    }
    return { url, headers, protocols };
  }

  /** @param {Attempt} a @returns {Promise<Ending>} */
  #overSocket(a) {
    const Socket = this.#sockets();
    return new Promise((done) => {
      const socket = new Socket(a.url, a.protocols);
      const leave = () => {
        socket.onmessage = null; // a frame of the past belongs to nobody
        socket.close(1000);
        done({ code: 1006, reason: 'left' });
      };
      socket.onmessage = (e) => a.frame(JSON.parse(e.data));
      socket.onclose = (e) => done({ code: e.code, reason: e.reason });
      let opened = false;
      socket.onopen = () => (opened = true);
      socket.onerror = () => opened || done({ code: 1006, reason: 'no handshake' }); // in Node 20 no close follows
      if (a.signal.aborted) leave();
      a.signal.addEventListener('abort', leave);
    });
  }

  /** SSE (WHATWG HTML, 9.2) by fetch, because EventSource can set no header. @param {Attempt} a @returns {Promise<Ending>} */
  async #overFetch(a) {
    const answer = await /** @type {typeof fetch} */ (this.#o.fetch)(a.url, { headers: a.headers, signal: a.signal, cache: 'no-store' });
    if (!answer.ok) throw await problemOf(answer);
    if (!answer.body) return { code: 1006, reason: 'no stream' };
    const reader = answer.body.getReader();
    const decoder = new TextDecoder();
    let rest = '';
    let data = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { code: 1006, reason: 'the stream ended' };
      a.heard();
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const raw of lines) {
        const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
        if (line.startsWith('data:')) data += line.slice(line[5] === ' ' ? 6 : 5);
        else if (line === '' && data && !a.signal.aborted) {
          a.frame(JSON.parse(data));
          data = '';
        }
      }
    }
  }

  /** How long to wait after an ending, by the range of its code; Infinity is for ever. @param {Ending} end */
  #judge(end) {
    if (end.code === 4001 && typeof this.#o.token === 'function' && !this.#refused) {
      this.#refused = true;
      return 0;
    }
    if (end.code >= 4000 && end.code <= 4099) return Infinity;
    const now = end.code >= 4200 && end.code <= 4299 && this.#failures === 0;
    this.#failures++;
    return Math.max(end.retryAfter ?? 0, now ? Math.random() * 250 : jitter(this.#failures - 1, this.#o.backoff));
  }
}

/** What a refused request means for a stream, in the words of close codes. @param {PerchError} e @returns {Ending} */
function endingOf(e) {
  const stop = e.status === 401 ? 4001 : e.status === 403 ? 4003 : e.status >= 400 && e.status < 500 && e.status !== 429 && e.status !== 408 ? 4000 : 4100;
  return { code: stop, reason: e.code, retryAfter: e.retryAfter };
}

/** Tabs that share one stream. The one that holds the lock leads: it has the stream and
 * tells the others every frame, and sends what any of them has written. When it closes, the
 * next one resumes from its own cursor and sends what is left. */
class Tabs {
  #o;
  #port;
  #me = newID();
  /** @type {BroadcastChannel | null} */ #channel = null;
  /** @type {Stream | null} */ #stream = null;
  #stop = new AbortController();
  #release = never;
  #joined = false;
  #stopped = false;
  /** @type {any} */ #watch;

  static possible() {
    return Boolean(globalThis.navigator?.locks && globalThis.BroadcastChannel && globalThis.crypto?.subtle);
  }

  /** @param {Options & { url: URL }} o @param {Port} port */
  constructor(o, port) {
    this.#o = o;
    this.#port = port;
  }

  start() {
    this.#port.state({ state: 'connecting', transport: 'tab' });
    void this.#begin();
  }

  stop() {
    this.#stopped = true;
    this.#stop.abort();
    clearTimeout(this.#watch);
    this.#stream?.stop();
    this.#release();
    this.#channel?.close();
  }

  hurry() {
    if (this.#stream) this.#stream.hurry();
    else this.#say({ kind: 'hurry' });
  }

  async #begin() {
    // The name tells nobody the token, and is the same in every tab that has it.
    const text = `${this.#o.url.origin} ${this.#o.ticket ? '' : await this.#port.token(false)}`;
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
    const name = `perch-${Array.from(hash.slice(0, 16), (b) => b.toString(16).padStart(2, '0')).join('')}`;
    if (this.#stopped) return;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = (e) => this.#heard(e.data);
    this.#say({ kind: 'join' });
    this.#expect(name);
    void this.#queue(name, false);
  }

  /** Waits for the lock and leads while it is held. @param {string} name @param {boolean} steal */
  async #queue(name, steal) {
    const options = steal ? { steal } : { signal: this.#stop.signal };
    try {
      await navigator.locks.request(name, options, () => this.#lead());
    } catch {
      // Stopped, or the lock was stolen because this tab was asleep: then it follows.
      this.#stream?.stop();
      this.#stream = null;
      this.#joined = false;
      if (this.#stopped) return;
      this.#port.outbox.lead(false);
      this.#say({ kind: 'join' });
      this.#expect(name);
      void this.#queue(name, false);
    }
  }

  /** @returns {Promise<void>} */
  #lead() {
    if (this.#stopped) return Promise.resolve();
    clearTimeout(this.#watch);
    this.#stream = new Stream(this.#o, {
      ...this.#port,
      frame: (f) => {
        this.#port.frame(f);
        this.#say({ kind: 'frame', frame: f });
        if (f.type === 'live') this.#welcome('*'); // whoever joined while there was nothing to tell
      },
      state: (s) => {
        this.#port.state(s);
        this.#say({ kind: 'state', state: { ...s, transport: 'tab' } });
      },
    });
    this.#stream.start();
    this.#port.outbox.lead(true);
    return new Promise((done) => (this.#release = done));
  }

  /** @param {any} m */
  #say(m) {
    if (!this.#stopped) this.#channel?.postMessage({ ...m, from: this.#me });
  }

  /** @param {import('./perch/outbox.js').Announcement} a */
  announce(a) {
    this.#say({ kind: 'outbox', announcement: a });
  }

  /** @param {string} to */
  #welcome(to) {
    this.#say({ kind: 'welcome', to, saved: this.#port.save() });
  }

  /** @param {any} m */
  #heard(m) {
    if (m.kind === 'outbox') return this.#port.outbox.hear(m.announcement);
    if (this.#stream) {
      if (m.kind === 'join') this.#port.outbox.share();
      if (m.kind === 'join' && this.#port.cursor()) this.#welcome(m.from);
      if (m.kind === 'hurry') this.#stream.hurry();
      return; // frames of the leader before us come again by our own stream
    }
    this.#expect(this.#channel?.name ?? '');
    if (m.kind === 'welcome' && !this.#joined && (m.to === this.#me || m.to === '*')) {
      this.#joined = true;
      this.#port.restore(m.saved);
      this.#port.outbox.identify(m.saved.session?.jid ?? '', true);
      this.#port.outbox.share();
      this.#port.state({ state: 'live', transport: 'tab' });
    }
    if (m.kind === 'frame' && this.#joined) this.#port.frame(m.frame);
    if (m.kind === 'state' && this.#joined) this.#port.state(m.state);
  }

  /** A leader that says nothing for long is asleep: its lock is taken away. @param {string} name */
  #expect(name) {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#queue(name, true), this.#o.silence ?? 90_000);
  }
}
