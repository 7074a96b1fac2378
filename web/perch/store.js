// What is known of an account, made of the frames of the event stream and of pages of the archive.

import { findDuplicateOfEvent, findDuplicateOfItem, insert } from './duplicates.js';
import { JIDMap, bare } from './jids.js';

/** @import { ArchiveItem, ArchivePage, Buddy, Change, ChatState, Conversation, Events, Frame } from '../types.d.ts' */
/** @import { Invitation, JID, MessageData, Presence, SavedState, SessionInfo, StoredMessage } from '../types.d.ts' */
/** @typedef {{ id: string, body: string, thread?: string, subject?: string }} NewMessage */
/** @typedef {{ buddies: Buddy[], invitations: Invitation[] }} Snapshots */

/** The order of the statuses of a message that was accepted. A status never goes back. */
const statusOrder = ['pending', 'accepted', 'sent', 'acked', 'delivered', 'displayed'];

/** What is known of an account. It changes by events alone, so that a reconnect, a reset
 * and a first connect are one path; read it and never write to it. */
export class Store {
  /** @type {SessionInfo | null} */ session = null;
  /** @type {Map<JID, Buddy>} */ buddies = new JIDMap();
  /** @type {Map<JID, Presence>} */ presence = new JIDMap();
  /** @type {Map<JID, Invitation>} */ invitations = new JIDMap();
  /** @type {Map<JID, Conversation>} */ conversations = new JIDMap();
  /** Whether a snapshot was complete once. */
  ready = false;

  /** @type {Set<(change: Change) => void>} */ #subscribers = new Set();
  /** Snapshots of a reset, until live says that they are complete. @type {Snapshots | null} */ #reset = null;
  /** @type {Presence[]} */ #presenceSnapshot = [];
  #lastKey = 0;
  /** How far the gateway's clock is ahead of the local one, in milliseconds. */ #clockOffset = 0;

  /** Calls f after each change. The result ends it. @param {(change: Change) => void} f */
  subscribe(f) {
    this.#subscribers.add(f);
    return () => void this.#subscribers.delete(f);
  }

  /** @param {Change} change */
  #changed(change) {
    for (const f of this.#subscribers) f(change);
  }

  // Frames.

  /** Applies one frame. @param {Frame} f @returns {void} */
  apply(f) {
    if (f.type === 'hello' || f.type === 'heartbeat') this.#clockOffset = Date.parse(f.time) - Date.now() || 0;
    switch (f.type) {
      case 'hello':
        return this.#hello(f.data);
      case 'roster.snapshot':
        return void this.#reset?.buddies.push(...f.data.items);
      case 'invitations.snapshot':
        return void this.#reset?.invitations.push(...f.data.items);
      case 'presence.snapshot':
        this.#presenceSnapshot.push(...f.data.items);
        return f.data.last && !this.#reset ? this.#replacePresence() : undefined;
      case 'live':
        return this.#reset ? this.#completeReset(this.#reset) : undefined;
      case 'session.state':
        return this.#stateChanged(f.data, f.time);
      case 'session.gap':
        return this.#markGaps();
      case 'vcard.changed':
        return this.#changed({ what: 'vcard', jid: f.data.jid });
      case 'chat_state':
        return this.#setChatState(bare(f.data.from), f.data.state);
      case 'message.received':
      case 'message.sent':
        return this.#message(f.type === 'message.sent' ? 'out' : 'in', f.id ?? '', f.time, f.data);
      case 'message.status':
        return this.setStatus(f.data.id, f.data.status, f.data.error?.text || f.data.error?.condition, f.data.time ?? f.time);
      default:
        return this.#applyContact(f);
    }
  }

  /** The frames about buddies, their presence, and invitations. @param {Frame} f */
  #applyContact(f) {
    switch (f.type) {
      case 'roster.item':
        this.buddies.set(f.data.jid, f.data);
        if (!this.presence.has(f.data.jid)) this.presence.set(f.data.jid, absent(f.data.jid));
        return this.#changed({ what: 'buddies', jid: f.data.jid });
      case 'roster.removed':
        this.buddies.delete(f.data.jid);
        this.presence.delete(f.data.jid);
        return this.#changed({ what: 'buddies', jid: f.data.jid });
      case 'presence':
        this.presence.set(f.data.jid, f.data);
        if (!f.data.available && this.conversations.get(f.data.jid)?.typing) this.#setChatState(f.data.jid, 'gone');
        return this.#changed({ what: 'presence', jid: f.data.jid });
      case 'invitation.received':
        this.invitations.set(f.data.jid, f.data);
        return this.#changed({ what: 'invitations', jid: f.data.jid });
      case 'invitation.accepted':
      case 'invitation.declined':
      case 'invitation.cancelled':
        this.invitations.delete(f.data.jid);
        return this.#changed({ what: 'invitations', jid: f.data.jid });
    }
  }

  /** @param {Events['hello']} hello */
  #hello(hello) {
    this.session = hello.session;
    for (const c of this.conversations.values()) c.typing = null; // chat states are not replayed: it may have ended
    this.#reset = hello.resumed ? null : { buddies: [], invitations: [] };
    this.#presenceSnapshot = [];
    this.#changed({ what: 'session' });
  }

  /** Applies the snapshots of a reset as a whole: no subscriber sees a part of them. @param {Snapshots} snapshots */
  #completeReset(snapshots) {
    this.buddies = JIDMap.of(snapshots.buddies, (b) => b.jid);
    this.invitations = JIDMap.of(snapshots.invitations, (i) => i.jid);
    this.#reset = null;
    if (this.ready) for (const c of this.conversations.values()) c.gap = true;
    this.ready = true;
    this.#changed({ what: 'buddies' });
    this.#changed({ what: 'invitations' });
    this.#changed({ what: 'conversations' });
    this.#replacePresence();
  }

  #replacePresence() {
    this.presence = JIDMap.of(this.#presenceSnapshot, (p) => p.jid);
    this.#presenceSnapshot = [];
    this.#changed({ what: 'presence' });
  }

  /** @param {Events['session.state']} s @param {string} time */
  #stateChanged(s, time) {
    if (this.session) this.session = { ...this.session, state: s.state, reason: s.reason, retry_at: s.retry_at, since: time };
    // Presence is stale exactly while the session is not online; there is no event for it.
    const stale = s.state !== 'online';
    for (const [jid, p] of this.presence) if (p.stale !== stale) this.presence.set(jid, { ...p, stale });
    this.#changed({ what: 'session' });
    this.#changed({ what: 'presence' });
  }

  #markGaps() {
    for (const c of this.conversations.values()) c.gap = true;
    this.#changed({ what: 'conversations' });
  }

  /** @param {JID} jid @param {ChatState} state */
  #setChatState(jid, state) {
    this.conversation(jid).typing = state;
    this.#changed({ what: 'conversations', jid });
  }

  // Messages.

  /** The conversation with an account, made when there was none. @param {JID} jid @returns {Conversation} */
  conversation(jid) {
    let c = this.conversations.get(jid);
    if (!c) {
      c = { jid, messages: [], typing: null, gap: false, complete: false, prev: null };
      this.conversations.set(jid, c);
    }
    return c;
  }

  /** @param {'in' | 'out'} direction @param {string} event @param {string} time @param {MessageData} d */
  #message(direction, event, time, d) {
    const jid = bare(direction === 'out' ? d.to : d.from);
    const c = this.conversation(jid);
    const at = d.delay?.stamp ?? time;
    if (direction === 'out') this.#moveLocal(d.id, c);
    let m = findDuplicateOfEvent(c.messages, direction, d, event, at);
    if (m?.event) return; // a copy of one that is shown
    if (m) c.messages.splice(c.messages.indexOf(m), 1);
    else m = { key: this.#newKey(), id: d.id, direction, body: d.body, time: at };
    Object.assign(m, { id: d.id, body: d.body, event, time: at }, d.stanza_id && { archive: d.stanza_id });
    if (d.delay) m.delayed = true;
    if (d.subject) m.subject = d.subject;
    if (d.thread) m.thread = d.thread;
    if (direction === 'out' && (!m.status || m.status === 'pending' || m.status === 'failed')) {
      m.status = 'accepted';
      delete m.error;
    }
    if (direction === 'in') c.typing = null;
    insert(c.messages, m);
    this.#changed({ what: 'conversations', jid });
  }

  /** A message that was written here moves to the conversation that the gateway names, which
   * may be another spelling of the recipient. @param {string} id @param {Conversation} c */
  #moveLocal(id, c) {
    for (const other of this.conversations.values()) {
      const m = other === c ? undefined : other.messages.find((x) => x.local && x.id === id && !x.event);
      if (!m) continue;
      other.messages.splice(other.messages.indexOf(m), 1);
      insert(c.messages, m);
      this.#changed({ what: 'conversations', jid: other.jid });
    }
  }

  #newKey() {
    return `m${++this.#lastKey}`;
  }

  /** Adds a message that was written here, unless it is there.
   * @param {JID} jid @param {NewMessage} m @param {number} [at] when, in milliseconds by the local clock */
  addPending(jid, m, at = Date.now()) {
    const messages = this.conversation(jid).messages;
    const known = messages.find((x) => x.local && x.id === m.id);
    if (known) return known;
    /** @type {StoredMessage} */
    const stored = { ...m, key: this.#newKey(), direction: 'out', time: this.#gatewayTime(at), status: 'pending', local: true };
    insert(messages, stored);
    this.#changed({ what: 'conversations', jid });
    return stored;
  }

  /** A local time as the gateway's clock has it. @param {number} at in milliseconds */
  #gatewayTime(at) {
    return new Date(at + this.#clockOffset).toISOString();
  }

  /** A message that has failed is pending again, at the end. @param {JID} jid @param {string} id @param {string} next its id from now on */
  sendAgain(jid, id, next) {
    const c = this.conversation(jid);
    const i = c.messages.findIndex((x) => x.direction === 'out' && x.id === id && x.status === 'failed');
    const [m] = i < 0 ? [] : c.messages.splice(i, 1);
    if (!m) return;
    Object.assign(m, { id: next, status: 'pending', local: true, time: this.#gatewayTime(Date.now()) });
    for (const field of /** @type {const} */ (['error', 'event', 'archive', 'reached'])) delete m[field];
    insert(c.messages, m);
    this.#changed({ what: 'conversations', jid });
  }

  /** Removes a message that was never sent. Reports whether it was there. @param {JID} jid @param {string} id */
  remove(jid, id) {
    const messages = this.conversations.get(jid)?.messages ?? [];
    const i = messages.findIndex((x) => x.direction === 'out' && x.id === id && (x.status === 'pending' || x.status === 'failed'));
    if (i < 0) return false;
    messages.splice(i, 1);
    this.#changed({ what: 'conversations', jid });
    return true;
  }

  /** What waits to be sent, with its recipient. @returns {[JID, StoredMessage][]} */
  pending() {
    /** @type {[JID, StoredMessage][]} */ const found = [];
    for (const c of this.conversations.values()) {
      for (const m of c.messages) if (m.status === 'pending') found.push([c.jid, m]);
    }
    return found;
  }

  /** A status never goes back: the answer of a request may come after an event that is newer.
   * @param {string} id @param {StoredMessage['status']} status @param {string} [error]
   * @param {string} [time] when the service had it @returns {void} */
  setStatus(id, status, error, time) {
    for (const c of this.conversations.values()) {
      const m = c.messages.findLast((x) => x.direction === 'out' && x.id === id);
      if (!m) continue;
      if (!advance(m, status, error, time)) return;
      return this.#changed({ what: 'conversations', jid: c.jid });
    }
  }

  // The archive.

  /** Merges a page of the archive: what was seen as an event is not shown twice. Returns how
   * many messages were new.
   * @param {JID} jid @param {ArchivePage} page @param {boolean} older whether the next older page follows this one */
  merge(jid, page, older) {
    const c = this.conversation(jid);
    const added = page.items.filter((item) => this.#mergeItem(c, item)).length;
    if (older) {
      c.prev = page.prev;
      c.complete = page.complete || !page.prev;
    }
    this.#changed({ what: 'conversations', jid });
    return added;
  }

  /** Reports whether the item is a new message. @param {Conversation} c @param {ArchiveItem} item */
  #mergeItem(c, item) {
    const m = findDuplicateOfItem(c.messages, item);
    const unsent = m && (m.status === 'pending' || m.status === 'failed') && !m.event;
    if (m && !unsent) {
      m.archive = item.id;
      return false;
    }
    if (m) {
      // It was sent although its request has failed: it moves to its place in time.
      c.messages.splice(c.messages.indexOf(m), 1);
      Object.assign(m, { archive: item.id, time: item.time, status: 'acked' });
      delete m.error;
      insert(c.messages, m);
      return false;
    }
    const direction = item.direction === 'out' ? 'out' : 'in';
    insert(c.messages, { key: this.#newKey(), id: item.message_id ?? '', direction, body: item.body, time: item.time, archive: item.id });
    return true;
  }

  /** Conversations where messages may be missing. @returns {Conversation[]} */
  holes() {
    return [...this.conversations.values()].filter((c) => c.gap && c.messages.length);
  }

  /** @param {JID} jid @param {boolean} whole */
  filled(jid, whole) {
    this.conversation(jid).gap = !whole;
    this.#changed({ what: 'conversations', jid });
  }

  // Saving.

  /** @returns {SavedState} */
  toJSON() {
    return {
      version: 1,
      cursor: '',
      session: this.session,
      buddies: [...this.buddies.values()],
      presence: [...this.presence.values()],
      invitations: [...this.invitations.values()],
      conversations: [...this.conversations.values()].map((c) => ({ ...c, typing: null })),
    };
  }

  /** Replaces everything by what toJSON gave. @param {SavedState} state */
  load(state) {
    this.session = state.session;
    this.buddies = JIDMap.of(state.buddies, (b) => b.jid);
    this.presence = JIDMap.of(state.presence, (p) => p.jid);
    this.invitations = JIDMap.of(state.invitations, (i) => i.jid);
    this.conversations = JIDMap.of(structuredClone(state.conversations), (c) => c.jid);
    for (const c of this.conversations.values()) for (const m of c.messages) m.key = this.#newKey();
    this.ready = true;
    for (const what of /** @type {const} */ (['session', 'buddies', 'presence', 'invitations', 'conversations'])) this.#changed({ what });
  }
}

/** Sets the status of a message, unless its own is newer. Reports whether anything changed that is shown.
 * @param {StoredMessage} m @param {StoredMessage['status']} status @param {string} [error]
 * @param {string} [time] when the service had it */
function advance(m, status, error, time) {
  const [from, to] = [statusOrder.indexOf(m.status ?? ''), statusOrder.indexOf(status ?? '')];
  if (time && to >= statusOrder.indexOf('sent')) m.reached ??= time;
  if (to >= 0 && from > to) return false;
  if (m.status === status && m.error === error) return false;
  m.status = status;
  if (error) m.error = error;
  else delete m.error;
  return true;
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
