/** An answer of the gateway that is no success, as RFC 9457 problem. */
export class PerchError extends Error {
    /** @param {number} status @param {Problem} problem @param {number} [retryAfter] in ms */
    constructor(status: number, problem: Problem, retryAfter?: number);
    status: number;
    /** The slug, such as "item-not-found". */
    code: "internal" | "unauthorized" | "forbidden" | "not-found" | "item-not-found" | "method-not-allowed" | "conflict" | "idempotency-mismatch" | "validation" | "jid-malformed" | "malformed-json" | "body-too-large" | "unsupported-media-type" | "upgrade-required" | "quota-exceeded" | "feature-unsupported" | "xmpp-error" | "upstream-tls" | "session-offline" | "draining" | "storage-unavailable" | "upstream-timeout";
    problem: {
        code: "unauthorized" | "forbidden" | "not-found" | "item-not-found" | "method-not-allowed" | "conflict" | "idempotency-mismatch" | "validation" | "jid-malformed" | "malformed-json" | "body-too-large" | "unsupported-media-type" | "upgrade-required" | "quota-exceeded" | "feature-unsupported" | "xmpp-error" | "upstream-tls" | "session-offline" | "draining" | "storage-unavailable" | "upstream-timeout" | "internal";
        detail?: string;
        errors?: import("./openapi").components["schemas"]["FieldError"][];
        instance?: string;
        request_id?: string;
        status: number;
        title: string;
        type: string;
        xmpp?: import("./openapi").components["schemas"]["XMPPError"];
    };
    retryAfter: number;
    /** Whether the same call may succeed later. */
    get temporary(): boolean;
}
/** One account's client. Nothing is sent before the first call. */
export class Perch {
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
    url: URL;
    /** Opens the event stream and keeps it open until disconnect. */
    connect(): void;
    /** Closes the event stream. The XMPP session goes on; signOut ends it. What waits to be
     * sent waits for the next connect. */
    disconnect(): void;
    /** Connects again now instead of waiting, such as when the network is back. */
    reconnect(): void;
    /** Calls f with each frame of a type ("*": every frame, "connection": ConnectionState,
     * "outbox": OutboxState, "request": each REST call). The result ends it.
     * @template {keyof Events | '*' | 'error' | 'connection' | 'outbox' | 'request'} T
     * @param {T} type
     * @param {(frame: T extends 'connection' ? ConnectionState : T extends 'outbox' ? OutboxState : T extends keyof Events ? Extract<Frame, { type: T }> : any) => void} f */
    on<T extends keyof Events | "*" | "error" | "connection" | "outbox" | "request">(type: T, f: (frame: T extends "connection" ? ConnectionState : T extends "outbox" ? OutboxState : T extends keyof Events ? Extract<Frame, {
        type: T;
    }> : any) => void): () => undefined;
    /** What Options.state takes: the store and the cursor that belongs to it. @returns {SavedState} */
    save(): SavedState;
    /** Goes on from a saved state. @param {SavedState} state */
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
    /** @template [T=any]
     * @param {string} method @param {string} path @param {{ query?: Record<string, any>, body?: unknown, headers?: Record<string, string>, as?: 'json' | 'blob', signal?: AbortSignal }} [o]
     * @returns {Promise<T>} */
    request<T = any>(method: string, path: string, o?: {
        query?: Record<string, any>;
        body?: unknown;
        headers?: Record<string, string>;
        as?: "json" | "blob";
        signal?: AbortSignal;
    }): Promise<T>;
    /** @returns {Promise<SessionInfo>} */
    getSession(): Promise<SessionInfo>;
    /** Opens the session of the token and waits for it. @returns {Promise<import('./types.d.ts').SignInAnswer>} */
    openSession(): Promise<import("./types.d.ts").SignInAnswer>;
    /** A refreshed credential takes over the live session. @param {import('./types.d.ts').Credentials} credential @returns {Promise<void>} */
    replaceCredentials(credential: import("./types.d.ts").Credentials): Promise<void>;
    /** Ends the XMPP session itself, and everything that is kept of it: what was not sent yet
     * too, in every tab. @returns {Promise<void>} */
    signOut(): Promise<void>;
    /** @param {{ group?: string, q?: string, limit?: number, cursor?: string, include?: 'presence' }} [query] @returns {Promise<Page<Buddy>>} */
    listBuddies(query?: {
        group?: string;
        q?: string;
        limit?: number;
        cursor?: string;
        include?: "presence";
    }): Promise<Page<Buddy>>;
    /** @param {import('./types.d.ts').BuddyRequest} buddy @returns {Promise<Buddy>} */
    addBuddy(buddy: import("./types.d.ts").BuddyRequest): Promise<Buddy>;
    /** @param {JID} jid @returns {Promise<Buddy>} */
    getBuddy(jid: JID): Promise<Buddy>;
    /** @param {JID} jid @param {import('./types.d.ts').BuddyPatch} change @returns {Promise<Buddy>} */
    updateBuddy(jid: JID, change: import("./types.d.ts").BuddyPatch): Promise<Buddy>;
    /** @param {JID} jid @returns {Promise<void>} */
    removeBuddy(jid: JID): Promise<void>;
    /** @param {{ limit?: number, cursor?: string }} [query] @returns {Promise<Page<Invitation>>} */
    listInvitations(query?: {
        limit?: number;
        cursor?: string;
    }): Promise<Page<Invitation>>;
    /** @param {JID} jid @param {import('./types.d.ts').AcceptRequest} [how] @returns {Promise<import('./types.d.ts').AcceptedInvitation>} */
    acceptInvitation(jid: JID, how?: import("./types.d.ts").AcceptRequest): Promise<import("./types.d.ts").AcceptedInvitation>;
    /** @param {JID} jid @returns {Promise<Invitation>} */
    declineInvitation(jid: JID): Promise<Invitation>;
    /** @param {JID[]} [jid] @returns {Promise<import('./types.d.ts').PresenceList>} */
    listPresence(jid?: JID[]): Promise<import("./types.d.ts").PresenceList>;
    /** @param {JID} jid @returns {Promise<Presence>} */
    getPresence(jid: JID): Promise<Presence>;
    /** @returns {Promise<OwnPresence>} */
    getOwnPresence(): Promise<OwnPresence>;
    /** Replaces the whole presence. @param {import('./types.d.ts').OwnPresenceRequest} presence @returns {Promise<OwnPresence>} */
    setOwnPresence(presence: import("./types.d.ts").OwnPresenceRequest): Promise<OwnPresence>;
    /** @param {JID} jid @param {{ refresh?: boolean }} [o] @returns {Promise<VCard>} */
    getVCard(jid: JID, o?: {
        refresh?: boolean;
    }): Promise<VCard>;
    /** @returns {Promise<VCard>} */
    getOwnVCard(): Promise<VCard>;
    /** @param {import('./types.d.ts').VCardRequest} card @returns {Promise<void>} */
    setOwnVCard(card: import("./types.d.ts").VCardRequest): Promise<void>;
    /** The photo of a card, null where there is none. @param {JID} jid @returns {Promise<Blob | null>} */
    getPhoto(jid: JID): Promise<Blob | null>;
    /** @param {{ with: JID, limit?: number, before?: string, after?: string, start?: string, end?: string }} query @returns {Promise<ArchivePage>} */
    getArchive(query: {
        with: JID;
        limit?: number;
        before?: string;
        after?: string;
        start?: string;
        end?: string;
    }): Promise<ArchivePage>;
    /** @param {string} account @returns {Promise<import('./types.d.ts').JIDAnswer>} */
    lookupJID(account: string): Promise<import("./types.d.ts").JIDAnswer>;
    /** Makes one request, past the outbox and its order; send does more. @param {MessageRequest} message @param {{ signal?: AbortSignal }} [o] @returns {Promise<import('./types.d.ts').MessageAnswer>} */
    sendMessage(message: MessageRequest, o?: {
        signal?: AbortSignal;
    }): Promise<import("./types.d.ts").MessageAnswer>;
    /** @param {string} id @returns {Promise<MessageRecord>} */
    getMessage(id: string): Promise<MessageRecord>;
    /** @param {JID} jid @param {import('./types.d.ts').ChatState} state @returns {Promise<void>} */
    setChatState(jid: JID, state: import("./types.d.ts").ChatState): Promise<void>;
    /** @returns {Promise<import('./types.d.ts').Ticket>} */
    createTicket(): Promise<import("./types.d.ts").Ticket>;
    /** One long poll, for programs that want no stream.
     * @param {{ since?: string, wait?: number, limit?: number, types?: string }} [query]
     * @returns {Promise<{ events: Frame[], next: string, reset: { reason: string } | null }>} */
    poll(query?: {
        since?: string;
        wait?: number;
        limit?: number;
        types?: string;
    }): Promise<{
        events: Frame[];
        next: string;
        reset: {
            reason: string;
        } | null;
    }>;
    #private;
}
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
    /** Applies one frame. @param {Frame} f */
    apply(f: Frame): void;
    /** The conversation with an account, made when there was none. @param {JID} jid @returns {Conversation} */
    conversation(jid: JID): Conversation;
    /** Adds a message that was written here, unless it is there. @param {JID} jid @param {{ id: string, body: string, thread?: string, subject?: string }} m
     * @param {number} [at] when, in milliseconds by our own clock */
    addPending(jid: JID, m: {
        id: string;
        body: string;
        thread?: string;
        subject?: string;
    }, at?: number): import("./types.d.ts").StoredMessage;
    /** A message that has failed is pending again, at the end. @param {JID} jid @param {string} id @param {string} next its id from now on */
    sendAgain(jid: JID, id: string, next: string): void;
    /** Takes out a message that was never sent. Reports whether it was there. @param {JID} jid @param {string} id */
    remove(jid: JID, id: string): boolean;
    /** What waits to be handed over, with whom it is for. @returns {[JID, StoredMessage][]} */
    pending(): [JID, StoredMessage][];
    /** A status never goes back: an answer may come after the event that is newer than it.
     * @param {string} id @param {StoredMessage['status']} status @param {string} [error] @param {string} [time] when the service had it */
    setStatus(id: string, status: StoredMessage["status"], error?: string, time?: string): void;
    /** Takes a page of the archive in: what was seen as an event is not shown twice. Resolves
     * with how many were new. @param {JID} jid @param {ArchivePage} page @param {boolean} older whether paging goes on from here */
    merge(jid: JID, page: ArchivePage, older: boolean): number;
    /** Conversations where messages may be missing. */
    holes(): import("./types.d.ts").Conversation[];
    /** @param {JID} jid @param {boolean} whole */
    filled(jid: JID, whole: boolean): void;
    /** @returns {SavedState} */
    toJSON(): SavedState;
    /** Takes over what toJSON gave. @param {SavedState} state */
    load(state: SavedState): void;
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
export type Entry = import("./perch/outbox.js").Entry;
export type Ending = {
    code: number;
    reason: string;
    retryAfter?: number;
};
export type Attempt = {
    url: URL;
    headers: Record<string, string>;
    protocols: string[];
    signal: AbortSignal;
    heard: () => void;
    frame: (f: Frame) => void;
};
/**
 * What a source of frames needs of its client.
 */
export type Port = {
    token: (refused: boolean) => Promise<string>;
    ticket: () => Promise<string>;
    cursor: () => string;
    frame: (f: Frame) => void;
    state: (s: Partial<ConnectionState>) => void;
    save: () => SavedState;
    restore: (s: SavedState) => void;
    outbox: Outbox;
};
import { Outbox } from './perch/outbox.js';
