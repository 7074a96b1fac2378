/** The REST calls of one account. Every call rejects with PerchError, or with fetch's own error
 * when there was no answer. */
export class Rest {
    /** @param {import('./http.js').HTTPClient} http @param {string | URL} [url] the page's own origin if not given */
    constructor(http: import("./http.js").HTTPClient, url?: string | URL);
    /** Where the gateway is. @type {URL} */ url: URL;
    /** Makes any call, such as one that has no method here. A query value that is undefined or
     * null is left out; a list is repeated.
     * @template [T=any]
     * @param {string} method
     * @param {string} path
     * @param {{ query?: Record<string, any>, body?: unknown, headers?: Record<string, string>, as?: 'json' | 'blob',
     *   signal?: AbortSignal }} [o]
     * @returns {Promise<T>}
     */
    request<T = any>(method: string, path: string, o?: {
        query?: Record<string, any>;
        body?: unknown;
        headers?: Record<string, string>;
        as?: "json" | "blob";
        signal?: AbortSignal;
    }): Promise<T>;
    /** @returns {Promise<SessionInfo>} */
    getSession(): Promise<SessionInfo>;
    /** Opens the session of the token and waits for it. @returns {Promise<SignInAnswer>} */
    openSession(): Promise<SignInAnswer>;
    /** A refreshed credential takes over the live session. @param {Credentials} credential @returns {Promise<void>} */
    replaceCredentials(credential: Credentials): Promise<void>;
    /** Gives the account another password, on its XMPP server and for this session, whose token stays valid.
     * Fails with 403 when `current` is not the password, 422 when the server does not take the new one, and
     * 501 where there is no password to change. @param {string} current @param {string} fresh @returns {Promise<void>} */
    changePassword(current: string, fresh: string): Promise<void>;
    /** Ends the XMPP session itself, and everything that the gateway keeps of it; a token of createToken ends
     * itself alone. With `all: true` the session ends whichever token asks, if it may; with `all: false` the token
     * alone: this device, and no other. @param {{ all?: boolean }} [o] @returns {Promise<void>} */
    signOut(o?: {
        all?: boolean;
    }): Promise<void>;
    /** The tokens that lead to the session and may do no more than this one: when each was used last, and from
     * where, and never their text. @returns {Promise<TokenList>} */
    listTokens(): Promise<TokenList>;
    /** A token for another device, a bot or a service, that may do no more than this one. Its text (`token`) is in
     * this answer alone. @param {TokenRequest} token @returns {Promise<NewToken>} */
    createToken(token: TokenRequest): Promise<NewToken>;
    /** Ends a token, on every node and with its streams. @param {string} id @returns {Promise<void>} */
    revokeToken(id: string): Promise<void>;
    /** The servers that events of the session are sent to, each with its state. @returns {Promise<WebhookList>} */
    listWebhooks(): Promise<WebhookList>;
    /** @param {string} id @returns {Promise<Webhook>} */
    getWebhook(id: string): Promise<Webhook>;
    /** Makes a webhook, or puts it anew, which enables it, too. Its secret (`secret`) is in the answer when it was made
     * or rotated, and in no other. It ends with the token of this client. @param {string} id of your own: 1 to 64 of A-Z a-z 0-9 - _
     * @param {WebhookRequest} webhook @returns {Promise<PutWebhook>} */
    putWebhook(id: string, webhook: WebhookRequest): Promise<PutWebhook>;
    /** @param {string} id @returns {Promise<void>} */
    deleteWebhook(id: string): Promise<void>;
    /** Makes one call without events; `error` of the answer says why it has not arrived. @param {string} id @returns {Promise<WebhookAttempt>} */
    testWebhook(id: string): Promise<WebhookAttempt>;
    /** Sends again what follows a cursor, such as that of an event. @param {string} id @param {string} since @returns {Promise<Webhook>} */
    replayWebhook(id: string, since: string): Promise<Webhook>;
    /** The push subscriptions of the session, and the key that browsers subscribe with. @returns {Promise<PushList>} */
    listPush(): Promise<PushList>;
    /** Puts a push subscription, under an id of your own; it ends with the token of this client.
     * @param {string} id @param {PushRequest} subscription @returns {Promise<PushSubscription>} */
    putPush(id: string, subscription: PushRequest): Promise<PushSubscription>;
    /** @param {string} id @returns {Promise<void>} */
    removePush(id: string): Promise<void>;
    /** Sends a message to a push subscription now, and waits for what the push service says. @param {string} id @returns {Promise<PushAttempt>} */
    testPush(id: string): Promise<PushAttempt>;
    /**
     * @param {{ group?: string, q?: string, limit?: number, cursor?: string, include?: 'presence' }} [query]
     * @returns {Promise<Page<Buddy>>}
     */
    listBuddies(query?: {
        group?: string;
        q?: string;
        limit?: number;
        cursor?: string;
        include?: "presence";
    }): Promise<Page<Buddy>>;
    /** @param {BuddyRequest} buddy @returns {Promise<Buddy>} */
    addBuddy(buddy: BuddyRequest): Promise<Buddy>;
    /** @param {JID} jid @returns {Promise<Buddy>} */
    getBuddy(jid: JID): Promise<Buddy>;
    /** @param {JID} jid @param {BuddyPatch} change @returns {Promise<Buddy>} */
    updateBuddy(jid: JID, change: BuddyPatch): Promise<Buddy>;
    /** @param {JID} jid @returns {Promise<void>} */
    removeBuddy(jid: JID): Promise<void>;
    /** @param {{ limit?: number, cursor?: string }} [query] @returns {Promise<Page<Invitation>>} */
    listInvitations(query?: {
        limit?: number;
        cursor?: string;
    }): Promise<Page<Invitation>>;
    /** @param {JID} jid @param {AcceptRequest} [how] @returns {Promise<AcceptedInvitation>} */
    acceptInvitation(jid: JID, how?: AcceptRequest): Promise<AcceptedInvitation>;
    /** @param {JID} jid @returns {Promise<Invitation>} */
    declineInvitation(jid: JID): Promise<Invitation>;
    /** @param {JID[]} [jid] @returns {Promise<PresenceList>} */
    listPresence(jid?: JID[]): Promise<PresenceList>;
    /** @param {JID} jid @returns {Promise<Presence>} */
    getPresence(jid: JID): Promise<Presence>;
    /** @returns {Promise<OwnPresence>} */
    getOwnPresence(): Promise<OwnPresence>;
    /** Replaces the whole presence. @param {OwnPresenceRequest} presence @returns {Promise<OwnPresence>} */
    setOwnPresence(presence: OwnPresenceRequest): Promise<OwnPresence>;
    /** @param {JID} jid @param {{ refresh?: boolean }} [o] @returns {Promise<VCard>} */
    getVCard(jid: JID, o?: {
        refresh?: boolean;
    }): Promise<VCard>;
    /** @param {{ refresh?: boolean }} [o] @returns {Promise<VCard>} */
    getOwnVCard(o?: {
        refresh?: boolean;
    }): Promise<VCard>;
    /** @param {VCardRequest} card @returns {Promise<void>} */
    setOwnVCard(card: VCardRequest): Promise<void>;
    /** Whom the account blocks, on all of its devices. @returns {Promise<BlockList>} */
    listBlocked(): Promise<BlockList>;
    /** Blocks an account, one of its devices, or a domain; with a report the server is told why.
     * @param {JID} jid @param {BlockReport} [report] @returns {Promise<void>} */
    block(jid: JID, report?: BlockReport): Promise<void>;
    /** @param {JID} jid @returns {Promise<void>} */
    unblock(jid: JID): Promise<void>;
    /** @returns {Promise<void>} */
    unblockAll(): Promise<void>;
    /** @param {string} data a PNG, JPEG, WebP or GIF in Base64, of at most 96 KiB @returns {Promise<void>} */
    setOwnPhoto(data: string): Promise<void>;
    /** @returns {Promise<void>} */
    removeOwnPhoto(): Promise<void>;
    /** What contacts are to call the account: at most 256 characters in one line. @param {string} nick @returns {Promise<void>} */
    setOwnNick(nick: string): Promise<void>;
    /** @returns {Promise<void>} */
    removeOwnNick(): Promise<void>;
    /** The photo of a card, null where there is none. @param {JID} jid @param {{ refresh?: boolean }} [o] @returns {Promise<Blob | null>} */
    getPhoto(jid: JID, o?: {
        refresh?: boolean;
    }): Promise<Blob | null>;
    /**
     * Of one account or room, or with q a search, which needs no with.
     * @param {{ with?: JID, q?: string, limit?: number, before?: string, after?: string, start?: string, end?: string }} query
     * @returns {Promise<ArchivePage>}
     */
    getArchive(query: {
        with?: JID;
        q?: string;
        limit?: number;
        before?: string;
        after?: string;
        start?: string;
        end?: string;
    }): Promise<ArchivePage>;
    /** Sends a stanza that is written as XML, where can('stanzas'). Resolves with the answer to an iq, and with
     * undefined for a message or presence, and for an iq that is the answer to a "stanza" frame. @param {string} xml @returns {Promise<string | undefined>} */
    sendStanza(xml: string): Promise<string | undefined>;
    /** @param {string} account @returns {Promise<JIDAnswer>} */
    lookupJID(account: string): Promise<JIDAnswer>;
    /**
     * Makes one request, past the outbox and its order; send does more.
     * @param {MessageRequest} message
     * @param {{ signal?: AbortSignal }} [o]
     * @returns {Promise<MessageAnswer>}
     */
    sendMessage(message: MessageRequest, o?: {
        signal?: AbortSignal;
    }): Promise<MessageAnswer>;
    /** Asks for a slot for a file; Perch.upload does more. @param {UploadRequest} file @param {{ signal?: AbortSignal }} [o] @returns {Promise<Upload>} */
    createUpload(file: UploadRequest, o?: {
        signal?: AbortSignal;
    }): Promise<Upload>;
    /** @param {string} id @returns {Promise<MessageRecord>} */
    getMessage(id: string): Promise<MessageRecord>;
    /** The conversations by their last activity. @param {{ limit?: number, cursor?: string, unread?: 1, type?: ConversationKind }} [query]
     * @returns {Promise<ConversationPage>} */
    listConversations(query?: {
        limit?: number;
        cursor?: string;
        unread?: 1;
        type?: ConversationKind;
    }): Promise<ConversationPage>;
    /** @param {JID} jid @returns {Promise<ConversationData>} */
    getConversation(jid: JID): Promise<ConversationData>;
    /** @param {JID} jid @param {ConversationPatch} change @returns {Promise<ConversationData>} */
    patchConversation(jid: JID, change: ConversationPatch): Promise<ConversationData>;
    /** Moves the read position, forward only; with receipts the other side may be told.
     * @param {JID} jid @param {{ ref: string, receipts?: boolean }} position @returns {Promise<ConversationRead>} */
    putRead(jid: JID, position: {
        ref: string;
        receipts?: boolean;
    }): Promise<ConversationRead>;
    /** @param {JID} jid @param {MessageQuery} [query] @returns {Promise<MessagePage>} */
    listMessages(jid: JID, query?: MessageQuery): Promise<MessagePage>;
    /** @param {JID} jid @param {string} ref @returns {Promise<ConversationMessage>} */
    getConversationMessage(jid: JID, ref: string): Promise<ConversationMessage>;
    /** Makes one request; Perch.edit does more. The message is the whole one from now on, its id the
     * idempotency key. @param {JID} jid @param {string} ref @param {MessageEditRequest} message
     * @param {{ signal?: AbortSignal }} [o] @returns {Promise<MessageAnswer>} */
    patchMessage(jid: JID, ref: string, message: MessageEditRequest, o?: {
        signal?: AbortSignal;
    }): Promise<MessageAnswer>;
    /** Makes one request; Perch.retract does more. There is no answer where a room was told to retract a
     * message of somebody else, and has. @param {JID} jid @param {string} ref
     * @param {{ id?: string, reason?: string }} [query] @param {{ signal?: AbortSignal }} [o] @returns {Promise<MessageAnswer | undefined>} */
    deleteMessage(jid: JID, ref: string, query?: {
        id?: string;
        reason?: string;
    }, o?: {
        signal?: AbortSignal;
    }): Promise<MessageAnswer | undefined>;
    /** Makes one request; Perch.react does more. @param {JID} jid @param {string} ref @param {string[]} emojis all of the account's
     * @param {{ id?: string, signal?: AbortSignal }} [o] @returns {Promise<MessageAnswer>} */
    putReactions(jid: JID, ref: string, emojis: string[], { id, ...o }?: {
        id?: string;
        signal?: AbortSignal;
    }): Promise<MessageAnswer>;
    /** @param {JID} jid @param {ChatState} state @returns {Promise<void>} */
    setChatState(jid: JID, state: ChatState): Promise<void>;
    /** @returns {Promise<Ticket>} */
    createTicket(): Promise<Ticket>;
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
import type { SessionInfo } from '../types.d.ts';
import type { SignInAnswer } from '../types.d.ts';
import type { Credentials } from '../types.d.ts';
import type { TokenList } from '../types.d.ts';
import type { TokenRequest } from '../types.d.ts';
import type { NewToken } from '../types.d.ts';
import type { WebhookList } from '../types.d.ts';
import type { Webhook } from '../types.d.ts';
import type { WebhookRequest } from '../types.d.ts';
import type { PutWebhook } from '../types.d.ts';
import type { WebhookAttempt } from '../types.d.ts';
import type { PushList } from '../types.d.ts';
import type { PushRequest } from '../types.d.ts';
import type { PushSubscription } from '../types.d.ts';
import type { PushAttempt } from '../types.d.ts';
import type { Buddy } from '../types.d.ts';
import type { Page } from '../types.d.ts';
import type { BuddyRequest } from '../types.d.ts';
import type { JID } from '../types.d.ts';
import type { BuddyPatch } from '../types.d.ts';
import type { Invitation } from '../types.d.ts';
import type { AcceptRequest } from '../types.d.ts';
import type { AcceptedInvitation } from '../types.d.ts';
import type { PresenceList } from '../types.d.ts';
import type { Presence } from '../types.d.ts';
import type { OwnPresence } from '../types.d.ts';
import type { OwnPresenceRequest } from '../types.d.ts';
import type { VCard } from '../types.d.ts';
import type { VCardRequest } from '../types.d.ts';
import type { BlockList } from '../types.d.ts';
import type { BlockReport } from '../types.d.ts';
import type { ArchivePage } from '../types.d.ts';
import type { JIDAnswer } from '../types.d.ts';
import type { MessageRequest } from '../types.d.ts';
import type { MessageAnswer } from '../types.d.ts';
import type { UploadRequest } from '../types.d.ts';
import type { Upload } from '../types.d.ts';
import type { MessageRecord } from '../types.d.ts';
import type { ConversationKind } from '../types.d.ts';
import type { ConversationPage } from '../types.d.ts';
import type { ConversationData } from '../types.d.ts';
import type { ConversationPatch } from '../types.d.ts';
import type { ConversationRead } from '../types.d.ts';
import type { MessageQuery } from '../types.d.ts';
import type { MessagePage } from '../types.d.ts';
import type { ConversationMessage } from '../types.d.ts';
import type { MessageEditRequest } from '../types.d.ts';
import type { ChatState } from '../types.d.ts';
import type { Ticket } from '../types.d.ts';
import type { Frame } from '../types.d.ts';
