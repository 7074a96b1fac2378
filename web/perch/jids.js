// Addresses. One account may be written in several ways: servers and clients compare the
// normal form (RFC 7622), and show what they were given.

/** @typedef {import('../types.d.ts').JID} JID */

/** The address without its resource. @param {JID} jid */
export const bare = (jid) => jid.split('/', 1)[0] ?? jid;

/** What two spellings of one address have in common: the account in lower case, with its accents
 * in one form; the resource as it is. The gateway, which knows all of the rules, has the last
 * word about what is an address. @param {JID} jid */
export function jidKey(jid) {
  const account = bare(jid);
  return account.normalize('NFC').toLowerCase().normalize('NFC') + jid.slice(account.length);
}

/** A map by address that finds an entry by every spelling. A key stays as it was first written.
 * @template V @extends {Map<JID, V>} */
export class JIDMap extends Map {
  /** @type {Map<string, JID>} */ #spelling = new Map();

  /** @template V @param {Iterable<V>} values @param {(value: V) => JID} jidOf @returns {JIDMap<V>} */
  static of(values, jidOf) {
    /** @type {JIDMap<V>} */ const map = new JIDMap();
    for (const v of values) map.set(jidOf(v), v);
    return map;
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
    this.#spelling.set(jidKey(jid), key);
    return super.set(key, value);
  }

  /** @override @param {JID} jid */
  delete(jid) {
    const gone = super.delete(this.#key(jid));
    this.#spelling.delete(jidKey(jid));
    return gone;
  }

  /** @override */
  clear() {
    super.clear();
    this.#spelling.clear();
  }
}
