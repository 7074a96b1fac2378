/** What is known of an account. It changes by events alone, so that a reconnect, a reset
 * and a first connect are one path; read it and never write to it. */
export class Store {
    /** @type {SessionInfo | null} */ session: SessionInfo | null;
    /** @type {Map<JID, Buddy>} */ buddies: Map<JID, Buddy>;
    /** @type {Map<JID, Presence>} */ presence: Map<JID, Presence>;
    /** @type {Map<JID, Invitation>} */ invitations: Map<JID, Invitation>;
    /** @type {Map<JID, Conversation>} */ conversations: Map<JID, Conversation>;
    /** Whether a snapshot was complete once. */
    ready: boolean;
    /** Calls f after each change. The result ends it. @param {(change: Change) => void} f */
    subscribe(f: (change: Change) => void): () => undefined;
    /** Applies one frame. @param {Frame} f @returns {void} */
    apply(f: Frame): void;
    /** The conversation with an account, made when there was none. @param {JID} jid @returns {Conversation} */
    conversation(jid: JID): Conversation;
    /** Adds a message that was written here, unless it is there.
     * @param {JID} jid @param {NewMessage} m @param {number} [at] when, in milliseconds by the local clock */
    addPending(jid: JID, m: NewMessage, at?: number): StoredMessage;
    /** A message that has failed is pending again, at the end. @param {JID} jid @param {string} id @param {string} next its id from now on */
    sendAgain(jid: JID, id: string, next: string): void;
    /** Removes a message that was never sent. Reports whether it was there. @param {JID} jid @param {string} id */
    remove(jid: JID, id: string): boolean;
    /** What waits to be sent, with its recipient. @returns {[JID, StoredMessage][]} */
    pending(): [JID, StoredMessage][];
    /** A status never goes back: the answer of a request may come after an event that is newer.
     * @param {string} id @param {StoredMessage['status']} status @param {string} [error]
     * @param {string} [time] when the service had it @returns {void} */
    setStatus(id: string, status: StoredMessage["status"], error?: string, time?: string): void;
    /** Merges a page of the archive: what was seen as an event is not shown twice. Returns how
     * many messages were new.
     * @param {JID} jid @param {ArchivePage} page @param {boolean} older whether the next older page follows this one */
    merge(jid: JID, page: ArchivePage, older: boolean): number;
    /** Conversations where messages may be missing. @returns {Conversation[]} */
    holes(): Conversation[];
    /** @param {JID} jid @param {boolean} whole */
    filled(jid: JID, whole: boolean): void;
    /** @returns {SavedState} */
    toJSON(): SavedState;
    /** Replaces everything by what toJSON gave. @param {SavedState} state */
    load(state: SavedState): void;
    #private;
}
export type NewMessage = {
    id: string;
    body: string;
    thread?: string;
    subject?: string;
};
export type Snapshots = {
    buddies: Buddy[];
    invitations: Invitation[];
};
import type { SessionInfo } from '../types.d.ts';
import type { JID } from '../types.d.ts';
import type { Buddy } from '../types.d.ts';
import type { Presence } from '../types.d.ts';
import type { Invitation } from '../types.d.ts';
import type { Conversation } from '../types.d.ts';
import type { Change } from '../types.d.ts';
import type { Frame } from '../types.d.ts';
import type { StoredMessage } from '../types.d.ts';
import type { ArchivePage } from '../types.d.ts';
import type { SavedState } from '../types.d.ts';
