// The words of the API as perch.js speaks them. Requests and answers of REST are those of
// openapi.yaml (openapi.d.ts is made from it by make types, and checked by make lint); the
// frames of the event stream and the store are written here.

import type { components, operations } from './openapi.d.ts';

type Schemas = components['schemas'];

/** RFC 3339, UTC, with milliseconds. */
export type Time = string;
/** A bare JID, or a full one where a device is meant. Opaque: compare it, never take it apart. */
export type JID = string;

export type State = Schemas['State'];
export type Show = Exclude<Schemas['Show'], null>;
export type ChatState = Schemas['ChatStateRequest']['state'];
export type Status = Schemas['MessageStatus'];
export type SessionInfo = Schemas['SessionInfo'];
export type SignInRequest = Schemas['SignInRequest'];
export type SignInAnswer = Schemas['SignInAnswer'];
export type Credentials = Schemas['CredentialsRequest'];
export type Buddy = Schemas['Buddy'];
export type BuddyRequest = Schemas['BuddyRequest'];
export type BuddyPatch = Schemas['BuddyPatch'];
export type Presence = Schemas['Presence'];
export type OwnPresence = Schemas['OwnPresence'];
export type OwnPresenceRequest = Schemas['OwnPresenceRequest'];
export type Invitation = Schemas['Invitation'];
export type AcceptRequest = Schemas['AcceptRequest'];
export type AcceptedInvitation = Schemas['AcceptedInvitation'];
export type VCard = Schemas['VCard'];
export type TokenList = Schemas['TokenList'];
export type TokenRequest = Schemas['TokenRequest'];
export type NewToken = Schemas['NewToken'];
export type Token = Schemas['Token'];
export type Scope = Schemas['Scope'];
export type Webhook = Schemas['Webhook'];
export type WebhookAttempt = Schemas['WebhookAttempt'];
export type WebhookList = Schemas['WebhookList'];
export type WebhookRequest = Schemas['WebhookRequest'];
export type PutWebhook = Schemas['PutWebhook'];
export type BlockList = Schemas['BlockList'];
export type BlockReport = Schemas['BlockReport'];
export type VCardRequest = Schemas['VCardRequest'];
export type ArchiveItem = Schemas['ArchiveItem'];
export type ArchivePage = Schemas['ArchivePage'];
export type JIDAnswer = Schemas['JIDAnswer'];
export type MessageRequest = Schemas['MessageRequest'];
export type MessageAnswer = Schemas['MessageAnswer'];
export type MessageEditRequest = Schemas['MessageEditRequest'];
export type ConversationMessage = Schemas['ConversationMessage'];
export type MessageRecord = Schemas['MessageRecord'];
export type StatusChange = Schemas['StatusChange'];
export type PresenceList = Schemas['PresenceList'];
export type Ticket = Schemas['Ticket'];
/** RFC 9457. */
export type Problem = Schemas['Problem'];

export interface Page<T> {
  items: T[];
  next: string | null;
}

/** What a message replies to (XEP-0461). */
export type Reply = Schemas['Reply'];
/** One emoji on a message, and who reacted with it (XEP-0444). */
export type Reaction = Schemas['Reaction'];
/** A file that a message has the address of. Only the address is always there. */
export type Attachment = Schemas['Attachment'];
export type UploadRequest = Schemas['UploadRequest'];
/** A slot for one file (XEP-0363). */
export type Upload = Schemas['Upload'];

/** How a file goes to the upload service. */
export interface UploadOptions {
  /** The name that others see; that of a File if not given. */
  name?: string | undefined;
  /** Its media type; that of the file if not given. */
  type?: string | undefined;
  /** Takes it back; the call rejects with the reason of the signal. */
  signal?: AbortSignal | undefined;
  /** Is called with how many bytes are on their way, of how many; it may begin anew, on another way. */
  onProgress?: ((sent: number, total: number) => void) | undefined;
}

/** Push subscriptions of a session. */
export type PushList = Schemas['PushList'];
export type PushRequest = Schemas['PushRequest'];
export type PushSubscription = Schemas['PushSubscription'];
export type PushAttempt = Schemas['PushAttempt'];

/** Whether this browser gets push messages: denied, when the user or the browser has refused; unsupported, also on pages
 * without https. */
export type PushState = 'unsupported' | 'denied' | 'off' | 'on';

/** What Perch.push subscribes to, and how. */
export interface PushOptions {
  /** The service worker to subscribe with; that of worker if not given. */
  registration?: ServiceWorkerRegistration | undefined;
  /** The script to register, of the own host; /perch-sw.js if not given. */
  worker?: string | undefined;
  /** What the gateway knows this browser by: 1 to 64 of A-Z a-z 0-9 - _. One that is made and kept if not given. */
  id?: string | undefined;
  /** Types of events; those of messages to the account if not given. */
  types?: string[] | undefined;
  /** The only conversations; all if not given. */
  conversations?: JID[] | undefined;
  /** full: with names and text (default); ids: without. */
  include?: PushRequest['include'] | undefined;
}

/** What a push message says (perch-sw.js has it). count: of the events that it stands for. */
export interface PushMessage {
  type: string;
  conversation?: JID;
  id: string;
  count: number;
  account?: JID;
  name?: string;
  from?: string;
  body?: string;
  reset?: string;
}

/** A message was retracted by its author, or by a moderator. */
export type Retracted = Schemas['Retracted'];

/** The data of message.received, message.sent and message.edited. */
export type MessageData = Schemas['Message'];
/** What others, or later messages, have made of a message; the most frequent reaction first. */
export type Relations = Pick<MessageData, 'edited' | 'retracted' | 'reactions'>;
/** What the text of a message comes with. An edit replaces all of it. */
export type Content = Omit<
  MessageData,
  | keyof Relations
  | 'id'
  | 'ref'
  | 'stanza_id'
  | 'room_stanza_id'
  | 'origin_id'
  | 'from'
  | 'to'
  | 'kind'
  | 'thread'
  | 'delay'
  | 'source'
  | 'room'
>;

/** A page of the messages of a conversation, oldest first. */
export type MessagePage = Schemas['MessagePage'];

/** Which messages of a conversation. Before and after are what a page gave as prev and next;
 * around is the ref of a message. */
export type MessageQuery = NonNullable<operations['listConversationMessages']['parameters']['query']>;

/** A message up to which a conversation was read. */
export type ReadPosition = Schemas['ReadPosition'];

export type Notify = Schemas['Notify'];
export type ConversationKind = Schemas['ConversationKind'];
/** An entry of the list of conversations, as the gateway has it. Its last message is left out in
 * conversation.changed, and has at most 200 bytes of its body. */
export type ConversationData = Omit<Schemas['Conversation'], 'last_message'> & Partial<Pick<Schemas['Conversation'], 'last_message'>>;
export type ConversationPage = Schemas['ConversationList'];
export type ConversationPatch = Schemas['ConversationPatch'];
export type ConversationRead = Schemas['ConversationRead'];

export type RoomInvitation = Schemas['RoomInvitation'];
/** What the account has of a room (XEP-0045). */
export type Room = Schemas['Room'];
export type RoomPage = Schemas['RoomList'];
export type RoomJoin = Schemas['RoomJoinRequest'];
export type RoomPatch = Schemas['RoomPatch'];
/** What most services have, by name; fields is the rest of the room's own form. */
export type RoomConfig = Schemas['RoomConfig'];
/** One who is in a room. */
export type Occupant = Schemas['Occupant'];
export type OccupantPage = Schemas['OccupantPage'];
export type OccupantQuery = NonNullable<operations['listRoomOccupants']['parameters']['query']>;
export type Role = Schemas['Role'];
/** The lasting relation of an account to a room; outcast: it is banned. */
export type Affiliation = Schemas['Affiliation'];
export type Member = Schemas['Member'];
export type MemberList = Schemas['MemberList'];
export type DirectoryPage = Schemas['DirectoryPage'];
export type DirectoryRoom = DirectoryPage['items'][number];

/** Who is in a room, as far as it was asked for. The object is never changed. */
export interface Occupants {
  /** By nick. */
  items: Occupant[];
  /** Where the next page begins; null: there is none. */
  next: string | null;
  /** There are more than the store keeps. */
  cut: boolean;
  /** Changes may have been missed; Perch.loadOccupants reads them again. */
  stale: boolean;
}

/** Whom the account blocks, once it was asked for. The object is never changed. */
export interface BlockedAddresses {
  /** Accounts, devices and domains, sorted. */
  items: JID[];
  /** False: the server has more than the gateway keeps; they block all the same. */
  complete: boolean;
  /** Changes may have been missed; the list is read again with the next stream. */
  stale: boolean;
}

/** What a message may be sent with, beside its text. */
export type Extras = Omit<Content, 'body' | 'reply_to' | 'payloads_truncated'> &
  Pick<MessageRequest, 'id' | 'thread'> & { reply_to?: Schemas['ReplyRequest'] };
/** The same of an edit, which has neither thread nor subject. */
export type EditExtras = Omit<Extras, 'thread' | 'subject'>;

export interface Hello {
  protocol: number;
  connection_id: string;
  server: { name: string; version: string };
  heartbeat_ms: number;
  resumed: boolean;
  reset_reason: 'first' | 'expired' | 'epoch' | 'unknown' | null;
  tip: string;
  session: SessionInfo;
  limits: { frame_bytes: number; commands_per_min: number; queue_frames: number; queue_bytes: number; streams: number };
  retention: { events: number; bytes: number; seconds: number };
  /** What this gateway has beside its first version; missing in that one. */
  features?: string[];
}

interface Snapshot<T> {
  as_of: string;
  part: number;
  last: boolean;
  items: T[];
}

/** The data of each type of event. */
export interface Events {
  hello: Hello;
  'message.received': MessageData;
  'message.sent': MessageData;
  'message.status': StatusChange & { id: string };
  'message.edited': MessageData;
  'message.retracted': Retracted & { ref: string; id?: string; conversation: JID };
  'message.reactions': { ref: string; id?: string; conversation: JID; from: JID; emojis: string[]; reactions: Reaction[] };
  'message.read': { conversation: JID; by: JID; ref: string };
  'conversation.read': ConversationRead;
  'conversation.changed': ConversationData;
  'room.invited': RoomInvitation;
  'room.state': Room;
  'room.changed': Room;
  'room.affiliation': {
    jid: JID;
    account: JID;
    nick?: string;
    affiliation: Affiliation;
    own: boolean;
    reason?: string;
    by?: string;
  };
  'room.forgotten': { jid: JID };
  'room.occupant': {
    jid: JID;
    change: 'joined' | 'left' | 'renamed' | 'changed';
    occupant: Occupant;
    previous_nick?: string;
    reason?: string;
    by?: string;
  };
  'room.occupants': { jid: JID; count: number; complete: boolean };
  'roster.item': Buddy;
  'roster.removed': { jid: JID };
  'invitation.received': Invitation;
  'invitation.accepted': Invitation;
  'invitation.declined': Invitation;
  'invitation.cancelled': Invitation;
  'session.state': { state: State; previous: State; reason: string; retry_at: Time | null; resumed: boolean };
  /** room: messages of this one alone; missing: those of the account. */
  'session.gap': { from: Time | null; to: Time | null; reason?: string; room?: JID };
  'webhook.disabled': { id: string; reason: 'gone' | 'failing' | 'policy' | 'secret_lost' };
  'blocked.changed': { added: JID[]; removed: JID[]; all?: false; reset?: true };
  'vcard.changed': { jid: JID; photo_hash?: string };
  'event.dropped': { reason: string; from?: JID; stanza_id?: string };
  presence: Presence;
  /** room, nick: from is one who is in a room. */
  chat_state: { from: JID; state: ChatState; room?: JID; nick?: string };
  /** With Options.stanzas alone. answer_by: a request, which Perch.sendStanza may answer until then, by an iq of
   * type result or error with its id, to from. left_out: how many before it there was no room for. */
  stanza: { from?: JID; xml: string; answer_by?: Time; left_out?: number };
  'roster.snapshot': Snapshot<Buddy>;
  'invitations.snapshot': Snapshot<Invitation>;
  'rooms.snapshot': Snapshot<Room>;
  'presence.snapshot': Snapshot<Presence>;
  live: { tip: string };
  heartbeat: { tip: string };
  reconnect: { after_ms: number; reason: string };
}

/** One frame of the event stream. An id stands on durable events only. */
export type Frame = { [T in keyof Events]: { id?: string; type: T; time: Time; data: Events[T] } }[keyof Events] | ErrorFrame;

/** Why a stream ends, or what was wrong with a command. */
export interface ErrorFrame {
  id?: undefined;
  type: 'error';
  time: Time;
  ref?: string;
  data?: undefined;
  error: Problem;
  close?: { code: number; reason: string };
}

/** A change of the account's own that no event has confirmed yet. */
export interface OwnChange {
  /** Idempotency key of the request; what Perch.retry and Perch.cancel take. */
  id: string;
  ref: string;
  kind: Schemas['RelationKind'];
  /** failed: it is not shown, and waits to be sent again or dismissed. */
  state: 'pending' | 'accepted' | 'failed';
  at: Time;
  /** Of an edit. */
  body?: string;
  /** Of reactions. */
  emojis?: string[];
  /** Of a retraction. */
  reason?: string;
  /** Why it failed, in one sentence. */
  error?: string;
  /** An event that may be its own has come before the answer. */
  seen?: boolean;
}

/** A message as the store keeps it. The object is never changed: another state is another one. */
export interface StoredMessage extends Content, Relations {
  /** For lists: unique in its conversation and never changed. */
  key: string;
  /** The stanza's id; "" where the archive does not keep it. */
  id: string;
  /** Handle for edits, replies, reactions and reading; missing until the gateway gave one. */
  ref?: string;
  direction: 'in' | 'out';
  time: Time;
  /** The last own change that is not confirmed; body, retracted and reactions show it already. */
  change?: OwnChange;
  /** For the store alone. */
  merge?: import('./perch/merge.js').Merge;
  /** For the store alone: until when a page of the archive has all that refers to it. */
  kept?: Time;
  /** Of outgoing ones; "pending" until the gateway has it. One that is "failed" is sent again
   * by Perch.retry and dismissed by Perch.cancel, which also takes back a pending one. */
  status?: Status | 'pending';
  /** Why it failed, in one sentence. */
  error?: string;
  /** It was written by this client, in this tab or another one. */
  local?: boolean;
  /** When the service had it, for an archive that knows messages by their time only. */
  reached?: Time;
  /** It was held back on its way (XEP-0203). */
  delayed?: boolean;
  thread?: string;
  /** Who wrote it, of what was written in a room. */
  room?: MessageData['room'];
  /** Position of the event, once it was seen as one. */
  event?: string;
  /** Id in the archive, once it was seen there (or the stanza-id that will be). */
  archive?: string;
}

/** A conversation as the store keeps it. The object is never changed: another state is another one. */
export interface Conversation {
  jid: JID;
  type: ConversationKind;
  /** Of the gateway's list; "" where it has none. */
  name: string;
  notify: Notify;
  pinned: boolean;
  archived: boolean;
  /** It is in the gateway's list. */
  listed: boolean;
  /** Oldest first. */
  messages: StoredMessage[];
  /** The newest message that is known, also where messages has none: its text may be cut. */
  last_message: StoredMessage | null;
  last_activity_at: Time | null;
  /** Received and not read, at most 999. */
  unread: number;
  /** False: more may have come. */
  unread_exact: boolean;
  /** Of them, those that name the account. */
  mentions: number;
  read: ReadPosition | null;
  /** What the other side has seen. */
  peer_read: ReadPosition | null;
  /** A message that was begun, here or on another device. */
  draft: string | null;
  /** For the store alone. */
  state: import('./perch/summary.js').State;
  /** What the other side does (XEP-0085); "composing" in a room where somebody writes. */
  typing: ChatState | null;
  /** Nicks of those who write in a room, the first one first. */
  writing: string[];
  /** Messages may be missing, and the archive could not fill the hole. */
  gap: boolean;
  /** The archive has nothing older. */
  complete: boolean;
  /** Where older pages begin; null: from the newest, or no paging. */
  prev: string | null;
}

/** What changed in the store. */
export type Change =
  | { what: 'session' | 'buddies' | 'invitations' | 'presence' | 'rooms' | 'occupants' | 'conversations' | 'blocked'; jid?: JID }
  | { what: 'vcard'; jid: JID };

/** What the store has at one moment. Neither it nor anything in it is ever changed: another state is another
 * object, in which every part that has not changed is the same one. */
export interface StoreSnapshot {
  readonly session: SessionInfo | null;
  readonly features: readonly string[];
  readonly ready: boolean;
  readonly buddies: ReadonlyMap<JID, Buddy>;
  readonly presence: ReadonlyMap<JID, Presence>;
  readonly invitations: ReadonlyMap<JID, Invitation>;
  readonly roomInvitations: ReadonlyMap<JID, RoomInvitation>;
  readonly rooms: ReadonlyMap<JID, Room>;
  readonly occupants: ReadonlyMap<JID, Occupants>;
  readonly conversations: ReadonlyMap<JID, Conversation>;
  readonly list: readonly Conversation[];
  readonly blocked: BlockedAddresses | null;
}

/** What Perch.save gives, and Options.state takes. */
export interface SavedState {
  version: 1;
  cursor: string;
  session: SessionInfo | null;
  buddies: Buddy[];
  presence: Presence[];
  invitations: Invitation[];
  conversations: Conversation[];
  /** Invitations to rooms. */
  roomInvitations?: RoomInvitation[];
  rooms?: Room[];
  blocked?: BlockedAddresses;
  /** Of hello. */
  features?: string[];
}

export interface ConnectionState {
  /** idle: not started. waiting: between two attempts. stopped: will not try again. */
  state: 'idle' | 'connecting' | 'live' | 'waiting' | 'stopped';
  transport: 'ws' | 'sse' | 'tab' | null;
  /** Close code of the attempt before, 0 if there was none. */
  code: number;
  reason: string;
  /** Milliseconds until the next attempt, while waiting. */
  retryIn: number;
  /** Connections that reached hello, since connect(). */
  connects: number;
}

/** What waits to be sent. Event "outbox" comes when pending, failed or waits have changed. */
export interface OutboxState {
  /** Messages that the gateway does not have yet. */
  pending: number;
  /** Messages that were refused, and neither sent again nor dismissed. */
  failed: number;
  /** What the pending ones wait for: the event stream, the back-off after a failure, another
   * credential; null when they are being sent. */
  waits: 'stream' | 'backoff' | 'credentials' | null;
  /** Milliseconds until the next request may be made. */
  retryIn: number;
}

export interface Options {
  /** Where the gateway is; the page's own origin if not given. */
  url?: string | URL;
  /** The bearer token, or a function that fetches one: it is asked again when one was refused. */
  token?: string | ((why: { refused: boolean }) => string | Promise<string>);
  /** The upstream that the access token is of, where the gateway has several and nothing else tells: sent with
   * every request. A Perch token of another upstream is refused with it. */
  upstream?: string;
  /** Fetches a ticket for each socket. A page without a token has events by it, and sends over the socket: messages, edits,
   * retractions, reactions, what was read, chat states, presence and whom it blocks. It reads nothing of REST. */
  ticket?: () => string | Promise<string>;
  /** How a socket shows the token: "bearer" as a subprotocol, "ticket" by one that is fetched before. */
  auth?: 'bearer' | 'ticket';
  /** "auto" takes WebSockets, and SSE where they are blocked. */
  transport?: 'auto' | 'ws' | 'sse';
  /** Tabs of one browser with the same token share one stream. */
  share?: boolean;
  /** Also "stanza" frames, which nothing else asks for: where can('stanzas'), of what others send and no
   * other frame shows. Of tabs that share a stream all say the same. A gateway of before refuses it. */
  stanzas?: boolean;
  /** What Perch.save gave, to resume from it. */
  state?: SavedState | null;
  /** Full jitter: a random part of base * 2^attempt, at most cap. Milliseconds. */
  backoff?: { base?: number; cap?: number };
  /** Where messages that wait to be sent are kept over a reload; null: in memory alone. If not
   * given, localStorage with share where tabs can share, else the tab's own sessionStorage;
   * null outside of browsers. Give localStorage without share only if one page at a time uses it. */
  storage?: Storage | null;
  /** Silence after which a stream is taken for dead, in milliseconds; 2 heartbeats + 5 s if not given. */
  silence?: number;
  fetch?: typeof fetch;
  WebSocket?: typeof WebSocket;
  /** Sees every REST call, such as to show it. */
  onRequest?: (call: { method: string; path: string; body: unknown; status: number }) => void;
}
