/** The same text for every spelling of an address: the account in lower case, with its accents
 * in one form; the resource as it is. Only the gateway applies all of the rules. @param {JID} jid */
export function jidKey(jid: JID): string;
/** What is known after a snapshot: its items, as they were where they are equal. The map of before when all are.
 * @template {{ jid: JID }} T @param {JIDMap<T>} before @param {T[]} items @returns {JIDMap<T>} */
export function renewed<T extends {
    jid: JID;
}>(before: JIDMap<T>, items: T[]): JIDMap<T>;
export function bare(jid: JID): string;
export function sameAccount(a: JID, b: JID): boolean;
export function sameAddress(a: JID, b: JID): boolean;
export function resourceOf(jid: JID): string;
/** A map by address that finds an entry by every spelling. A key stays as it was first written.
 * @template V @extends {Map<JID, V>} */
export class JIDMap<V> extends Map<string, V> {
    /** @template V @param {Iterable<V>} values @param {(value: V) => JID} jidOf @returns {JIDMap<V>} */
    static of<V_1>(values: Iterable<V_1>, jidOf: (value: V_1) => JID): JIDMap<V_1>;
    constructor();
    constructor(entries?: readonly (readonly [string, V])[] | null | undefined);
    constructor();
    constructor(iterable?: Iterable<readonly [string, V]> | null | undefined);
    /** The map as it is now, for callers to keep: it is never changed, and the same one until this map is.
     * @returns {ReadonlyMap<JID, V>} */
    snapshot(): ReadonlyMap<JID, V>;
    /** @override @param {JID} jid @param {V} value */
    override set(jid: JID, value: V): this;
    #private;
}
import type { JID } from '../types.d.ts';
