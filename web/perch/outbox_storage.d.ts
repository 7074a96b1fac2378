/** Where messages that wait are kept by default: by all tabs when one sends for all, else by
 * each tab for itself. Null without a storage, or when the page may not use it.
 * @param {boolean} shared @returns {Storage | null} */
export function defaultStorage(shared: boolean): Storage | null;
/** The messages of one account in a Web Storage. What cannot be written is kept in memory
 * alone: a full storage must not keep a message from being sent. */
export class OutboxStorage {
    /** @param {Storage} storage @param {string} account */
    constructor(storage: Storage, account: string);
    /** @param {Entry} e */
    save(e: Entry): void;
    /** @param {string} id */
    remove(id: string): void;
    /** What is kept of this account, in the order of writing. @returns {Entry[]} */
    load(): Entry[];
    #private;
}
import type { Entry } from './outbox.js';
