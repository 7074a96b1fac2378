// Older messages and holes, read from the archive into the store.

import { PerchError } from './errors.js';
import { spanOf } from './pages.js';

/** @import { ArchivePage, Conversation, JID } from '../types.d.ts' */

/** Most pages that are read to fill a hole, and messages in each. */
const holePages = 20;
const holePageSize = 50;

/** Reads pages of the archive into the store. */
export class History {
  #store;
  #outbox;
  #getArchive;
  #ended;
  #filling = false;

  /** @param {import('./store.js').Store} store @param {import('./outbox.js').Outbox} outbox
   * @param {(query: { with: JID, limit: number, before?: string }) => Promise<ArchivePage>} getArchive
   * @param {() => boolean} ended reports whether nothing more is to be read by itself */
  constructor(store, outbox, getArchive, ended) {
    this.#store = store;
    this.#outbox = outbox;
    this.#getArchive = getArchive;
    this.#ended = ended;
  }

  /** Reads the next older page. Resolves with how many messages were new. @param {JID} jid @param {number} limit */
  async loadOlder(jid, limit) {
    const { prev, state } = this.#store.conversation(jid);
    const upTo = prev ? state.prevAt : this.#store.gatewayTime();
    try {
      const page = await this.#getArchive({ with: jid, limit, before: prev ?? undefined });
      return this.#merge(jid, page, true, upTo);
    } catch (e) {
      if (e instanceof PerchError && e.status === 501) this.#store.ended(jid); // what was seen is what there is
      throw e;
    }
  }

  /** Fills the hole of one conversation; resolves with whether there is none any more. @param {JID} jid */
  async fillOf(jid) {
    const c = this.#store.conversation(jid);
    if (c.gap && c.messages.length) await this.#fillOne(c);
    return !this.#store.conversation(jid).gap;
  }

  /** Fills the holes of all conversations; one that cannot be filled stays marked. */
  async fill() {
    if (this.#filling) return;
    this.#filling = true;
    try {
      for (const c of this.#store.holes()) await this.#fillOne(c).catch(() => {});
    } finally {
      this.#filling = false;
    }
  }

  /** Reads from the newest page back to a message that is known. @param {Conversation} c */
  async #fillOne(c) {
    /** @type {string | undefined} */ let before;
    /** @type {string | undefined} */ let upTo = this.#store.gatewayTime();
    for (let n = 0; n < holePages && !this.#ended(); n++) {
      const page = await this.#getArchive({ with: c.jid, limit: holePageSize, before });
      const met = this.#merge(c.jid, page, false, upTo) < page.items.length;
      if (met || page.complete || !c.messages.length || !page.prev) {
        // An archive that is empty keeps nothing, so the hole remains.
        this.#store.filled(c.jid, met || (page.complete && page.items.length > 0));
        return;
      }
      before = page.prev;
      upTo = spanOf(page).first ?? undefined;
    }
  }

  /** What the archive has was sent, even if its request has failed.
   * @param {JID} jid @param {ArchivePage} page @param {boolean} older @param {string} [upTo] */
  #merge(jid, page, older, upTo) {
    const added = this.#store.merge(jid, page, older, upTo);
    for (const { direction, message_id } of page.items) {
      if (direction === 'out' && message_id) this.#outbox.confirm(message_id, 'acked');
    }
    return added;
  }
}
