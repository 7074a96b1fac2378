/** Reads and changes the list of conversations. */
export class ConversationList {
    /** @param {Store} store @param {Rest} rest @param {() => boolean} ended reports whether nothing more is to be asked for by itself */
    constructor(store: Store, rest: Rest, ended: () => boolean);
    /** Whether the list goes on. */
    get more(): boolean;
    /** Reads the next page, the first one first. Resolves with whether there are more. @param {number} [limit] */
    load(limit?: number): Promise<boolean>;
    /** Sends what the gateway does not have yet. Then reads again what was read: events that are not
     * replayed may have been missed. */
    refresh(): Promise<void>;
    /** Marks a conversation as read up to a message, the newest one if none is named. @param {JID} jid
     * @param {{ ref?: string, receipts?: boolean }} o @returns {Promise<void>} */
    read(jid: JID, { ref, receipts }: {
        ref?: string;
        receipts?: boolean;
    }): Promise<void>;
    /** @param {JID} jid @param {ConversationPatch} change */
    patch(jid: JID, change: ConversationPatch): Promise<void>;
    /** Keeps a message that was begun; the gateway gets it when nothing was added for a second.
     * @param {JID} jid @param {string} text */
    draft(jid: JID, text: string): void;
    /** Lets the drafts that rest wait for the next stream. */
    holdDrafts(): void;
    #private;
}
import type { JID } from '../types.d.ts';
import type { ConversationPatch } from '../types.d.ts';
import type { Store } from './store.js';
import type { Rest } from './rest.js';
