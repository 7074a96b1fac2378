/** @typedef {import('./types.d.ts').Options} Options */
/** @typedef {import('./types.d.ts').Frame} Frame */
/** @typedef {import('./types.d.ts').Events} Events */
/** @typedef {import('./types.d.ts').Change} Change */
/** @typedef {import('./types.d.ts').Conversation} Conversation */
/** @typedef {import('./types.d.ts').StoredMessage} StoredMessage */
/** @typedef {import('./types.d.ts').SavedState} SavedState */
/** @typedef {import('./types.d.ts').ConnectionState} ConnectionState */
/** @typedef {import('./types.d.ts').SessionInfo} SessionInfo */
/** @typedef {import('./types.d.ts').Buddy} Buddy */
/** @typedef {import('./types.d.ts').Presence} Presence */
/** @typedef {import('./types.d.ts').OwnPresence} OwnPresence */
/** @typedef {import('./types.d.ts').Invitation} Invitation */
/** @typedef {import('./types.d.ts').VCard} VCard */
/** @typedef {import('./types.d.ts').ArchivePage} ArchivePage */
/** @typedef {import('./types.d.ts').ArchiveItem} ArchiveItem */
/** @typedef {import('./types.d.ts').MessageRequest} MessageRequest */
/** @typedef {import('./types.d.ts').MessageRecord} MessageRecord */
/** @typedef {import('./types.d.ts').MessageData} MessageData */
/** @typedef {import('./types.d.ts').Problem} Problem */
/** @typedef {import('./types.d.ts').JID} JID */
/** @template T @typedef {import('./types.d.ts').Page<T>} Page */
/** @typedef {import('./types.d.ts').OutboxState} OutboxState */
/** @typedef {import('./perch/attempt.js').Attempt} Attempt */
/** @typedef {import('./perch/attempt.js').Ending} Ending */
/** @typedef {import('./perch/outbox.js').Entry} Entry */
/** @typedef {import('./perch/stream.js').Port} Port */
/** One account's client. Nothing is sent before the first call. */
export class Perch extends Rest {
    /** Signs in with a JID and a password or token; the answer has the token for everything else.
     * @param {import('./types.d.ts').SignInRequest} account @param {Options} [options]
     * @returns {Promise<import('./types.d.ts').SignInAnswer>} */
    static signIn(account: import("./types.d.ts").SignInRequest, options?: Options): Promise<import("./types.d.ts").SignInAnswer>;
    /** @param {Options} [options] */
    constructor(options?: Options);
    /** What is known; see Store. */
    store: Store;
    /** Position of the last durable event that the store has; "" before the first. */
    cursor: string;
    /** @type {ConnectionState} */
    connection: ConnectionState;
    /** Opens the event stream and keeps it open until disconnect. */
    connect(): void;
    /** Closes the event stream. The XMPP session stays; signOut ends it. What waits to be sent
     * waits for the next connect. */
    disconnect(): void;
    /** Connects again now instead of waiting, such as when the network is back. */
    reconnect(): void;
    /** Calls f with each frame of a type ("*": every frame, "connection": ConnectionState,
     * "outbox": OutboxState, "request": each REST call). The result ends it.
     * @template {keyof Events | '*' | 'error' | 'connection' | 'outbox' | 'request'} T
     * @param {T} type
     * @param {(frame: T extends 'connection' ? ConnectionState : T extends 'outbox' ? OutboxState :
     *   T extends keyof Events ? Extract<Frame, { type: T }> : any) => void} f */
    on<T extends keyof Events | "*" | "error" | "connection" | "outbox" | "request">(type: T, f: (frame: T extends "connection" ? ConnectionState : T extends "outbox" ? OutboxState : T extends keyof Events ? Extract<Frame, {
        type: T;
    }> : any) => void): () => undefined;
    /** What Options.state takes: the store and the cursor that belongs to it. @returns {SavedState} */
    save(): SavedState;
    /** Continues from a saved state. @param {SavedState} state */
    restore(state: SavedState): void;
    /** Sends a chat message. It stands in the store at once as pending, and its status follows
     * the events. Messages of a conversation go out in the order of these calls, however long
     * the gateway is away, each under one id; a repeat is one message. Rejects when the
     * message is refused for good (status failed), cancelled, or the token is refused: then it
     * stays pending until there is another token.
     * @param {JID} to @param {string} body @param {{ id?: string, thread?: string, subject?: string }} [extra]
     * @returns {Promise<{ id: string, status: string }>} */
    send(to: JID, body: string, extra?: {
        id?: string;
        thread?: string;
        subject?: string;
    }): Promise<{
        id: string;
        status: string;
    }>;
    /** Sends a message that has failed once more, behind what was written since. One that the
     * gateway had taken before it failed gets another id: the old one would be answered as a
     * repeat. Resolves as send does. @param {JID} jid @param {string} id */
    retry(jid: JID, id: string): Promise<{
        id: string;
        status: string;
    } | undefined>;
    /** Takes back a message that is pending, or dismisses one that has failed. Resolves with
     * whether it is gone: a request that is under way may still succeed.
     * @param {JID} jid @param {string} id @returns {Promise<boolean>} */
    cancel(jid: JID, id: string): Promise<boolean>;
    /** Forgets every message that is not sent, here and in the storage; other tabs keep theirs. */
    discardPending(): void;
    /** How many messages wait, and for what. */
    get outbox(): import("./types.d.ts").OutboxState;
    /** Reads the next older page of the archive into the store, the newest one first.
     * Resolves with how many messages were new. @param {JID} jid @param {number} [limit] */
    loadHistory(jid: JID, limit?: number): Promise<number>;
    #private;
}
export type Options = import("./types.d.ts").Options;
export type Frame = import("./types.d.ts").Frame;
export type Events = import("./types.d.ts").Events;
export type Change = import("./types.d.ts").Change;
export type Conversation = import("./types.d.ts").Conversation;
export type StoredMessage = import("./types.d.ts").StoredMessage;
export type SavedState = import("./types.d.ts").SavedState;
export type ConnectionState = import("./types.d.ts").ConnectionState;
export type SessionInfo = import("./types.d.ts").SessionInfo;
export type Buddy = import("./types.d.ts").Buddy;
export type Presence = import("./types.d.ts").Presence;
export type OwnPresence = import("./types.d.ts").OwnPresence;
export type Invitation = import("./types.d.ts").Invitation;
export type VCard = import("./types.d.ts").VCard;
export type ArchivePage = import("./types.d.ts").ArchivePage;
export type ArchiveItem = import("./types.d.ts").ArchiveItem;
export type MessageRequest = import("./types.d.ts").MessageRequest;
export type MessageRecord = import("./types.d.ts").MessageRecord;
export type MessageData = import("./types.d.ts").MessageData;
export type Problem = import("./types.d.ts").Problem;
export type JID = import("./types.d.ts").JID;
export type Page<T> = import("./types.d.ts").Page<T>;
export type OutboxState = import("./types.d.ts").OutboxState;
export type Attempt = import("./perch/attempt.js").Attempt;
export type Ending = import("./perch/attempt.js").Ending;
export type Entry = import("./perch/outbox.js").Entry;
export type Port = import("./perch/stream.js").Port;
import { PerchError } from './perch/errors.js';
import { Store } from './perch/store.js';
import { Rest } from './perch/rest.js';
export { PerchError, Store };
