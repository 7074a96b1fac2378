/** One account's client. Nothing is sent before the first call. */
export class Perch extends RoomsRest {
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
    /** Reports whether gateway and XMPP service can do something; false before the stream has said
     * so, and of a gateway that is older than it. @param {Ability} what */
    can(what: Ability): boolean;
    /** Sends a chat message. It stands in the store at once as pending, and its status follows
     * the events. Messages of a conversation go out in the order of these calls, however long
     * the gateway is away, each under one id; a repeat is one message. Rejects when the
     * message is refused for good (status failed), cancelled, or the token is refused: then it
     * stays pending until there is another token.
     * @param {JID} to @param {string} body @param {Extras} [extras] reply_to: the ref of the message that is replied to
     * @returns {Promise<{ id: string, status: string }>} */
    send(to: JID, body: string, extras?: Extras): Promise<{
        id: string;
        status: string;
    }>;
    /** Brings a file to the upload service of the XMPP server, where can('upload'): straight, or through the gateway
     * where the service does not let this page in and the gateway takes files. Files go one after the other.
     * Resolves with the attachment for send. Rejects with PerchError, such as file-too-large (problem.max_size)
     * or upload-refused, and with the reason of the signal.
     * @param {Blob} file @param {UploadOptions} [o] @returns {Promise<Attachment>} */
    upload(file: Blob, o?: UploadOptions): Promise<Attachment>;
    /** Uploads a file and sends a message with it. @param {JID} to @param {Blob} file
     * @param {UploadOptions & Extras & { body?: string }} [o] a message without a body has the address of the file */
    sendFile(to: JID, file: Blob, { name, type, signal, onProgress, body, ...extras }?: UploadOptions & Extras & {
        body?: string;
    }): Promise<{
        id: string;
        status: string;
    }>;
    /** Lets the gateway send push messages to this browser while no page has a stream: asks the user, registers the
     * service worker /perch-sw.js unless there is a registration of your own, subscribes, and tells the gateway.
     * Call it from a click, and again whenever the page is opened: it does nothing that is done. It ends with
     * the token. Ask pushState before, so that all is loaded at the click. Rejects with PerchError: push-unsupported, push-denied. @param {PushOptions} [o] @returns {Promise<PushSubscription>} */
    push(o?: PushOptions): Promise<PushSubscription>;
    /** Ends the push messages of this browser. @param {PushOptions} [o] @returns {Promise<void>} */
    endPush(o?: PushOptions): Promise<void>;
    /** Whether this browser gets push messages of this session. @param {PushOptions} [o] @returns {Promise<PushState>} */
    pushState(o?: PushOptions): Promise<PushState>;
    /** Gives an own message another text. The store shows it at once, and what waits is kept as
     * messages are; its attachments and what it replies to stay unless extras say otherwise. Resolves
     * as send does. @param {JID} jid @param {string} ref @param {string} body @param {EditExtras} [extras] */
    edit(jid: JID, ref: string, body: string, extras?: EditExtras): Promise<import("./perch/sender.js").Sent>;
    /** Retracts an own message that was sent; cancel is for one that was not.
     * @param {JID} jid @param {string} ref @param {{ reason?: string }} [o] */
    retract(jid: JID, ref: string, { reason }?: {
        reason?: string;
    }): Promise<import("./perch/sender.js").Sent>;
    /** Sets all of the own reactions to a message; none removes them. @param {JID} jid @param {string} ref @param {string[]} emojis */
    react(jid: JID, ref: string, emojis: string[]): Promise<import("./perch/sender.js").Sent>;
    /** Sends a message or change that has failed once more, behind what was written since. One that
     * the gateway had taken before it failed gets another id: the old one would be answered as a
     * repeat. Resolves as send does. @param {JID} jid @param {string} id */
    retry(jid: JID, id: string): Promise<import("./perch/sender.js").Sent | undefined>;
    /** Takes back a message or change that is pending, or dismisses one that has failed. Resolves
     * with whether it is gone: a request that is under way may still succeed.
     * @param {JID} jid @param {string} id @returns {Promise<boolean>} */
    cancel(jid: JID, id: string): Promise<boolean>;
    /** Forgets every message that is not sent, here and in the storage; other tabs keep theirs. */
    discardPending(): void;
    /** How many messages wait, and for what. */
    get outbox(): import("./types.d.ts").OutboxState;
    /** Reads the next older page of the archive into the store, the newest one first.
     * Resolves with how many messages were new. @param {JID} jid @param {number} [limit] */
    loadHistory(jid: JID, limit?: number): Promise<number>;
    /** Tells the other side that the user writes: call it at each key. It ends by itself some
     * seconds after the last one, and with send. @param {JID} jid */
    typing(jid: JID): void;
    /** The user does not write any more. @param {JID} jid */
    stopTyping(jid: JID): void;
    /** Fills a hole in the messages of a conversation (gap), as far as the archive has what is missing; it is
     * done by itself with each stream. Resolves with whether there is no hole any more. @param {JID} jid */
    fillGap(jid: JID): Promise<boolean>;
    /** Reports whether the account may do something in a room, as far as that can be known: the room has the
     * last word. With an occupant it is about what is done to that one. @template {RoomRight | OccupantRight} T @param {JID} jid
     * @param {T} what @param {T extends RoomRight ? undefined : Occupant} [occupant] @returns {boolean} */
    canIn<T extends RoomRight | OccupantRight>(jid: JID, what: T, occupant?: T extends RoomRight ? undefined : Occupant): boolean;
    /** Reports whether the account may have the room retract a message of another one. @param {JID} jid @param {StoredMessage} m */
    canModerate(jid: JID, m: StoredMessage): boolean;
    /** Reads who is in a room into the store (store.occupants): the first page, or with more the next one.
     * Where the room's occupants are "live" (changeRoom), the store is kept up to date from then on; stale
     * says that it was not for a while. Resolves with whether there are more.
     * @param {JID} jid @param {{ more?: boolean, limit?: number }} [o] */
    loadOccupants(jid: JID, { more, limit }?: {
        more?: boolean;
        limit?: number;
    }): Promise<boolean>;
    /** Reads whom the account blocks into the store (store.blocked); from then on it is kept up to date. Fails with
     * 501 where nobody can be blocked. */
    loadBlocked(): Promise<void>;
    /** Reads the next page of the list of conversations into the store (store.list), the first one
     * first; from then on it is kept up to date. Resolves with whether there are more. A gateway
     * without the list has none: store.list has what was seen here. @param {number} [limit] */
    loadConversations(limit?: number): Promise<boolean>;
    /** Whether the list of conversations goes on. */
    get moreConversations(): boolean;
    /** Marks a conversation as read up to a message, the newest one if none is named. The store has
     * it at once, the gateway as soon as it can be reached. @param {JID} jid
     * @param {{ ref?: string, receipts?: boolean }} [o] receipts: false does not tell the other side */
    markRead(jid: JID, o?: {
        ref?: string;
        receipts?: boolean;
    }): Promise<void>;
    /** Changes settings of a conversation. @param {JID} jid @param {ConversationPatch} change */
    updateConversation(jid: JID, change: ConversationPatch): Promise<void>;
    /** Keeps a message that was begun, on every device; "" removes it. @param {JID} jid @param {string} text */
    saveDraft(jid: JID, text: string): void;
    #private;
}
export type Options = import("./types.d.ts").Options;
export type Frame = import("./types.d.ts").Frame;
export type Events = import("./types.d.ts").Events;
export type Change = import("./types.d.ts").Change;
export type Conversation = import("./types.d.ts").Conversation;
export type StoredMessage = import("./types.d.ts").StoredMessage;
export type OwnChange = import("./types.d.ts").OwnChange;
export type Reaction = import("./types.d.ts").Reaction;
export type Attachment = import("./types.d.ts").Attachment;
export type UploadOptions = import("./types.d.ts").UploadOptions;
export type Extras = import("./types.d.ts").Extras;
export type PushOptions = import("./types.d.ts").PushOptions;
export type PushState = import("./types.d.ts").PushState;
export type PushSubscription = import("./types.d.ts").PushSubscription;
export type PushList = import("./types.d.ts").PushList;
export type PushRequest = import("./types.d.ts").PushRequest;
export type PushAttempt = import("./types.d.ts").PushAttempt;
export type PushMessage = import("./types.d.ts").PushMessage;
export type EditExtras = import("./types.d.ts").EditExtras;
export type MessagePage = import("./types.d.ts").MessagePage;
export type MessageQuery = import("./types.d.ts").MessageQuery;
export type ConversationData = import("./types.d.ts").ConversationData;
export type ConversationPage = import("./types.d.ts").ConversationPage;
export type ConversationPatch = import("./types.d.ts").ConversationPatch;
export type RoomInvitation = import("./types.d.ts").RoomInvitation;
export type Room = import("./types.d.ts").Room;
export type RoomJoin = import("./types.d.ts").RoomJoin;
export type RoomPatch = import("./types.d.ts").RoomPatch;
export type RoomConfig = import("./types.d.ts").RoomConfig;
export type Occupant = import("./types.d.ts").Occupant;
export type Occupants = import("./types.d.ts").Occupants;
export type Affiliation = import("./types.d.ts").Affiliation;
export type Role = import("./types.d.ts").Role;
export type RoomRight = import("./perch/room_rights.js").RoomRight;
export type OccupantRight = import("./perch/room_rights.js").OccupantRight;
export type Ability = import("./perch/features.js").Ability;
export type BlockedAddresses = import("./types.d.ts").BlockedAddresses;
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
export type Time = import("./types.d.ts").Time;
export type State = import("./types.d.ts").State;
export type Show = import("./types.d.ts").Show;
export type ChatState = import("./types.d.ts").ChatState;
export type Status = import("./types.d.ts").Status;
export type SignInRequest = import("./types.d.ts").SignInRequest;
export type SignInAnswer = import("./types.d.ts").SignInAnswer;
export type Credentials = import("./types.d.ts").Credentials;
export type BuddyRequest = import("./types.d.ts").BuddyRequest;
export type BuddyPatch = import("./types.d.ts").BuddyPatch;
export type OwnPresenceRequest = import("./types.d.ts").OwnPresenceRequest;
export type AcceptRequest = import("./types.d.ts").AcceptRequest;
export type AcceptedInvitation = import("./types.d.ts").AcceptedInvitation;
export type TokenList = import("./types.d.ts").TokenList;
export type TokenRequest = import("./types.d.ts").TokenRequest;
export type NewToken = import("./types.d.ts").NewToken;
export type BlockList = import("./types.d.ts").BlockList;
export type BlockReport = import("./types.d.ts").BlockReport;
export type VCardRequest = import("./types.d.ts").VCardRequest;
export type JIDAnswer = import("./types.d.ts").JIDAnswer;
export type MessageAnswer = import("./types.d.ts").MessageAnswer;
export type MessageEditRequest = import("./types.d.ts").MessageEditRequest;
export type ConversationMessage = import("./types.d.ts").ConversationMessage;
export type StatusChange = import("./types.d.ts").StatusChange;
export type PresenceList = import("./types.d.ts").PresenceList;
export type Ticket = import("./types.d.ts").Ticket;
export type Reply = import("./types.d.ts").Reply;
export type UploadRequest = import("./types.d.ts").UploadRequest;
export type Upload = import("./types.d.ts").Upload;
export type Retracted = import("./types.d.ts").Retracted;
export type Relations = import("./types.d.ts").Relations;
export type Content = import("./types.d.ts").Content;
export type ReadPosition = import("./types.d.ts").ReadPosition;
export type Notify = import("./types.d.ts").Notify;
export type ConversationKind = import("./types.d.ts").ConversationKind;
export type ConversationRead = import("./types.d.ts").ConversationRead;
export type RoomPage = import("./types.d.ts").RoomPage;
export type OccupantPage = import("./types.d.ts").OccupantPage;
export type OccupantQuery = import("./types.d.ts").OccupantQuery;
export type Member = import("./types.d.ts").Member;
export type MemberList = import("./types.d.ts").MemberList;
export type DirectoryPage = import("./types.d.ts").DirectoryPage;
export type DirectoryRoom = import("./types.d.ts").DirectoryRoom;
export type Hello = import("./types.d.ts").Hello;
export type ErrorFrame = import("./types.d.ts").ErrorFrame;
export type StoreSnapshot = import("./types.d.ts").StoreSnapshot;
export type Token = import("./types.d.ts").Token;
export type Scope = import("./types.d.ts").Scope;
export type Webhook = import("./types.d.ts").Webhook;
export type WebhookAttempt = import("./types.d.ts").WebhookAttempt;
export type WebhookList = import("./types.d.ts").WebhookList;
export type WebhookRequest = import("./types.d.ts").WebhookRequest;
export type PutWebhook = import("./types.d.ts").PutWebhook;
export type Page<T> = import("./types.d.ts").Page<T>;
export type OutboxState = import("./types.d.ts").OutboxState;
export type Attempt = import("./perch/attempt.js").Attempt;
export type Ending = import("./perch/attempt.js").Ending;
export type Entry = import("./perch/outbox.js").Entry;
export type Port = import("./perch/stream.js").Port;
import { PerchError } from './perch/errors.js';
import { Store } from './perch/store.js';
import { RoomsRest } from './perch/rooms_rest.js';
export { PerchError, Store };
