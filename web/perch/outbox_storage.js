// Where the messages of an outbox are kept so that a reload does not lose them: one key a
// message, so that tabs that share a storage never write over each other's.

/** @import { Entry } from './outbox.js' */

const keyRoot = 'perch:outbox:';
/** Changes have a name of their own: a program that knows messages only must not send them as such. */
const changeRoot = 'perch:changes:';
/** Messages are removed after seven days, also those of accounts that are not used any more. */
const keepFor = 7 * 86_400_000;

/** The messages of one account in a Web Storage. What cannot be written is kept in memory
 * alone: a full storage must not keep a message from being sent. */
export class OutboxStorage {
  #storage;
  #account;

  /** @param {Storage} storage @param {string} account */
  constructor(storage, account) {
    this.#storage = storage;
    this.#account = account;
  }

  /** @param {string} id @param {boolean} change */
  #key(id, change) {
    return `${change ? changeRoot : keyRoot}${this.#account}:${id}`;
  }

  /** @param {Entry} e */
  save(e) {
    try {
      this.#storage.setItem(this.#key(e.id, Boolean(e.change)), JSON.stringify({ ...e, account: undefined, doubtful: undefined }));
    } catch {
      this.remove(e.id); // an older state of it would be wrong
    }
  }

  /** @param {string} id */
  remove(id) {
    try {
      this.#storage.removeItem(this.#key(id, false));
      this.#storage.removeItem(this.#key(id, true));
    } catch {
      // A storage that fails always has nothing to remove.
    }
  }

  /** What is kept of this account, in the order of writing. @returns {Entry[]} */
  load() {
    /** @type {Entry[]} */ const found = [];
    try {
      const keys = Array.from({ length: this.#storage.length }, (_, i) => this.#storage.key(i) ?? '');
      for (const key of keys.filter((k) => k.startsWith(keyRoot) || k.startsWith(changeRoot))) {
        const e = parse(this.#storage.getItem(key));
        if (!e || Date.now() - e.at > keepFor) this.#storage.removeItem(key);
        else if (key === this.#key(e.id, Boolean(e.change))) found.push(e);
      }
    } catch {
      return found;
    }
    return found.sort((a, b) => a.at - b.at);
  }
}

/** Reads one entry; null is none. @param {string | null} text @returns {Entry | null} */
function parse(text) {
  try {
    const e = JSON.parse(text ?? 'null');
    const texts = e && [e.id, e.to, e.body].every((s) => typeof s === 'string');
    return texts && Number.isFinite(e.at) && (e.state === 'pending' || e.state === 'failed') ? e : null;
  } catch {
    return null;
  }
}

/** Where messages that wait are kept by default: by all tabs when one sends for all, else by
 * each tab for itself. Null without a storage, or when the page may not use it.
 * @param {boolean} shared @returns {Storage | null} */
export function defaultStorage(shared) {
  try {
    return (globalThis.document && (shared ? globalThis.localStorage : globalThis.sessionStorage)) || null;
  } catch {
    return null;
  }
}
