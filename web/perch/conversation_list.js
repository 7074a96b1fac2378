// The list of conversations, read page by page, and again after each time without a stream; and
// what the user changes in it.

import { classify } from './failures.js';
import { can } from './features.js';

/** @import { Conversation, ConversationPatch, JID } from '../types.d.ts' */
/** @import { Rest } from './rest.js' */
/** @import { Store } from './store.js' */

/** Entries of a page. */
const pageSize = 50;
/** How long a draft rests until it is sent, in milliseconds. */
const draftDelay = 1000;

/** Reads and changes the list of conversations. */
export class ConversationList {
  #store;
  #rest;
  #ended;
  /** How many entries were read, so that as many are read again. */ #loaded = 0;
  /** Where the next page begins; null: there is none. @type {string | null | undefined} */ #next;
  /** Read positions that the gateway does not have yet. @type {Map<JID, { ref: string, receipts?: boolean }>} */ #reads = new Map();
  /** Timers of drafts, which are sent when they end. @type {Map<JID, any>} */ #drafts = new Map();

  /** @param {Store} store @param {Rest} rest @param {() => boolean} ended reports whether nothing more is to be asked for by itself */
  constructor(store, rest, ended) {
    this.#store = store;
    this.#rest = rest;
    this.#ended = ended;
  }

  get #possible() {
    return can(this.#store, 'conversations');
  }

  /** Whether the list goes on. */
  get more() {
    return this.#possible && this.#next !== null;
  }

  /** Reads the next page, the first one first. Resolves with whether there are more. @param {number} [limit] */
  async load(limit = pageSize) {
    if (!this.more) return false;
    const page = await this.#readPage(limit, this.#next);
    this.#loaded += page.items.length;
    this.#next = page.next;
    return this.more;
  }

  /** @param {number} limit @param {string | null} [cursor] */
  async #readPage(limit, cursor) {
    const since = this.#store.sequence;
    const page = await this.#rest.listConversations({ limit, ...(cursor && { cursor }) });
    this.#store.mergeList(page.items, since);
    return page;
  }

  /** Sends what the gateway does not have yet. Then reads again what was read: events that are not
   * replayed may have been missed. */
  async refresh() {
    if (!this.#possible) return;
    for (const jid of [...this.#reads.keys()]) void this.#sendRead(jid).catch(() => {});
    for (const c of this.#store.conversations.values()) if (c.state.unsaved) this.#sendDraft(c.jid);
    const wanted = this.#loaded;
    if (!wanted) return;
    let loaded = 0;
    /** @type {string | null | undefined} */ let next;
    while (loaded < wanted && next !== null) {
      if (this.#ended()) return;
      const page = await this.#readPage(Math.min(pageSize, wanted - loaded), next);
      loaded += page.items.length;
      next = page.next;
    }
    this.#loaded = loaded; // not before all of it was read: what has failed is read with the next stream
    this.#next = next;
  }

  // Reading.

  /** Marks a conversation as read up to a message, the newest one if none is named. @param {JID} jid
   * @param {{ ref?: string, receipts?: boolean }} o @returns {Promise<void>} */
  async read(jid, { ref, receipts }) {
    const c = this.#store.conversation(jid);
    const m = ref ? c.messages.findLast((x) => x.ref === ref) : newestReceived(c);
    const position = ref ?? m?.ref;
    if (m && !later(c, m.time)) this.#store.setRead({ jid, read: { ref: m.ref ?? '', time: m.time }, unread: 0, mentions: 0 });
    if (!this.#possible || !position || position === c.read?.ref) return;
    this.#reads.set(jid, { ref: position, ...(receipts !== undefined && { receipts }) });
    await this.#sendRead(jid);
  }

  /** @param {JID} jid */
  async #sendRead(jid) {
    const position = this.#reads.get(jid);
    if (!position) return;
    try {
      const read = await this.#rest.putRead(jid, position);
      if (this.#reads.get(jid) === position) this.#reads.delete(jid);
      this.#store.setRead({ ...read, jid });
    } catch (e) {
      if (classify(e) === 'refused' && this.#reads.get(jid) === position) this.#reads.delete(jid);
      throw e;
    }
  }

  // Settings.

  /** @param {JID} jid @param {ConversationPatch} change */
  async patch(jid, change) {
    const c = await this.#rest.patchConversation(jid, change);
    this.#store.mergeList([c]);
  }

  /** Keeps a message that was begun; the gateway gets it when nothing was added for a second.
   * @param {JID} jid @param {string} text */
  draft(jid, text) {
    const draft = text.trim() ? text : null;
    if (this.#store.conversation(jid).draft === draft) return;
    this.#store.setDraft(jid, draft);
    if (!this.#possible || this.#ended()) return;
    clearTimeout(this.#drafts.get(jid));
    const timer = setTimeout(() => this.#sendDraft(jid), draftDelay);
    /** @type {any} */ (timer).unref?.();
    this.#drafts.set(jid, timer);
  }

  /** Lets the drafts that rest wait for the next stream. */
  holdDrafts() {
    for (const timer of this.#drafts.values()) clearTimeout(timer);
    this.#drafts.clear();
  }

  /** @param {JID} jid */
  #sendDraft(jid) {
    clearTimeout(this.#drafts.get(jid));
    this.#drafts.delete(jid);
    const { draft } = this.#store.conversation(jid);
    // The answer is not merged: it may be older than what is written meanwhile.
    const saved = () => this.#store.conversation(jid).draft === draft && this.#store.setDraft(jid, draft, true);
    this.#rest.patchConversation(jid, { draft }).then(saved, (e) => classify(e) === 'refused' && saved());
  }
}

/** @param {Conversation} c */
const newestReceived = (c) =>
  c.messages.findLast((m) => m.direction === 'in') ?? (c.last_message?.direction === 'in' ? c.last_message : undefined);

/** Reports whether a message came after a time that was not read. @param {Conversation} c @param {string} time */
const later = (c, time) => c.messages.some((m) => m.direction === 'in' && Date.parse(m.time) > Date.parse(time));
