// Whom the account blocks, as far as it was asked for: a list that is read, and what events change of it.
// A list may be older than events that came before it: those are applied to it once more.

import { JIDMap, bare } from './jids.js';

/** @import { BlockList, BlockedAddresses, Events, JID } from '../types.d.ts' */

/** Most events that are kept for a list that is on its way. */
const maxSaid = 1000;

/** The entries that would block an address (XEP-0191, 3): itself, its account, and everybody of its domain.
 * @param {JID} address @returns {JID[]} */
const blockersOf = (address) => {
  const account = bare(address);
  return [address, account, account.slice(account.indexOf('@') + 1)];
};

/** The block list of the account. */
export class Blocked {
  /** @type {BlockedAddresses | null} */ view = null;
  #changed;
  /** The entries of the view. @type {Map<JID, JID>} */ #entries = new JIDMap();
  /** What events have said since the list was asked for; null: it is not, or not usefully. @type {Events['blocked.changed'][] | null} */
  #said = null;

  /** @param {() => void} changed */
  constructor(changed) {
    this.#changed = changed;
  }

  /** The list is about to be asked for, which is done once at a time. */
  begin() {
    this.#said = [];
  }

  /** Takes the answer. Reports false when it is to be asked for again, as changes were missed meanwhile.
   * @param {BlockList} list */
  replace({ items, complete }) {
    const said = this.#said;
    if (!said) return false;
    this.#said = null;
    this.#entries = JIDMap.of(
      items.map((b) => b.jid),
      (jid) => jid,
    );
    for (const d of said) this.#apply(d);
    this.#show(complete, false);
    return true;
  }

  /** @param {Events['blocked.changed']} d */
  apply(d) {
    if (d.reset) return this.missed();
    if (this.#said && this.#said.push(d) > maxSaid) this.#said = null;
    if (!this.view) return; // nobody has asked, or the list is on its way
    this.#apply(d);
    this.#show(this.view.complete || d.all === false, this.view.stale);
  }

  /** @param {Events['blocked.changed']} d */
  #apply({ added, removed, all }) {
    if (all === false) this.#entries.clear();
    for (const jid of removed) this.#entries.delete(jid);
    for (const jid of added) this.#entries.set(jid, jid);
  }

  /** Changes may have been missed: the list is to be read again, and so is one that is on its way. */
  missed() {
    this.#said = null;
    if (this.view && !this.view.stale) this.#show(this.view.complete, true);
  }

  /** @param {boolean} complete @param {boolean} stale */
  #show(complete, stale) {
    const items = [...this.#entries.values()].sort();
    this.view = { items, complete, stale };
    this.#changed();
  }

  /** The entry by which an address is blocked. @param {JID} address */
  by(address) {
    for (const entry of blockersOf(address)) if (this.#entries.has(entry)) return this.#entries.get(entry);
  }

  /** What a saved state has of it. @param {BlockedAddresses | null} view */
  load(view) {
    this.#said = null; // what it has may be newer than an answer that is on its way
    this.#entries = JIDMap.of(view?.items ?? [], (jid) => jid);
    this.view = view;
  }
}
