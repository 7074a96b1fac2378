// What is known of an account, made of the frames of the event stream and of pages of the archive.

import { Blocked } from './blocked.js';
import { Conversations } from './conversations.js';
import { JIDMap, bare, renewed } from './jids.js';
import { Occupants } from './occupants.js';
import { conversationOf, readPage } from './pages.js';
import { reuse } from './reuse.js';
import { Rooms, isShown } from './rooms.js';
import { TypingEnds, withWriter, withoutWriter } from './typing.js';

/** @import { ArchivePage, BlockList, Buddy, Change, ChatState, Conversation, ConversationData, ConversationRead } from '../types.d.ts' */
/** @import { Content, Events, Frame, Invitation, JID, MessagePage, OccupantPage, OwnChange, Presence } from '../types.d.ts' */
/** @import { Occupants as KnownOccupants, Room, RoomInvitation, SavedState, SessionInfo, StoreSnapshot, StoredMessage } from '../types.d.ts' */
/** @typedef {Partial<Content> & { id: string, body: string, thread?: string }} NewMessage */
/** @typedef {{ buddies: Buddy[], invitations: Invitation[], rooms: Room[] }} Snapshots */

/** Most invitations to rooms that are kept: anybody can send them. */
const maxRoomInvitations = 100;

/** What is known of an account. It changes by events alone, so that a reconnect, a reset
 * and a first connect are one path; read it and never write to it. What it gives, maps and lists too, is never
 * changed: the next state is another object, and what has not changed in it stays the same one. */
export class Store {
  /** @type {SessionInfo | null} */ session = null;
  /** What the gateway has beside its first version. @type {string[]} */ features = [];
  /** @type {JIDMap<Buddy>} */ #buddies = new JIDMap();
  /** @type {JIDMap<Presence>} */ #presence = new JIDMap();
  /** @type {JIDMap<Invitation>} */ #invitations = new JIDMap();
  /** @type {JIDMap<RoomInvitation>} */ #roomInvitations = new JIDMap();
  /** What getSnapshot gave. @type {StoreSnapshot | undefined} */ #snapshot;
  /** Whether it is that of now. */ #current = false;
  /** Whether a snapshot was complete once. */
  ready = false;

  /** @type {Set<(change: Change) => void>} */ #subscribers = new Set();
  /** Snapshots of a reset, until live says that they are complete. @type {Snapshots | null} */ #reset = null;
  /** @type {Presence[]} */ #presenceSnapshot = [];
  #rooms = new Rooms((jid, now, before) => this.#roomChanged(jid, now, before));
  #blocked = new Blocked(() => this.#changed({ what: 'blocked' }));
  #occupants = new Occupants((jid) => this.#changed({ what: 'occupants', jid }));
  #conversations = new Conversations(
    (change) => this.#changed(change),
    () => this.session?.jid ?? '',
    (jid) => this.#rooms.map.get(jid)?.nick,
  );
  #typingEnds = new TypingEnds((jid, nick) => this.#setChatState(jid, null, nick));
  /** Position of the last durable event. */ #position = '';
  /** How far the gateway's clock is ahead of the local one, in milliseconds. */ #clockOffset = 0;

  /** @returns {ReadonlyMap<JID, Buddy>} */
  get buddies() {
    return this.#buddies.snapshot();
  }

  /** @returns {ReadonlyMap<JID, Presence>} */
  get presence() {
    return this.#presence.snapshot();
  }

  /** @returns {ReadonlyMap<JID, Invitation>} */
  get invitations() {
    return this.#invitations.snapshot();
  }

  /** The last invitations to rooms, by the room. @returns {ReadonlyMap<JID, RoomInvitation>} */
  get roomInvitations() {
    return this.#roomInvitations.snapshot();
  }

  /** Conversations by the address of the other side. @returns {ReadonlyMap<JID, Conversation>} */
  get conversations() {
    return this.#conversations.map.snapshot();
  }

  /** The rooms that the account is in, has in its bookmarks, is invited to, or was in. A room that has not
   * changed, and each part of one, is the same object. @returns {ReadonlyMap<JID, Room>} */
  get rooms() {
    return this.#rooms.map.snapshot();
  }

  /** Who is in the rooms that Perch.loadOccupants was called for. @returns {ReadonlyMap<JID, KnownOccupants>} */
  get occupants() {
    return this.#occupants.map.snapshot();
  }

  /** Whom the account blocks; null until Perch.loadBlocked has read it, and where nobody can be blocked. */
  get blocked() {
    return this.#blocked.view;
  }

  /** The entry of the block list by which an address is blocked: itself, its account, or its domain.
   * @param {JID} jid @returns {JID | undefined} */
  blockedBy(jid) {
    return this.#blocked.by(jid);
  }

  /** Conversations with pinned ones first, then by activity: the same array until one changes. @returns {Conversation[]} */
  get list() {
    return this.#conversations.list;
  }

  /** Calls f after each change. The result ends it. It may be called unbound, as getSnapshot may.
   * @param {(change: Change) => void} f */
  subscribe = (f) => {
    /** One more for each call: a function may subscribe twice. @param {Change} change */
    const subscriber = (change) => f(change);
    this.#subscribers.add(subscriber);
    return () => void this.#subscribers.delete(subscriber);
  };

  /** All of it at one moment: the same object until something has changed. @returns {StoreSnapshot} */
  getSnapshot = () => {
    const before = this.#snapshot;
    if (before && this.#current) return before;
    this.#current = true;
    const now = this.#taken();
    const same = before && Object.entries(now).every(([part, value]) => before[/** @type {keyof StoreSnapshot} */ (part)] === value);
    return same ? before : (this.#snapshot = now);
  };

  /** @returns {StoreSnapshot} */
  #taken() {
    const { session, features, ready, buddies, presence, invitations, roomInvitations, rooms, occupants, conversations, list, blocked } =
      this;
    return { session, features, ready, buddies, presence, invitations, roomInvitations, rooms, occupants, conversations, list, blocked };
  }

  /** @param {Change[]} changes that were made together: a subscriber sees all of them or none */
  #changed(...changes) {
    this.#current = false;
    for (const change of changes) for (const f of this.#subscribers) f(change);
  }

  // Frames.

  /** Applies one frame. @param {Frame} f @returns {void} */
  apply(f) {
    if (f.type === 'hello' || f.type === 'heartbeat') this.#clockOffset = Date.parse(f.time) - Date.now() || 0;
    if (f.id) this.#position = f.id;
    switch (f.type) {
      case 'hello':
        return this.#hello(f.data);
      case 'roster.snapshot':
        return void this.#reset?.buddies.push(...f.data.items);
      case 'invitations.snapshot':
        return void this.#reset?.invitations.push(...f.data.items);
      case 'rooms.snapshot':
        return void this.#reset?.rooms.push(...f.data.items);
      case 'presence.snapshot':
        this.#presenceSnapshot.push(...f.data.items);
        return f.data.last && !this.#reset ? this.#replacePresence() : undefined;
      case 'live':
        return this.#reset ? this.#completeReset(this.#reset) : undefined;
      case 'session.state':
        return this.#stateChanged(f.data, f.time);
      case 'session.gap':
        return this.#missed(f.data.room);
      case 'blocked.changed':
        return this.#blocked.apply(f.data);
      case 'vcard.changed':
        return this.#changed({ what: 'vcard', jid: f.data.jid });
      default:
        return this.#applyMessage(f);
    }
  }

  /** The frames about messages and what refers to them. @param {Frame} f */
  #applyMessage(f) {
    const all = this.#conversations;
    const stamp = { at: f.time, ...(f.id && { position: f.id }) };
    switch (f.type) {
      case 'message.received':
        this.#typingEnds.cancel(conversationOf(f.data, 'in'), f.data.room?.nick);
        return all.message('in', f.id ?? '', f.time, f.data);
      case 'message.sent':
        return all.message('out', f.id ?? '', f.time, f.data);
      case 'message.status':
        return this.#statusChanged(f.data, f.time);
      case 'message.edited':
        return all.edited(f.data, stamp);
      case 'message.retracted':
        return all.retracted(f.data, stamp);
      case 'message.reactions':
        return all.reacted(f.data, stamp);
      case 'message.read':
        return all.peerRead(f.data);
      case 'conversation.read':
        return all.readTo(f.data, f.id ?? this.#position);
      case 'conversation.changed':
        all.entryChanged(f.data, this.#position);
        return this.#leftOut(f.data);
      case 'chat_state':
        if (f.data.room) return this.#setChatState(f.data.room, f.data.state, f.data.nick);
        return this.#setChatState(all.addressed(f.data.from), f.data.state);
      default:
        return this.#applyContact(f);
    }
  }

  /** @param {Events['message.status']} d @param {string} at time of the event */
  #statusChanged({ id, status, error, time, ref }, at) {
    this.setStatus(id, status, { error: error?.text || error?.condition, time: time ?? at, ref });
  }

  /** The frames about buddies, their presence, and invitations. @param {Frame} f */
  #applyContact(f) {
    switch (f.type) {
      case 'roster.item':
        if (!this.#presence.has(f.data.jid)) this.#presence.set(f.data.jid, absent(f.data.jid));
        return this.#put('buddies', this.#buddies, f.data);
      case 'roster.removed':
        this.#buddies.delete(f.data.jid);
        this.#presence.delete(f.data.jid);
        return this.#changed({ what: 'buddies', jid: f.data.jid });
      case 'presence':
        if (!f.data.available && this.#conversations.map.get(f.data.jid)?.typing) this.#setChatState(f.data.jid, 'gone');
        return this.#put('presence', this.#presence, f.data);
      case 'invitation.received':
        return this.#put('invitations', this.#invitations, f.data);
      case 'invitation.accepted':
      case 'invitation.declined':
      case 'invitation.cancelled':
        this.#invitations.delete(f.data.jid);
        return this.#changed({ what: 'invitations', jid: f.data.jid });
      default:
        return this.#applyRoom(f);
    }
  }

  /** @template {{ jid: JID }} T @param {'buddies' | 'presence' | 'invitations'} what @param {JIDMap<T>} map @param {T} value */
  #put(what, map, value) {
    const { jid } = value;
    const known = map.get(jid);
    const now = reuse(known, value);
    map.set(jid, now);
    if (now !== known) this.#changed({ what, jid });
  }

  /** The frames about rooms. @param {Frame} f */
  #applyRoom(f) {
    switch (f.type) {
      case 'room.state':
      case 'room.changed':
        return this.#rooms.put(f.data);
      case 'room.affiliation':
        this.#rooms.affiliation(f.data);
        return this.#occupants.affiliation(f.data);
      case 'room.forgotten':
        return this.#rooms.forgotten(f.data.jid);
      case 'room.occupants':
        return this.#rooms.count(f.data);
      case 'room.occupant':
        return this.#occupants.apply(f.data, f.time);
      case 'room.invited':
        this.#invited(f.data);
        return this.#rooms.invited(f.data);
    }
  }

  /** @param {RoomInvitation} invitation */
  #invited(invitation) {
    this.#roomInvitations.delete(invitation.jid); // one that is repeated is a new one
    this.#roomInvitations.set(invitation.jid, invitation);
    for (const jid of [...this.#roomInvitations.keys()].slice(0, -maxRoomInvitations)) {
      this.#roomInvitations.delete(jid);
      this.#rooms.uninvite(jid);
      this.#conversations.drop(jid);
    }
    this.#changed({ what: 'invitations', jid: invitation.jid });
  }

  /** An invitation was declined, or its room joined. @param {JID} jid */
  endInvitation(jid) {
    if (this.#roomInvitations.delete(jid)) this.#changed({ what: 'invitations', jid });
  }

  /** @param {JID} jid @param {Room | undefined} now @param {Room | undefined} before */
  #roomChanged(jid, now, before) {
    if (now?.invited) {
      if (now.invited !== before?.invited) this.#invited(now.invited);
    } else this.endInvitation(jid);
    if (now?.state !== 'joined') this.#occupants.forget(jid);
    this.#conversations.ofRoom(jid, now?.name ?? '', isShown(now));
    if (now && now.nick !== before?.nick) this.#conversations.renamed(jid);
    if (now?.missed && now.missed !== before?.missed) this.#missed(jid);
    this.#changed({ what: 'rooms', jid });
  }

  /** Of a room whose messages are no events, not all of them at least, the list says that there are some.
   * @param {ConversationData} d */
  #leftOut({ jid, last_activity_at: at }) {
    const room = this.#rooms.map.get(jid);
    const newest = this.#conversations.map.get(jid)?.messages.at(-1);
    if (!room || !newest || !at || (room.delivery === 'all' && !room.limited)) return;
    if (Date.parse(at) > Date.parse(newest.time)) this.#missed(jid);
  }

  /** Messages may be missing, of one room or of all that the account's own archive has. @param {JID} [room] */
  #missed(room) {
    if (room) return this.#conversations.edit(room, (c) => (c.gap ? false : void (c.gap = true)));
    this.#conversations.editAll((c) => (c.type === 'room' || c.gap ? c : { ...c, gap: true }));
  }

  /** @param {Events['hello']} hello */
  #hello(hello) {
    this.session = reuse(this.session, hello.session);
    this.features = reuse(this.features, hello.features ?? []);
    this.#typingEnds.clear();
    // Chat states are not replayed: they may have ended.
    if ([...this.#conversations.map.values()].some((c) => c.typing))
      this.#conversations.editAll((c) => (c.typing ? { ...c, typing: null, writing: [] } : c));
    this.#occupants.missed();
    if (!hello.resumed) this.#blocked.missed();
    this.#reset = hello.resumed ? null : { buddies: [], invitations: [], rooms: [] };
    this.#presenceSnapshot = [];
    this.#changed({ what: 'session' });
  }

  /** Applies the snapshots of a reset as a whole: no subscriber sees a part of them. @param {Snapshots} snapshots */
  #completeReset(snapshots) {
    this.#buddies = renewed(this.#buddies, snapshots.buddies);
    this.#invitations = renewed(this.#invitations, snapshots.invitations);
    this.#reset = null;
    if (this.ready) this.#conversations.newLog();
    this.ready = true;
    this.#presence = renewed(this.#presence, this.#presenceSnapshot);
    this.#presenceSnapshot = [];
    this.#rooms.replace(snapshots.rooms);
    this.#changed({ what: 'buddies' }, { what: 'invitations' }, { what: 'conversations' }, { what: 'presence' });
  }

  #replacePresence() {
    this.#presence = renewed(this.#presence, this.#presenceSnapshot);
    this.#presenceSnapshot = [];
    this.#changed({ what: 'presence' });
  }

  /** @param {Events['session.state']} s @param {string} time */
  #stateChanged(s, time) {
    if (this.session) this.session = { ...this.session, state: s.state, reason: s.reason, retry_at: s.retry_at, since: time };
    // Presence is stale exactly while the session is not online; there is no event for it.
    const stale = s.state !== 'online';
    for (const [jid, p] of [...this.#presence]) if (p.stale !== stale) this.#presence.set(jid, { ...p, stale });
    this.#changed({ what: 'session' }, { what: 'presence' });
  }

  /** @param {JID} jid of the conversation @param {ChatState | null} state @param {string} [nick] in a room */
  #setChatState(jid, state, nick) {
    if (jid === bare(jid) && nick === undefined && this.#conversations.map.get(jid)?.type === 'room') return; // nobody is named
    if (state === 'composing') this.#typingEnds.expect(jid, nick);
    else this.#typingEnds.cancel(jid, nick);
    const writes = state === 'composing' || (state && nick === undefined);
    this.#conversations.edit(jid, (c) => {
      const next = writes ? withWriter(c, state, nick) : withoutWriter(c, nick);
      if (next.typing === c.typing && next.writing.length === c.writing.length) return false;
      Object.assign(c, next);
    });
  }

  // Messages.

  /** The conversation with an account, made when there was none. @param {JID} jid @returns {Conversation} */
  conversation(jid) {
    return this.#conversations.get(jid);
  }

  /** The conversation that what is sent to an address stands in. @param {JID} to */
  addressed(to) {
    return this.#conversations.addressed(to);
  }

  /** Adds a message that was written here, unless it is there.
   * @param {JID} jid @param {NewMessage} m @param {number} [at] when, in milliseconds by the local clock */
  addPending(jid, m, at = Date.now()) {
    const known = this.#conversations.map.get(jid)?.messages.find((x) => x.local && x.id === m.id);
    const key = known?.key ?? this.#conversations.newKey();
    return this.#conversations.addLocal(jid, { ...m, key, direction: 'out', time: this.gatewayTime(at), status: 'pending', local: true });
  }

  /** A local time as the gateway's clock has it. @param {number} [at] in milliseconds */
  gatewayTime(at = Date.now()) {
    return new Date(at + this.#clockOffset).toISOString();
  }

  /** A message that has failed is pending again, at the end. @param {JID} jid @param {string} id @param {string} next its id from now on */
  sendAgain(jid, id, next) {
    this.#conversations.sendAgain(jid, id, { id: next, status: 'pending', local: true, time: this.gatewayTime() });
  }

  /** Removes a message that was never sent. Reports whether it was there. @param {JID} jid @param {string} id */
  remove(jid, id) {
    return this.#conversations.remove(jid, id);
  }

  /** What waits to be sent, with its recipient. @returns {[JID, StoredMessage][]} */
  pending() {
    return [...this.#conversations.map.values()].flatMap((c) =>
      c.messages.filter((m) => m.status === 'pending').map((m) => /** @type {[JID, StoredMessage]} */ ([c.jid, m])),
    );
  }

  /** A status never goes back: the answer of a request may come after an event that is newer.
   * @param {string} id @param {StoredMessage['status']} status
   * @param {{ error?: string, time?: string, ref?: string }} [more] time: when the service had it; ref: its handle, once it has one
   * @returns {void} */
  setStatus(id, status, more) {
    this.#conversations.setStatus(id, status, more);
  }

  /** Shows an edit, a retraction or reactions of the account before any event does, unless it
   * is there. @param {JID} jid @param {OwnChange} change */
  addChange(jid, change) {
    this.#conversations.addChange(jid, change);
  }

  /** What became of an own change; "gone" forgets it. Reports whether it was there.
   * @param {string} id @param {OwnChange['state'] | 'gone'} state @param {string} [error] */
  moveChange(id, state, error) {
    return this.#conversations.moveChange(id, state, error);
  }

  /** Own changes that wait to be sent, with their conversation. @returns {[JID, OwnChange][]} */
  pendingChanges() {
    return [...this.#conversations.map.values()].flatMap((c) =>
      c.state.changes.filter((x) => x.state === 'pending').map((x) => /** @type {[JID, OwnChange]} */ ([c.jid, x])),
    );
  }

  // Rooms.

  /** The account forgets a room. @param {JID} jid */
  forgetRoom(jid) {
    this.#rooms.forget(jid);
  }

  /** The first page of the occupants of a room is about to be asked for. @param {JID} jid */
  beginOccupants(jid) {
    this.#occupants.begin(jid);
  }

  /** @param {JID} jid @param {OccupantPage} page @param {boolean} first */
  mergeOccupants(jid, page, first) {
    this.#occupants.add(jid, page, first);
    this.#rooms.count({ jid, count: page.count, complete: page.complete });
  }

  // The block list.

  /** The block list is about to be asked for, which is done once at a time. */
  beginBlocked() {
    this.#blocked.begin();
  }

  /** Takes the answer. Reports false when it is to be asked for again, as changes were missed meanwhile. @param {BlockList} list */
  replaceBlocked(list) {
    return this.#blocked.replace(list);
  }

  // The list of conversations.

  /** Counts the entries of the list that came as events; merging an answer takes it as it was
   * when the request was made. */
  get sequence() {
    return this.#conversations.sequence;
  }

  /** Merges entries of the list that a request has brought. @param {ConversationData[]} items @param {number} [since] sequence at the request */
  mergeList(items, since) {
    this.#conversations.entries(items, since);
  }

  /** The account has read a conversation, as a request says or is about to say. @param {ConversationRead} read */
  setRead(read) {
    this.#conversations.readTo(read);
  }

  /** @param {JID} jid @param {string | null} draft @param {boolean} [saved] whether the gateway has it */
  setDraft(jid, draft, saved = false) {
    this.#conversations.edit(jid, (c) => {
      if (c.draft === draft && c.state.unsaved === !saved) return false;
      c.draft = draft;
      c.state = { ...c.state, unsaved: !saved };
    });
  }

  // The archive.

  /** Merges a page of the archive: what was seen as an event is not shown twice. Returns how
   * many messages were new.
   * @param {JID} jid @param {ArchivePage | MessagePage} page @param {boolean} older whether the next older page follows this one
   * @param {string} [upTo] the time until which the page has all that the archive had: that of the
   *   request, or of the first entry of the page behind it */
  merge(jid, page, older, upTo) {
    return this.#conversations.merge(jid, readPage(page, this.session?.jid ?? '', upTo), older);
  }

  /** Conversations where messages may be missing. @returns {Conversation[]} */
  holes() {
    return [...this.#conversations.map.values()].filter((c) => c.gap && c.messages.length);
  }

  /** @param {JID} jid @param {boolean} whole */
  filled(jid, whole) {
    this.#conversations.edit(jid, (c) => void (c.gap = !whole));
  }

  /** There is no archive with anything older. @param {JID} jid */
  ended(jid) {
    this.#conversations.edit(jid, (c) => (c.complete ? false : void (c.complete = true)));
  }

  // Saving.

  /** @returns {SavedState} */
  toJSON() {
    return {
      version: 1,
      cursor: '',
      session: this.session,
      features: this.features,
      buddies: [...this.#buddies.values()],
      presence: [...this.#presence.values()],
      invitations: [...this.#invitations.values()],
      roomInvitations: [...this.#roomInvitations.values()],
      rooms: [...this.rooms.values()],
      ...(this.blocked && { blocked: this.blocked }),
      conversations: [...this.#conversations.map.values()].map((c) => ({ ...c, typing: null, writing: [] })),
    };
  }

  /** Replaces everything by what toJSON gave. @param {SavedState} state */
  load(state) {
    this.session = state.session;
    this.features = state.features ?? [];
    this.#buddies = JIDMap.of(state.buddies, (b) => b.jid);
    this.#presence = JIDMap.of(state.presence, (p) => p.jid);
    this.#invitations = JIDMap.of(state.invitations, (i) => i.jid);
    this.#roomInvitations = JIDMap.of(state.roomInvitations ?? [], (i) => i.jid);
    this.#position = state.cursor;
    this.#blocked.load(state.blocked ?? null);
    this.#rooms.load(state.rooms ?? []);
    this.#conversations.load(state.conversations);
    this.ready = true;
    /** @type {Change['what'][]} */ const all = ['session', 'buddies', 'presence', 'invitations', 'blocked', 'rooms', 'conversations'];
    this.#changed(...all.map((what) => /** @type {Change} */ ({ what })));
  }
}

/** The presence of a buddy of which nothing has arrived, as a snapshot has it. @param {JID} jid @returns {Presence} */
const absent = (jid) => ({
  jid,
  available: false,
  show: null,
  status: '',
  priority: 0,
  resources: [],
  updated_at: null,
  stale: false,
});
