/**
 * The JavaScript client of Perch, the XMPP session gateway: typed REST calls, one event
 * stream that reconnects and resumes by itself, and a store that is always what a fresh
 * snapshot would be. ES modules without dependencies, for browsers and Node 20.
 *
 *     const perch = new Perch({ url: 'http://127.0.0.1:8080', token: 'demo-alice' });
 *     perch.store.subscribe((change) => render(perch.store, change));
 *     perch.connect();
 *     await perch.send(jid, 'Hello!');
 *
 * Perch ties the modules in perch/ together: Rest has the REST calls, Stream and Tabs bring
 * frames (over a connection of their own, or through the tab that has one), Store applies
 * them, Sender and Outbox keep what a user has written until the gateway has it, History reads the
 * archive and ConversationList the list of conversations.
 *
 * @module perch
 */

import { ConversationList } from './perch/conversation_list.js';
import { PerchError } from './perch/errors.js';
import { can } from './perch/features.js';
import { History } from './perch/history.js';
import { HTTPClient } from './perch/http.js';
import { isAfter } from './perch/ids.js';
import { Listeners } from './perch/listeners.js';
import { Outbox } from './perch/outbox.js';
import { defaultStorage } from './perch/outbox_storage.js';
import { mayDo, mayIn, mayModerate } from './perch/room_rights.js';
import { RoomsRest } from './perch/rooms_rest.js';
import { Sender, deliver } from './perch/sender.js';
import { Store } from './perch/store.js';
import { Stream } from './perch/stream.js';
import { Tabs } from './perch/tabs.js';
import { Typing } from './perch/typing.js';
import { Uploads } from './perch/uploads.js';

export { PerchError, Store };

/** @typedef {import('./types.d.ts').Options} Options */
/** @typedef {import('./types.d.ts').Frame} Frame */
/** @typedef {import('./types.d.ts').Events} Events */
/** @typedef {import('./types.d.ts').Change} Change */
/** @typedef {import('./types.d.ts').Conversation} Conversation */
/** @typedef {import('./types.d.ts').StoredMessage} StoredMessage */
/** @typedef {import('./types.d.ts').OwnChange} OwnChange */
/** @typedef {import('./types.d.ts').Reaction} Reaction */
/** @typedef {import('./types.d.ts').Attachment} Attachment */
/** @typedef {import('./types.d.ts').UploadOptions} UploadOptions */
/** @typedef {import('./types.d.ts').Extras} Extras */
/** @typedef {import('./types.d.ts').PushOptions} PushOptions */
/** @typedef {import('./types.d.ts').PushState} PushState */
/** @typedef {import('./types.d.ts').PushSubscription} PushSubscription */
/** @typedef {import('./types.d.ts').PushList} PushList */
/** @typedef {import('./types.d.ts').PushRequest} PushRequest */
/** @typedef {import('./types.d.ts').PushAttempt} PushAttempt */
/** @typedef {import('./types.d.ts').PushMessage} PushMessage */
/** @typedef {import('./types.d.ts').EditExtras} EditExtras */
/** @typedef {import('./types.d.ts').MessagePage} MessagePage */
/** @typedef {import('./types.d.ts').MessageQuery} MessageQuery */
/** @typedef {import('./types.d.ts').ConversationData} ConversationData */
/** @typedef {import('./types.d.ts').ConversationPage} ConversationPage */
/** @typedef {import('./types.d.ts').ConversationPatch} ConversationPatch */
/** @typedef {import('./types.d.ts').RoomInvitation} RoomInvitation */
/** @typedef {import('./types.d.ts').Room} Room */
/** @typedef {import('./types.d.ts').RoomJoin} RoomJoin */
/** @typedef {import('./types.d.ts').RoomPatch} RoomPatch */
/** @typedef {import('./types.d.ts').RoomConfig} RoomConfig */
/** @typedef {import('./types.d.ts').Occupant} Occupant */
/** @typedef {import('./types.d.ts').Occupants} Occupants */
/** @typedef {import('./types.d.ts').Affiliation} Affiliation */
/** @typedef {import('./types.d.ts').Role} Role */
/** @typedef {import('./perch/room_rights.js').RoomRight} RoomRight */
/** @typedef {import('./perch/room_rights.js').OccupantRight} OccupantRight */
/** @typedef {import('./perch/features.js').Ability} Ability */
/** @typedef {import('./types.d.ts').BlockedAddresses} BlockedAddresses */
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
/** @typedef {import('./types.d.ts').Time} Time */
/** @typedef {import('./types.d.ts').State} State */
/** @typedef {import('./types.d.ts').Show} Show */
/** @typedef {import('./types.d.ts').ChatState} ChatState */
/** @typedef {import('./types.d.ts').Status} Status */
/** @typedef {import('./types.d.ts').SignInRequest} SignInRequest */
/** @typedef {import('./types.d.ts').SignInAnswer} SignInAnswer */
/** @typedef {import('./types.d.ts').Credentials} Credentials */
/** @typedef {import('./types.d.ts').BuddyRequest} BuddyRequest */
/** @typedef {import('./types.d.ts').BuddyPatch} BuddyPatch */
/** @typedef {import('./types.d.ts').OwnPresenceRequest} OwnPresenceRequest */
/** @typedef {import('./types.d.ts').AcceptRequest} AcceptRequest */
/** @typedef {import('./types.d.ts').AcceptedInvitation} AcceptedInvitation */
/** @typedef {import('./types.d.ts').TokenList} TokenList */
/** @typedef {import('./types.d.ts').TokenRequest} TokenRequest */
/** @typedef {import('./types.d.ts').NewToken} NewToken */
/** @typedef {import('./types.d.ts').BlockList} BlockList */
/** @typedef {import('./types.d.ts').BlockReport} BlockReport */
/** @typedef {import('./types.d.ts').VCardRequest} VCardRequest */
/** @typedef {import('./types.d.ts').JIDAnswer} JIDAnswer */
/** @typedef {import('./types.d.ts').MessageAnswer} MessageAnswer */
/** @typedef {import('./types.d.ts').MessageEditRequest} MessageEditRequest */
/** @typedef {import('./types.d.ts').ConversationMessage} ConversationMessage */
/** @typedef {import('./types.d.ts').StatusChange} StatusChange */
/** @typedef {import('./types.d.ts').PresenceList} PresenceList */
/** @typedef {import('./types.d.ts').Ticket} Ticket */
/** @typedef {import('./types.d.ts').Reply} Reply */
/** @typedef {import('./types.d.ts').UploadRequest} UploadRequest */
/** @typedef {import('./types.d.ts').Upload} Upload */
/** @typedef {import('./types.d.ts').Retracted} Retracted */
/** @typedef {import('./types.d.ts').Relations} Relations */
/** @typedef {import('./types.d.ts').Content} Content */
/** @typedef {import('./types.d.ts').ReadPosition} ReadPosition */
/** @typedef {import('./types.d.ts').Notify} Notify */
/** @typedef {import('./types.d.ts').ConversationKind} ConversationKind */
/** @typedef {import('./types.d.ts').ConversationRead} ConversationRead */
/** @typedef {import('./types.d.ts').RoomPage} RoomPage */
/** @typedef {import('./types.d.ts').OccupantPage} OccupantPage */
/** @typedef {import('./types.d.ts').OccupantQuery} OccupantQuery */
/** @typedef {import('./types.d.ts').Member} Member */
/** @typedef {import('./types.d.ts').MemberList} MemberList */
/** @typedef {import('./types.d.ts').DirectoryPage} DirectoryPage */
/** @typedef {import('./types.d.ts').DirectoryRoom} DirectoryRoom */
/** @typedef {import('./types.d.ts').Hello} Hello */
/** @typedef {import('./types.d.ts').ErrorFrame} ErrorFrame */
/** @typedef {import('./types.d.ts').StoreSnapshot} StoreSnapshot */
/** @typedef {import('./types.d.ts').Token} Token */
/** @typedef {import('./types.d.ts').Scope} Scope */
/** @typedef {import('./types.d.ts').Webhook} Webhook */
/** @typedef {import('./types.d.ts').WebhookAttempt} WebhookAttempt */
/** @typedef {import('./types.d.ts').WebhookList} WebhookList */
/** @typedef {import('./types.d.ts').WebhookRequest} WebhookRequest */
/** @typedef {import('./types.d.ts').PutWebhook} PutWebhook */
/** @template T @typedef {import('./types.d.ts').Page<T>} Page */
/** @typedef {import('./types.d.ts').OutboxState} OutboxState */
/** @typedef {import('./perch/attempt.js').Attempt} Attempt */
/** @typedef {import('./perch/attempt.js').Ending} Ending */
/** @typedef {import('./perch/outbox.js').Entry} Entry */
/** @typedef {import('./perch/stream.js').Port} Port */

const pushModule = () => import('./perch/push.js');

/** Occupants of a room beyond which the gateway tells nobody who writes. */
const mostTyping = 30;

/** One account's client. Nothing is sent before the first call. */
export class Perch extends RoomsRest {
  /** What is known; see Store. */
  store = new Store();
  /** Position of the last durable event that the store has; "" before the first. */
  cursor = '';
  /** @type {ConnectionState} */
  connection = { state: 'idle', transport: null, code: 0, reason: '', retryIn: 0, connects: 0 };

  /** @type {Options} */ #options;
  #http;
  #listeners;
  /** @type {Stream | Tabs | null} */ #source = null;
  /** @type {Outbox} */ #outbox;
  #sender;
  #history;
  #list;
  /** The block list, while it is being read. @type {Promise<void> | null} */ #blocked = null;
  #typing;
  #uploads;
  /** Loaded once it is asked for. @type {Promise<import('./perch/push.js').Push> | null} */ #push = null;
  /** What listeners of "outbox" were given last. */ #outboxReported = '';
  /** Whether the session is at its end: a request of which the user knows nothing would open it again. */ #ending = false;

  /** @param {Options} [options] */
  constructor(options = {}) {
    const listeners = new Listeners();
    const http = new HTTPClient(options, (call) => listeners.emit('request', call));
    super(http, options.url);
    this.#options = options;
    this.#http = http;
    if (this.#ticketAlone) http.overSocket = (type, data, signal) => this.#command(type, data, signal);
    this.#listeners = listeners;
    this.#outbox = this.#newOutbox();
    this.#sender = new Sender(this.store, this.#outbox, () => this.#openWithoutStream());
    this.#uploads = new Uploads(this, http);
    const ended = () => this.#ending;
    this.#list = new ConversationList(this.store, this, ended);
    this.#typing = new Typing((jid, state) => ended() || void this.setChatState(jid, state).catch(() => {})); // one that is lost does no harm
    this.#history = new History(this.store, this.#outbox, (query) => this.getArchive(query), ended);
    if (options.state) this.restore(options.state);
  }

  /** Signs in with a JID and a password or token; the answer has the token for everything else.
   * @param {import('./types.d.ts').SignInRequest} account @param {Options} [options]
   * @returns {Promise<import('./types.d.ts').SignInAnswer>} */
  static async signIn(account, options = {}) {
    const { state: _, ticket: _t, ...rest } = options;
    return new Perch({ ...rest, token: '' }).request('POST', '/v1/session', { body: account });
  }

  // The event stream.

  /** Opens the event stream and keeps it open until disconnect. */
  connect() {
    if (this.#source) return;
    this.#requireTransport();
    this.#ending = false;
    const options = { ...this.#options, url: this.url, fetch: this.#http.fetch };
    this.#outbox.lead(!this.#shared);
    this.#source = this.#shared ? new Tabs(options, this.#port()) : new Stream(options, this.#port());
    this.#outbox.gate('away');
    this.#outbox.identify(this.store.session?.jid ?? '', false);
    this.#sender.mergePending();
    this.#source.start();
  }

  /** @returns {Port} */
  #port() {
    return {
      token: (refused) => this.#http.bearer(refused),
      ticket: async () => (this.#options.ticket ? this.#options.ticket() : (await this.createTicket()).ticket),
      cursor: () => this.cursor,
      frame: (f) => this.#onFrame(f),
      state: (s) => this.#onConnection(s),
      save: () => this.save(),
      restore: (s) => this.restore(s),
      outbox: this.#outbox,
    };
  }

  /** Whether the tabs have one stream and one sender. Without a token nobody knows whether they are of one account. */
  get #shared() {
    return Boolean(this.#options.share) && !this.#ticketAlone && Tabs.possible();
  }

  /** Whether there is no token: everything goes over the socket that a ticket has opened. */
  get #ticketAlone() {
    return Boolean(this.#options.ticket && !this.#options.token);
  }

  /** @param {string} type @param {unknown} data @param {AbortSignal} [signal] @returns {Promise<any>} */
  async #command(type, data, signal) {
    if (!(this.#source instanceof Stream)) throw new TypeError('There is no socket before connect()');
    return this.#source.command(type, data, signal);
  }

  /** Says at once what would never work. */
  #requireTransport() {
    const { transport, WebSocket = globalThis.WebSocket } = this.#options;
    if (this.#ticketAlone && transport === 'sse') throw new TypeError('A ticket opens a WebSocket: give a token for SSE');
    if (WebSocket || (transport !== 'ws' && !this.#ticketAlone)) return;
    throw new TypeError('There is no WebSocket here: give options.WebSocket (Node 22 has one), or a token, for SSE');
  }

  /** Closes the event stream. The XMPP session stays; signOut ends it. What waits to be sent
   * waits for the next connect. */
  disconnect() {
    this.#typing.clear();
    this.#outbox.gate('closed');
    this.#source?.stop();
    this.#source = null;
    this.#onConnection({ state: 'idle', transport: null, retryIn: 0 });
  }

  /** Connects again now instead of waiting, such as when the network is back. */
  reconnect() {
    this.#outbox.resume();
    this.#source?.reconnectNow();
  }

  /** Calls f with each frame of a type ("*": every frame, "connection": ConnectionState,
   * "outbox": OutboxState, "request": each REST call). The result ends it.
   * @template {keyof Events | '*' | 'error' | 'connection' | 'outbox' | 'request'} T
   * @param {T} type
   * @param {(frame: T extends 'connection' ? ConnectionState : T extends 'outbox' ? OutboxState :
   *   T extends keyof Events ? Extract<Frame, { type: T }> : any) => void} f */
  on(type, f) {
    return this.#listeners.add(type, f);
  }

  /** @param {Partial<ConnectionState>} s */
  #onConnection(s) {
    this.connection = { ...this.connection, ...s };
    const { state, code } = this.connection;
    if (state === 'live') this.#outbox.gate('live');
    else if (state === 'stopped' && (code === 4001 || code === 4004)) this.#outbox.gate('closed');
    else if (state !== 'idle') this.#outbox.gate('away');
    this.#listeners.emit('connection', this.connection);
  }

  /** Applies a frame, of the own stream or of the leading tab. @param {Frame} f */
  #onFrame(f) {
    if (f.id && !isAfter(f.id, this.cursor)) return; // it came from the tab that led before
    if (f.type === 'hello') {
      if (!f.data.resumed) this.cursor = ''; // a snapshot that stays incomplete is asked for again
      this.#outbox.identify(f.data.session.jid, true);
    }
    const missed = this.#missedBy(f);
    this.store.apply(f);
    if (f.type === 'message.sent') this.#outbox.confirm(f.data.id);
    if (f.type === 'session.state' && f.data.state === 'online') this.#outbox.resume();
    this.#advance(f);
    this.#listeners.emit(f.type, f);
    this.#listeners.emit('*', f);
    if (!this.#ending) this.#readAgain(f, missed);
  }

  /** Reads what a frame says to be missing. @param {Frame} f @param {Room['missed']} before what its room had missed before it */
  #readAgain(f, before) {
    if (f.type === 'live') void this.#list.refresh().catch(() => {});
    if (this.#ticketAlone) return;
    if (f.type === 'live' || f.type === 'session.gap') void this.#history.fill();
    if ((f.type === 'live' || f.type === 'blocked.changed') && this.store.blocked?.stale) void this.loadBlocked().catch(() => {});
    if (f.type !== 'room.state' && f.type !== 'room.changed') return;
    const missed = this.#missedBy(f);
    if (missed && missed !== before) void this.#history.fillOf(f.data.jid).catch(() => {}); // the hole stays marked
  }

  /** What the room of a frame has missed. @param {Frame} f @returns {Room['missed']} */
  #missedBy(f) {
    return f.type === 'room.state' || f.type === 'room.changed' ? this.store.rooms.get(f.data.jid)?.missed : undefined;
  }

  /** Moves the cursor behind a frame. @param {Frame} f */
  #advance(f) {
    if (f.id) this.cursor = f.id;
    if (f.type === 'live' || (f.type === 'heartbeat' && this.cursor)) this.cursor = f.data.tip;
  }

  /** What Options.state takes: the store and the cursor that belongs to it. @returns {SavedState} */
  save() {
    return { ...this.store.toJSON(), cursor: this.cursor };
  }

  /** Continues from a saved state. @param {SavedState} state */
  restore(state) {
    if (state.version !== 1) return;
    this.store.load(state);
    this.cursor = state.cursor;
    if (!this.#source) return;
    for (const e of this.#outbox.list()) this.#sender.show(e);
    this.#sender.mergePending();
  }

  // The session. The REST calls with what they mean for the stream and the outbox.

  /** A refreshed credential takes over the live session.
   * @override @param {import('./types.d.ts').Credentials} credential @returns {Promise<void>} */
  async replaceCredentials(credential) {
    await super.replaceCredentials(credential);
    this.reconnect(); // and sends what waited for a credential
  }

  /** Ends the XMPP session itself, and everything that is kept of it: what was not sent yet
   * too, in every tab. With `all: false` this device alone. @override @param {{ all?: boolean }} [o] @returns {Promise<void>} */
  async signOut(o = {}) {
    this.#ending = true;
    this.#typing.clear();
    this.#list.holdDrafts();
    try {
      await super.signOut(o);
    } catch (e) {
      this.#ending = false;
      throw e;
    }
    this.#outbox.clear(true);
    this.disconnect();
  }

  // Messages.

  /** Reports whether gateway and XMPP service can do something; false before the stream has said
   * so, and of a gateway that is older than it. @param {Ability} what */
  can(what) {
    return can(this.store, what);
  }

  /** Sends a chat message. It stands in the store at once as pending, and its status follows
   * the events. Messages of a conversation go out in the order of these calls, however long
   * the gateway is away, each under one id; a repeat is one message. Rejects when the
   * message is refused for good (status failed), cancelled, or the token is refused: then it
   * stays pending until there is another token.
   * @param {JID} to @param {string} body @param {Extras} [extras] reply_to: the ref of the message that is replied to
   * @returns {Promise<{ id: string, status: string }>} */
  async send(to, body, extras = {}) {
    this.#typing.sent(to);
    return this.#sender.send(to, body, extras);
  }

  /** Brings a file to the upload service of the XMPP server, where can('upload'): straight, or through the gateway
   * where the service does not let this page in and the gateway takes files. Files go one after the other.
   * Resolves with the attachment for send. Rejects with PerchError, such as file-too-large (problem.max_size)
   * or upload-refused, and with the reason of the signal.
   * @param {Blob} file @param {UploadOptions} [o] @returns {Promise<Attachment>} */
  async upload(file, o = {}) {
    return this.#uploads.upload(file, o);
  }

  /** Uploads a file and sends a message with it. @param {JID} to @param {Blob} file
   * @param {UploadOptions & Extras & { body?: string }} [o] a message without a body has the address of the file */
  async sendFile(to, file, { name, type, signal, onProgress, body = '', ...extras } = {}) {
    const attachment = await this.upload(file, { name, type, signal, onProgress });
    return this.send(to, body, { ...extras, attachments: [attachment] });
  }

  /** Lets the gateway send push messages to this browser while no page has a stream: asks the user, registers the
   * service worker /perch-sw.js unless there is a registration of your own, subscribes, and tells the gateway.
   * Call it from a click, and again whenever the page is opened: it does nothing that is done. It ends with
   * the token. Ask pushState before, so that all is loaded at the click. Rejects with PerchError: push-unsupported, push-denied. @param {PushOptions} [o] @returns {Promise<PushSubscription>} */
  async push(o = {}) {
    return (await this.#pushes()).begin(o);
  }

  /** Ends the push messages of this browser. @param {PushOptions} [o] @returns {Promise<void>} */
  async endPush(o = {}) {
    return (await this.#pushes()).end(o);
  }

  /** Whether this browser gets push messages of this session. @param {PushOptions} [o] @returns {Promise<PushState>} */
  async pushState(o = {}) {
    return (await this.#pushes()).state(o);
  }

  #pushes() {
    this.#push ??= pushModule().then(({ Push }) => new Push(this));
    return this.#push;
  }

  /** Gives an own message another text. The store shows it at once, and what waits is kept as
   * messages are; its attachments and what it replies to stay unless extras say otherwise. Resolves
   * as send does. @param {JID} jid @param {string} ref @param {string} body @param {EditExtras} [extras] */
  async edit(jid, ref, body, extras = {}) {
    return this.#sender.edit(jid, ref, body, extras);
  }

  /** Retracts an own message that was sent; cancel is for one that was not.
   * @param {JID} jid @param {string} ref @param {{ reason?: string }} [o] */
  async retract(jid, ref, { reason = '' } = {}) {
    return this.#sender.change(jid, 'retraction', ref, { reason });
  }

  /** Sets all of the own reactions to a message; none removes them. @param {JID} jid @param {string} ref @param {string[]} emojis */
  async react(jid, ref, emojis) {
    return this.#sender.change(jid, 'reactions', ref, { emojis });
  }

  /** Sends a message or change that has failed once more, behind what was written since. One that
   * the gateway had taken before it failed gets another id: the old one would be answered as a
   * repeat. Resolves as send does. @param {JID} jid @param {string} id */
  async retry(jid, id) {
    return this.#sender.retry(jid, id);
  }

  /** Takes back a message or change that is pending, or dismisses one that has failed. Resolves
   * with whether it is gone: a request that is under way may still succeed.
   * @param {JID} jid @param {string} id @returns {Promise<boolean>} */
  async cancel(jid, id) {
    return this.#sender.cancel(jid, id);
  }

  /** Forgets every message that is not sent, here and in the storage; other tabs keep theirs. */
  discardPending() {
    this.#outbox.clear(false);
  }

  /** How many messages wait, and for what. */
  get outbox() {
    return this.#outbox.state;
  }

  /** Reads the next older page of the archive into the store, the newest one first.
   * Resolves with how many messages were new. @param {JID} jid @param {number} [limit] */
  async loadHistory(jid, limit = 30) {
    return this.#history.loadOlder(jid, limit);
  }

  /** Tells the other side that the user writes: call it at each key. It ends by itself some
   * seconds after the last one, and with send. @param {JID} jid */
  typing(jid) {
    const room = this.store.rooms.get(jid);
    if (room && (!this.canIn(jid, 'speak') || room.occupants.count > mostTyping)) return;
    this.#typing.input(jid);
  }

  /** The user does not write any more. @param {JID} jid */
  stopTyping(jid) {
    this.#typing.end(jid);
  }

  /** Fills a hole in the messages of a conversation (gap), as far as the archive has what is missing; it is
   * done by itself with each stream. Resolves with whether there is no hole any more. @param {JID} jid */
  async fillGap(jid) {
    return this.#history.fillOf(jid);
  }

  // Rooms.

  /** Reports whether the account may do something in a room, as far as that can be known: the room has the
   * last word. With an occupant it is about what is done to that one. @template {RoomRight | OccupantRight} T @param {JID} jid
   * @param {T} what @param {T extends RoomRight ? undefined : Occupant} [occupant] @returns {boolean} */
  canIn(jid, what, occupant) {
    if (!this.can('rooms')) return false;
    const room = this.store.rooms.get(jid);
    return occupant ? mayDo(room, occupant, /** @type {OccupantRight} */ (what)) : mayIn(room, /** @type {RoomRight} */ (what));
  }

  /** Reports whether the account may have the room retract a message of another one. @param {JID} jid @param {StoredMessage} m */
  canModerate(jid, m) {
    return this.can('rooms') && mayModerate(this.store.rooms.get(jid), m);
  }

  /** @override @param {JID} jid @param {RoomJoin & { wait?: boolean }} [how] @returns {Promise<Room>} */
  async joinRoom(jid, how) {
    const room = await super.joinRoom(jid, how);
    this.store.endInvitation(jid);
    return room;
  }

  /** @override @param {JID} jid @param {{ forget?: boolean }} [o] @returns {Promise<void>} */
  async leaveRoom(jid, o = {}) {
    await super.leaveRoom(jid, o);
    if (o.forget) this.store.forgetRoom(jid);
  }

  /** One that the session has not kept, as rooms were not used when it came, is forgotten here.
   * @override @param {JID} jid @returns {Promise<void>} */
  async declineRoom(jid) {
    try {
      await super.declineRoom(jid);
    } catch (e) {
      if (!(e instanceof PerchError && e.status === 404)) throw e;
    }
    this.store.endInvitation(jid);
  }

  /** Reads who is in a room into the store (store.occupants): the first page, or with more the next one.
   * Where the room's occupants are "live" (changeRoom), the store is kept up to date from then on; stale
   * says that it was not for a while. Resolves with whether there are more.
   * @param {JID} jid @param {{ more?: boolean, limit?: number }} [o] */
  async loadOccupants(jid, { more = false, limit = 100 } = {}) {
    const cursor = more ? this.store.occupants.get(jid)?.next : undefined;
    if (!cursor) this.store.beginOccupants(jid);
    const page = await this.occupants(jid, { limit, ...(cursor && { cursor }) });
    this.store.mergeOccupants(jid, page, !cursor);
    return page.next !== null;
  }

  // Blocking.

  /** Reads whom the account blocks into the store (store.blocked); from then on it is kept up to date. Fails with
   * 501 where nobody can be blocked. */
  loadBlocked() {
    return (this.#blocked ??= this.#readBlocked().finally(() => (this.#blocked = null)));
  }

  async #readBlocked() {
    do this.store.beginBlocked();
    while (!this.store.replaceBlocked(await this.listBlocked()) && !this.#ending);
  }

  // Conversations.

  /** Reads the next page of the list of conversations into the store (store.list), the first one
   * first; from then on it is kept up to date. Resolves with whether there are more. A gateway
   * without the list has none: store.list has what was seen here. @param {number} [limit] */
  async loadConversations(limit) {
    return this.#list.load(limit);
  }

  /** Whether the list of conversations goes on. */
  get moreConversations() {
    return this.#list.more;
  }

  /** Marks a conversation as read up to a message, the newest one if none is named. The store has
   * it at once, the gateway as soon as it can be reached. @param {JID} jid
   * @param {{ ref?: string, receipts?: boolean }} [o] receipts: false does not tell the other side */
  async markRead(jid, o = {}) {
    return this.#list.read(jid, o);
  }

  /** Changes settings of a conversation. @param {JID} jid @param {ConversationPatch} change */
  async updateConversation(jid, change) {
    return this.#list.patch(jid, change);
  }

  /** Keeps a message that was begun, on every device; "" removes it. @param {JID} jid @param {string} text */
  saveDraft(jid, text) {
    this.#list.draft(jid, text);
  }

  /** Without a stream each message that is written is a reason to try. */
  #openWithoutStream() {
    if (this.#source) return;
    this.#outbox.gate('open');
    this.#outbox.lead(true);
    this.#outbox.resume();
  }

  #newOutbox() {
    const { storage = defaultStorage(this.#shared), backoff } = this.#options;
    return new Outbox(
      {
        deliver: (e, signal) => deliver(this, e, signal),
        added: (e) => this.#sender.show(e),
        completed: (e, outcome) => this.#sender.completed(e, outcome),
        dropped: (e) => this.#sender.dropped(e),
        announce: (a) => this.#source instanceof Tabs && this.#source.announce(a),
        changed: () => this.#reportOutbox(),
      },
      { storage, backoff, origin: this.url.origin },
    );
  }

  /** Calls the listeners of "outbox" when there is something new for them. */
  #reportOutbox() {
    if (!this.#listeners.has('outbox')) return;
    const state = this.#outbox.state;
    const text = `${state.pending} ${state.failed} ${state.waits}`;
    if (text !== this.#outboxReported) this.#listeners.emit('outbox', state);
    this.#outboxReported = text;
  }
}
