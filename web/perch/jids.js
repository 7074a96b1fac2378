// Addresses. One account may be written in several ways: servers and clients compare the
// normal form (RFC 7622), and show what they were given.

import { reuse } from './reuse.js';

/** @import { JID } from '../types.d.ts' */

/** The address without its resource. @param {JID} jid */
export const bare = (jid) => jid.split('/', 1)[0] ?? jid;

/** The same text for every spelling of an address: the account in lower case, with its accents
 * in one form; the resource as it is. Only the gateway applies all of the rules. @param {JID} jid */
export function jidKey(jid) {
  const account = bare(jid);
  return account.normalize('NFC').toLowerCase().normalize('NFC') + jid.slice(account.length);
}

/** Reports whether two addresses are of one account. @param {JID} a @param {JID} b */
export const sameAccount = (a, b) => jidKey(bare(a)) === jidKey(bare(b));

/** Reports whether two addresses are the same one, resource included. @param {JID} a @param {JID} b */
export const sameAddress = (a, b) => jidKey(a) === jidKey(b);

/** The resource of an address: in a room the nick. @param {JID} jid */
export const resourceOf = (jid) => jid.slice(bare(jid).length + 1);

/** A map by address that finds an entry by every spelling. A key stays as it was first written.
 * @template V @extends {Map<JID, V>} */
export class JIDMap extends Map {
  /** @type {Map<string, JID>} */ #spelling = new Map();
  /** What snapshot gave, until the next change. @type {JIDMap<V> | null} */ #snapshot = null;

  /** @template V @param {Iterable<V>} values @param {(value: V) => JID} jidOf @returns {JIDMap<V>} */
  static of(values, jidOf) {
    /** @type {JIDMap<V>} */ const map = new JIDMap();
    for (const v of values) map.set(jidOf(v), v);
    return map;
  }

  /** The map as it is now, for callers to keep: it is never changed, and the same one until this map is.
   * @returns {ReadonlyMap<JID, V>} */
  snapshot() {
    if (!this.#snapshot) {
      this.#snapshot = new JIDMap();
      for (const [jid, value] of this) this.#snapshot.set(jid, value);
    }
    return this.#snapshot;
  }

  /** @param {JID} jid @returns {JID} */
  #key(jid) {
    return this.#spelling.get(jidKey(jid)) ?? jid;
  }

  /** @override @param {JID} jid @returns {V | undefined} */
  get(jid) {
    return super.get(this.#key(jid));
  }

  /** @override @param {JID} jid */
  has(jid) {
    return super.has(this.#key(jid));
  }

  /** @override @param {JID} jid @param {V} value */
  set(jid, value) {
    const key = this.#key(jid);
    if (super.get(key) === value && super.has(key)) return this;
    this.#snapshot = null;
    this.#spelling.set(jidKey(jid), key);
    return super.set(key, value);
  }

  /** @override @param {JID} jid */
  delete(jid) {
    const existed = super.delete(this.#key(jid));
    if (existed) this.#snapshot = null;
    this.#spelling.delete(jidKey(jid));
    return existed;
  }

  /** @override */
  clear() {
    super.clear();
    this.#snapshot = null;
    this.#spelling.clear();
  }
}

/** What is known after a snapshot: its items, as they were where they are equal. The map of before when all are.
 * @template {{ jid: JID }} T @param {JIDMap<T>} before @param {T[]} items @returns {JIDMap<T>} */
export function renewed(before, items) {
  const now = JIDMap.of(
    items.map((x) => reuse(before.get(x.jid), x)),
    (x) => x.jid,
  );
  return now.size === before.size && [...now.values()].every((x) => before.get(x.jid) === x) ? before : now;
}
