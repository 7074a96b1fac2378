// The conversations of an account: their messages, with everything that refers to them. Every
// change makes new objects, so that what a caller holds stays as it was.

import { confirmed, findChange, moved, withChanges } from './changes.js';
import { findDuplicateOfEvent, findDuplicateOfItem, insert } from './duplicates.js';
import { JIDMap, bare, sameAccount, sameAddress } from './jids.js';
import { demote, editOf, join, listOf, mergeOf, messageOf, reactionsOf, retractionOf, shownAs } from './merge.js';
import { archiveIDOf, conversationOf, directionOf, keysOf, kindOf } from './pages.js';
import { keep, reuseByKey } from './reuse.js';
import { named } from './room_rights.js';
import { advance } from './status.js';
import { applyEntry, applyRead, applySettings, belongs, blank, byActivity, countMessage, settle } from './summary.js';
import { withoutWriter } from './typing.js';

/** @import { Change, Conversation, ConversationData, ConversationRead, Events, JID, MessageData, OwnChange } from '../types.d.ts' */
/** @import { StoredMessage } from '../types.d.ts' */
/** @import { Merge } from './merge.js' */
/** @import { Item, Page } from './pages.js' */

/** Messages of which something is known although they are not here, for each conversation. */
const maxPending = 256;
/** Empty conversations that are remembered as they were given. */
const maxBlank = 100;

/** Conversations by the address of the other side. */
export class Conversations {
  /** @type {JIDMap<Conversation>} */ map = new JIDMap();
  /** Those that were asked for, and of which there is nothing to keep yet. @type {JIDMap<Conversation>} */ #blank = new JIDMap();
  /** Grows with each entry of the list that comes as an event. */ sequence = 1;

  #changed;
  #account;
  #nickIn;
  #lastKey = 0;
  /** @type {Conversation[]} */ #list = [];
  /** Whether the list is that of now. */ #listed = true;

  /** @param {(change: Change) => void} changed @param {() => JID} account names the account
   * @param {(room: JID) => string | undefined} [nickIn] its nick in a room */
  constructor(changed, account, nickIn = () => undefined) {
    this.#changed = changed;
    this.#account = account;
    this.#nickIn = nickIn;
  }

  /** Who the account is in a conversation: in a room another one than elsewhere. @param {JID} jid @returns {JID} */
  #own(jid) {
    const nick = this.#nickIn(jid);
    return nick ? `${jid}/${nick}` : this.#account();
  }

  /** The conversation that an address means: in a room that of one who is there, if there is one, else
   * that of the account or room. @param {JID} jid */
  addressed(jid) {
    const inRoom = this.#nickIn(bare(jid)) !== undefined || this.map.get(bare(jid))?.type === 'room';
    return inRoom || this.map.get(jid)?.type === 'private' ? jid : bare(jid);
  }

  /** The conversation with an account, an empty one when there is none. To read is to change nothing.
   * @param {JID} jid @returns {Conversation} */
  get(jid) {
    const known = this.map.get(jid) ?? this.#blank.get(jid);
    if (known) return known;
    if (this.#blank.size >= maxBlank) this.#blank.clear();
    const c = blank(jid);
    this.#blank.set(jid, c);
    return c;
  }

  /** All conversations in the order of the list: the same array until one of them changes. @returns {Conversation[]} */
  get list() {
    if (!this.#listed) {
      const list = [...this.map.values()].filter(belongs).sort(byActivity);
      const same = list.length === this.#list.length && list.every((c, i) => c === this.#list[i]);
      if (!same) this.#list = list;
      this.#listed = true;
    }
    return this.#list;
  }

  /** Changes a conversation: f is given a copy. What f returns false for is left as it was, and so is each
   * part of it that is equal to what it was.
   * @param {JID} jid @param {(c: Conversation) => boolean | void} f */
  edit(jid, f) {
    const old = this.get(jid);
    const c = { ...old, messages: [...old.messages] };
    if (f(c) === false) return;
    c.messages = reuseByKey(old.messages, c.messages);
    const now = withParts(old, settle(c, this.#own(old.jid)));
    if (now === old) return;
    this.#put(now);
    this.#changed({ what: 'conversations', jid: old.jid });
  }

  /** @param {Conversation} c */
  #put(c) {
    this.#blank.delete(c.jid);
    this.map.set(c.jid, c);
    this.#listed = false;
  }

  /** Changes all conversations with one notice. @param {(c: Conversation) => Conversation} f */
  editAll(f) {
    for (const c of [...this.map.values()]) this.#put(f(c));
    this.#changed({ what: 'conversations' });
  }

  /** @param {Conversation[]} conversations */
  load(conversations) {
    this.map = JIDMap.of(
      structuredClone(conversations).map((c) =>
        settle({ ...blank(c.jid), ...c, messages: c.messages.map((m) => ({ ...m, key: this.newKey() })) }, this.#own(c.jid)),
      ),
      (c) => c.jid,
    );
    this.#blank.clear();
    this.#listed = false;
  }

  newKey() {
    return `m${++this.#lastKey}`;
  }

  // Messages.

  /** @param {'in' | 'out'} direction @param {string} event @param {string} time @param {MessageData} d */
  message(direction, event, time, d) {
    const jid = conversationOf(d, direction);
    const at = d.delay?.stamp ?? time;
    if (direction === 'out') this.#moveLocal(d.id, jid);
    this.edit(jid, (c) => {
      const known = findDuplicateOfEvent(c.messages, direction, d, event, at);
      if (known?.event) return this.#nameAgain(c, known, d); // a copy of one that is shown
      if (known) c.messages.splice(c.messages.indexOf(known), 1);
      const { ref, thread, room } = d;
      const archive = archiveIDOf(d);
      if (c.type !== 'room') c.type = kindOf(d);
      /** @type {StoredMessage} */
      const m = {
        ...(known ?? { key: this.newKey(), direction, body: '' }),
        ...{ id: d.id, event, time: at },
        ...(ref && { ref }),
        ...(archive && { archive }),
        ...(thread && { thread }),
        ...(room && { room }),
        ...(d.delay && { delayed: true }),
      };
      if (direction === 'in') Object.assign(c, withoutWriter(c, room?.nick));
      else if (!m.status || m.status === 'pending' || m.status === 'failed') {
        m.status = 'accepted';
        delete m.error;
      }
      const { base: _, ...others } = known ? mergeOf(known) : {}; // the event has the text as the gateway has it
      const added = this.#withPending(c, m, join(others, messageOf(d, time)));
      insert(c.messages, added);
      if (direction === 'in') countMessage(c, added, named(added, this.#account(), this.#nickIn(jid)));
    });
  }

  /** A second event of one message may bring the handle that the first one had not.
   * @param {Conversation} c @param {StoredMessage} known @param {MessageData} d */
  #nameAgain(c, known, d) {
    if (known.ref || !d.ref) return false;
    c.messages[c.messages.indexOf(known)] = this.#withPending(c, { ...known, ref: d.ref }, mergeOf(known));
  }

  /** A message as it is shown, with all that was waiting for it.
   * @param {Conversation} c @param {StoredMessage} m @param {Merge} known */
  #withPending(c, m, known) {
    const pending = { ...c.state.pending };
    let merge = known;
    for (const key of keysOf(m)) {
      merge = join(merge, pending[key]);
      delete pending[key];
    }
    if (merge !== known) c.state = { ...c.state, pending };
    return this.#shown(c, m, merge);
  }

  /** @param {Conversation} c @param {StoredMessage} m @param {Merge} merge @returns {StoredMessage} */
  #shown(c, m, merge) {
    const own = this.#own(c.jid);
    return withChanges(shownAs(m, merge, own), c.state.changes, own);
  }

  /** The account has another nick in a room: what it has said there is what that nick has. @param {JID} jid */
  renamed(jid) {
    this.edit(jid, (c) => {
      const about = c.messages.some((m) => m.reactions || m.change);
      if (about) c.messages = c.messages.map((m) => (m.reactions || m.change ? this.#shown(c, m, mergeOf(m)) : m));
      return about;
    });
  }

  /** What the account has of a room says of its conversation. @param {JID} jid @param {string} name @param {boolean} shown whether a list has a place for it */
  ofRoom(jid, name, shown) {
    this.edit(jid, (c) => {
      if (c.type === 'room' && c.state.room === shown && (c.name === name || !name)) return false;
      c.type = 'room';
      c.name = name || c.name;
      c.state = { ...c.state, room: shown };
    });
  }

  /** A conversation that no list has a place for is not kept. @param {JID} jid */
  drop(jid) {
    const c = this.map.get(jid);
    if (c && !belongs(c)) this.map.delete(jid);
    this.#listed = false;
  }

  /** Shows again what an own change is about. @param {Conversation} c @param {string} ref */
  #refresh(c, ref) {
    const i = c.messages.findLastIndex((m) => m.ref === ref);
    const m = c.messages[i];
    if (m) c.messages[i] = this.#shown(c, m, mergeOf(m));
  }

  /** A message that was written here moves to the conversation that the gateway names, which
   * may be another spelling of the recipient. @param {string} id @param {JID} jid */
  #moveLocal(id, jid) {
    const to = this.map.get(jid);
    for (const other of [...this.map.values()]) {
      const m = other === to ? undefined : other.messages.find((x) => x.local && x.id === id && !x.event);
      if (!m) continue;
      this.edit(other.jid, (c) => void c.messages.splice(c.messages.indexOf(m), 1));
      this.edit(jid, (c) => insert(c.messages, m));
    }
  }

  // What refers to a message.

  /** Something is known about a message; it waits here until the message comes.
   * @param {Conversation} c @param {string[]} keys the last one is where it waits @param {Merge} statement */
  #learn(c, keys, statement) {
    const i = keys.reduce((found, key) => (found >= 0 ? found : c.messages.findLastIndex((m) => keysOf(m).includes(key))), -1);
    const m = c.messages[i];
    if (m) {
      c.messages[i] = this.#shown(c, m, join(mergeOf(m), statement));
      return;
    }
    const key = keys.at(-1) ?? '';
    const { [key]: known, ...others } = c.state.pending;
    const pending = { ...others, [key]: join(statement, known) };
    for (const old of Object.keys(pending).slice(0, -maxPending)) delete pending[old];
    c.state = { ...c.state, pending };
  }

  /** @param {JID} jid @param {string} ref @param {OwnChange['kind']} kind @param {Merge} statement @param {boolean} [own] whether it may confirm an own change */
  #relate(jid, ref, kind, statement, own = true) {
    this.edit(jid, (c) => {
      if (own) c.state = { ...c.state, changes: confirmed(c.state.changes, ref, kind) };
      this.#learn(c, [`ref:${ref}`], statement);
      if (own) this.#refresh(c, ref);
    });
  }

  /** @param {Events['message.edited']} d @param {import('./merge.js').Stamp} stamp */
  edited(d, stamp) {
    const { ref = '', edited } = d;
    let statement = editOf(d, { ...stamp, at: edited?.at ?? stamp.at }, edited?.count);
    if (d.reactions) statement = join(statement, listOf(d.reactions, stamp.at));
    this.#relate(conversationOf(d, directionOf(d, this.#account())), ref, 'edit', statement);
  }

  /** @param {Events['message.retracted']} d @param {import('./merge.js').Stamp} stamp */
  retracted(d, stamp) {
    this.#relate(d.conversation, d.ref, 'retraction', retractionOf(d, { ...stamp, at: d.at ?? stamp.at }));
  }

  /** @param {Events['message.reactions']} d @param {import('./merge.js').Stamp} stamp */
  reacted(d, stamp) {
    const by = this.#speaker(d);
    const statement = join(reactionsOf(by, d.emojis, stamp), listOf(d.reactions, stamp.at, by));
    this.#relate(d.conversation, d.ref, 'reactions', statement, sameAddress(by, this.#own(d.conversation)));
  }

  /** In whose name somebody reacts: one who is in a room, else an account, whatever device it was.
   * @param {Events['message.reactions']} d */
  #speaker({ conversation, from, reactions }) {
    const inRoom = (this.map.get(conversation)?.type ?? 'chat') !== 'chat' || reactions.some((r) => r.by.includes(from));
    return inRoom && !sameAccount(from, this.#account()) ? from : bare(from);
  }

  /** @param {Events['message.read']} d */
  peerRead({ conversation, ref }) {
    this.edit(conversation, (c) => {
      const m = c.messages.findLast((x) => x.ref === ref);
      const before = Date.parse(c.peer_read?.time ?? '');
      if (m && before > Date.parse(m.time)) return false;
      c.peer_read = { ref, time: m?.time ?? '' };
    });
  }

  // The list.

  /** @param {ConversationData} d @param {string} position of the last event before it */
  entryChanged(d, position) {
    const changed = ++this.sequence;
    this.edit(d.jid, (c) => {
      applyEntry(c, d, { position });
      applySettings(c, d);
      c.state.changed = changed;
    });
  }

  /** Entries that were asked for. @param {ConversationData[]} items @param {number} [since] sequence when they were */
  entries(items, since = Infinity) {
    for (const d of items) {
      const direction = d.last_message ? directionOf(d.last_message, this.#account()) : 'in';
      this.edit(d.jid, (c) => {
        applyEntry(c, d, { direction });
        if (c.state.changed <= since) applySettings(c, d);
      });
    }
  }

  /** @param {ConversationRead} d @param {string} [position] of its event */
  readTo(d, position) {
    this.edit(d.jid, (c) => applyRead(c, d, position));
  }

  // What is written here.

  /** @param {JID} jid @param {OwnChange} change */
  addChange(jid, change) {
    this.edit(jid, (c) => {
      if (findChange(c, change.id)) return false;
      c.state = { ...c.state, changes: [...c.state.changes, change] };
      this.#refresh(c, change.ref);
    });
  }

  /** @param {string} id @param {OwnChange['state'] | 'gone'} state @param {string} [error] Reports whether there is such a change. */
  moveChange(id, state, error) {
    for (const known of this.map.values()) {
      const change = findChange(known, id);
      if (!change) continue;
      this.edit(known.jid, (c) => {
        c.state = { ...c.state, changes: moved(c.state.changes, id, state, error) };
        this.#refresh(c, change.ref);
      });
      return true;
    }
    return false;
  }

  /** Adds a message that was written here, unless it is there. @param {JID} jid @param {StoredMessage} m */
  addLocal(jid, m) {
    const known = this.get(jid).messages.find((x) => x.local && x.id === m.id);
    if (known) return known;
    this.edit(jid, (c) => insert(c.messages, m));
    return m;
  }

  /** A message that has failed is pending again, at the end. @param {JID} jid @param {string} id @param {Partial<StoredMessage>} next */
  sendAgain(jid, id, next) {
    this.edit(jid, (c) => {
      const i = c.messages.findIndex((x) => x.direction === 'out' && x.id === id && x.status === 'failed');
      if (i < 0) return false;
      const [m] = c.messages.splice(i, 1);
      const { error: _e, event: _v, archive: _a, reached: _r, ref: _f, ...rest } = /** @type {StoredMessage} */ (m);
      insert(c.messages, { ...rest, ...next });
    });
  }

  /** Removes a message that was never sent. Reports whether it was there. @param {JID} jid @param {string} id */
  remove(jid, id) {
    const unsent = (/** @type {StoredMessage} */ x) =>
      x.direction === 'out' && x.id === id && (x.status === 'pending' || x.status === 'failed');
    if (!this.map.get(jid)?.messages.some(unsent)) return false;
    this.edit(jid, (c) => void c.messages.splice(c.messages.findIndex(unsent), 1));
    return true;
  }

  /** @param {string} id @param {StoredMessage['status']} status @param {{ error?: string, time?: string, ref?: string }} [more] */
  setStatus(id, status, { error, time, ref } = {}) {
    for (const { jid, messages } of this.map.values()) {
      const m = messages.findLast((x) => x.direction === 'out' && x.id === id);
      if (!m) continue;
      const next = advance(m, status, error, time);
      if (next === m && (m.ref || !ref)) return;
      return this.edit(jid, (c) => {
        const withRef = m.ref || !ref ? next : this.#withPending(c, { ...next, ref }, mergeOf(next));
        c.messages[c.messages.indexOf(m)] = withRef;
      });
    }
    if (status === 'failed') this.moveChange(id, 'failed', error);
  }

  // The archive.

  /** Merges a page: what was seen as an event is not shown twice. Returns how many messages were
   * new. @param {JID} jid @param {Page} page @param {boolean} older whether the next older page follows this one */
  merge(jid, page, older) {
    let added = 0;
    this.edit(jid, (c) => {
      added = page.items.filter((item) => this.#mergeItem(c, item)).length;
      for (const { keys, merge } of page.about) this.#learn(c, keys, merge);
      if (older) {
        c.prev = page.prev;
        c.complete = page.complete || !page.prev;
        c.state = { ...c.state, prevAt: page.first ?? c.state.prevAt };
      }
    });
    return added;
  }

  /** Reports whether the item is a new message. @param {Conversation} c @param {Item} item */
  #mergeItem(c, item) {
    const { archive, time, ref, id, direction, thread, room } = item;
    const known = findDuplicateOfItem(c.messages, item);
    const unsent = known && (known.status === 'pending' || known.status === 'failed') && !known.event;
    /** @type {StoredMessage} */
    const m = {
      ...(known ?? { key: this.newKey(), id, direction, body: '', time, ...(thread && { thread }) }),
      ...(archive && { archive }),
      ...(ref && { ref }),
      ...(room && { room: { ...room, ...known?.room } }), // the archive says less of the author
    };
    if (unsent) {
      // It was sent although its request has failed: it moves to its place in time.
      Object.assign(m, { time, status: 'acked' });
      delete m.error;
    }
    const before = known && mergeOf(known);
    const base = before?.base ?? item.merge.base;
    const added = this.#withPending(c, m, join({ ...item.merge, ...(base && { base }) }, before));
    if (known && !unsent) c.messages[c.messages.indexOf(known)] = added;
    else {
      if (known) c.messages.splice(c.messages.indexOf(known), 1);
      insert(c.messages, added);
    }
    return !known;
  }

  /** The log is another one: what the one before said is not continued, and messages may be missing. */
  newLog() {
    const all = (/** @type {Record<string, Merge>} */ o) => Object.fromEntries(Object.entries(o).map(([k, m]) => [k, demote(m)]));
    for (const c of [...this.map.values()]) {
      const messages = c.messages.map((m) => (m.merge ? { ...m, merge: demote(m.merge) } : m));
      const now = { ...c, gap: true, messages: reuseByKey(c.messages, messages) };
      this.#put(withParts(c, { ...now, state: { ...c.state, pending: all(c.state.pending) } }));
    }
  }
}

/** A conversation with each part of the old one that is equal; the old one when all are. Its messages are the
 * caller's part. @param {Conversation} old @param {Conversation} next @returns {Conversation} */
function withParts(old, next) {
  /** @type {any} */ const known = old;
  const parts = Object.entries(next).map(([field, value]) => [field, field === 'messages' ? value : keep(known[field], value)]);
  return parts.every(([field, value]) => value === known[field]) && Object.keys(old).length === parts.length
    ? old
    : Object.fromEntries(parts);
}
