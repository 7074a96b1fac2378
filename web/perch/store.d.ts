/** What is known of an account. It changes by events alone, so that a reconnect, a reset
 * and a first connect are one path; read it and never write to it. What it gives, maps and lists too, is never
 * changed: the next state is another object, and what has not changed in it stays the same one. */
export class Store {
    /** @type {SessionInfo | null} */ session: SessionInfo | null;
    /** What the gateway has beside its first version. @type {string[]} */ features: string[];
    /** Whether a snapshot was complete once. */
    ready: boolean;
    /** @returns {ReadonlyMap<JID, Buddy>} */
    get buddies(): ReadonlyMap<JID, Buddy>;
    /** @returns {ReadonlyMap<JID, Presence>} */
    get presence(): ReadonlyMap<JID, Presence>;
    /** @returns {ReadonlyMap<JID, Invitation>} */
    get invitations(): ReadonlyMap<JID, Invitation>;
    /** The last invitations to rooms, by the room. @returns {ReadonlyMap<JID, RoomInvitation>} */
    get roomInvitations(): ReadonlyMap<JID, RoomInvitation>;
    /** Conversations by the address of the other side. @returns {ReadonlyMap<JID, Conversation>} */
    get conversations(): ReadonlyMap<JID, Conversation>;
    /** The rooms that the account is in, has in its bookmarks, is invited to, or was in. A room that has not
     * changed, and each part of one, is the same object. @returns {ReadonlyMap<JID, Room>} */
    get rooms(): ReadonlyMap<JID, Room>;
    /** Who is in the rooms that Perch.loadOccupants was called for. @returns {ReadonlyMap<JID, KnownOccupants>} */
    get occupants(): ReadonlyMap<JID, KnownOccupants>;
    /** Whom the account blocks; null until Perch.loadBlocked has read it, and where nobody can be blocked. */
    get blocked(): import("../types.d.ts").BlockedAddresses | null;
    /** The entry of the block list by which an address is blocked: itself, its account, or its domain.
     * @param {JID} jid @returns {JID | undefined} */
    blockedBy(jid: JID): JID | undefined;
    /** Conversations with pinned ones first, then by activity: the same array until one changes. @returns {Conversation[]} */
    get list(): Conversation[];
    /** Calls f after each change. The result ends it. It may be called unbound, as getSnapshot may.
     * @param {(change: Change) => void} f */
    subscribe: (f: (change: Change) => void) => () => undefined;
    /** All of it at one moment: the same object until something has changed. @returns {StoreSnapshot} */
    getSnapshot: () => StoreSnapshot;
    /** Applies one frame. @param {Frame} f @returns {void} */
    apply(f: Frame): void;
    /** An invitation was declined, or its room joined. @param {JID} jid */
    endInvitation(jid: JID): void;
    /** The conversation with an account, made when there was none. @param {JID} jid @returns {Conversation} */
    conversation(jid: JID): Conversation;
    /** The conversation that what is sent to an address stands in. @param {JID} to */
    addressed(to: JID): string;
    /** Adds a message that was written here, unless it is there.
     * @param {JID} jid @param {NewMessage} m @param {number} [at] when, in milliseconds by the local clock */
    addPending(jid: JID, m: NewMessage, at?: number): StoredMessage;
    /** A local time as the gateway's clock has it. @param {number} [at] in milliseconds */
    gatewayTime(at?: number): string;
    /** A message that has failed is pending again, at the end. @param {JID} jid @param {string} id @param {string} next its id from now on */
    sendAgain(jid: JID, id: string, next: string): void;
    /** Removes a message that was never sent. Reports whether it was there. @param {JID} jid @param {string} id */
    remove(jid: JID, id: string): boolean;
    /** What waits to be sent, with its recipient. @returns {[JID, StoredMessage][]} */
    pending(): [JID, StoredMessage][];
    /** A status never goes back: the answer of a request may come after an event that is newer.
     * @param {string} id @param {StoredMessage['status']} status
     * @param {{ error?: string, time?: string, ref?: string }} [more] time: when the service had it; ref: its handle, once it has one
     * @returns {void} */
    setStatus(id: string, status: StoredMessage["status"], more?: {
        error?: string;
        time?: string;
        ref?: string;
    }): void;
    /** Shows an edit, a retraction or reactions of the account before any event does, unless it
     * is there. @param {JID} jid @param {OwnChange} change */
    addChange(jid: JID, change: OwnChange): void;
    /** What became of an own change; "gone" forgets it. Reports whether it was there.
     * @param {string} id @param {OwnChange['state'] | 'gone'} state @param {string} [error] */
    moveChange(id: string, state: OwnChange["state"] | "gone", error?: string): boolean;
    /** Own changes that wait to be sent, with their conversation. @returns {[JID, OwnChange][]} */
    pendingChanges(): [JID, OwnChange][];
    /** The account forgets a room. @param {JID} jid */
    forgetRoom(jid: JID): void;
    /** The first page of the occupants of a room is about to be asked for. @param {JID} jid */
    beginOccupants(jid: JID): void;
    /** @param {JID} jid @param {OccupantPage} page @param {boolean} first */
    mergeOccupants(jid: JID, page: OccupantPage, first: boolean): void;
    /** The block list is about to be asked for, which is done once at a time. */
    beginBlocked(): void;
    /** Takes the answer. Reports false when it is to be asked for again, as changes were missed meanwhile. @param {BlockList} list */
    replaceBlocked(list: BlockList): boolean;
    /** Counts the entries of the list that came as events; merging an answer takes it as it was
     * when the request was made. */
    get sequence(): number;
    /** Merges entries of the list that a request has brought. @param {ConversationData[]} items @param {number} [since] sequence at the request */
    mergeList(items: ConversationData[], since?: number): void;
    /** The account has read a conversation, as a request says or is about to say. @param {ConversationRead} read */
    setRead(read: ConversationRead): void;
    /** @param {JID} jid @param {string | null} draft @param {boolean} [saved] whether the gateway has it */
    setDraft(jid: JID, draft: string | null, saved?: boolean): void;
    /** Merges a page of the archive: what was seen as an event is not shown twice. Returns how
     * many messages were new.
     * @param {JID} jid @param {ArchivePage | MessagePage} page @param {boolean} older whether the next older page follows this one
     * @param {string} [upTo] the time until which the page has all that the archive had: that of the
     *   request, or of the first entry of the page behind it */
    merge(jid: JID, page: ArchivePage | MessagePage, older: boolean, upTo?: string): number;
    /** Conversations where messages may be missing. @returns {Conversation[]} */
    holes(): Conversation[];
    /** @param {JID} jid @param {boolean} whole */
    filled(jid: JID, whole: boolean): void;
    /** There is no archive with anything older. @param {JID} jid */
    ended(jid: JID): void;
    /** @returns {SavedState} */
    toJSON(): SavedState;
    /** Replaces everything by what toJSON gave. @param {SavedState} state */
    load(state: SavedState): void;
    #private;
}
export type NewMessage = Partial<Content> & {
    id: string;
    body: string;
    thread?: string;
};
export type Snapshots = {
    buddies: Buddy[];
    invitations: Invitation[];
    rooms: Room[];
};
import type { SessionInfo } from '../types.d.ts';
import type { JID } from '../types.d.ts';
import type { Buddy } from '../types.d.ts';
import type { Presence } from '../types.d.ts';
import type { Invitation } from '../types.d.ts';
import type { RoomInvitation } from '../types.d.ts';
import type { Conversation } from '../types.d.ts';
import type { Room } from '../types.d.ts';
import type { Occupants as KnownOccupants } from '../types.d.ts';
import type { Change } from '../types.d.ts';
import type { StoreSnapshot } from '../types.d.ts';
import type { Frame } from '../types.d.ts';
import type { StoredMessage } from '../types.d.ts';
import type { OwnChange } from '../types.d.ts';
import type { OccupantPage } from '../types.d.ts';
import type { BlockList } from '../types.d.ts';
import type { ConversationData } from '../types.d.ts';
import type { ConversationRead } from '../types.d.ts';
import type { ArchivePage } from '../types.d.ts';
import type { MessagePage } from '../types.d.ts';
import type { SavedState } from '../types.d.ts';
import type { Content } from '../types.d.ts';
