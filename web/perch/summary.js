// What the list of conversations shows of each: the last message, how many are not read, how
// far it was read. The gateway counts; what has come since its last count is added here.

import { isAfter, logOf } from './ids.js';
import { bare, resourceOf } from './jids.js';
import { join, messageOf, view } from './merge.js';

/** @import { Conversation, ConversationData, JID, OwnChange, ReadPosition, StoredMessage, Time } from '../types.d.ts' */
/** @import { Merge } from './merge.js' */
/** A message that has come since the gateway has counted.
 * @typedef {{ event: string, time: Time, ref?: string, mention: boolean }} Fresh */

/**
 * What merging needs of one conversation, beside what it shows.
 * @typedef {object} State
 * @property {StoredMessage | null} head the last message of the gateway's list
 * @property {Time | null} activity of the gateway's list
 * @property {{ unread: number, mentions: number, position: string, through: Time, fresh: Fresh[] }} count the
 *   gateway's, what it covers (a position of the log, a time), and what came later
 * @property {Record<string, Merge>} pending what refers to messages that are not here
 * @property {OwnChange[]} changes
 * @property {Time} [prevAt] when the oldest page begins, which a page before it goes up to
 * @property {boolean} room the account has a room of this address, and a list has a place for it
 * @property {boolean} unsaved the gateway does not have the draft yet
 * @property {number} changed the last change of the list that came as an event, see Conversations.sequence
 */

/** Most unread messages that are counted. */
const most = 999;

/** @param {JID} jid @returns {Conversation} */
export function blank(jid) {
  const inRoom = jid !== bare(jid);
  return {
    jid,
    type: inRoom ? 'private' : 'chat',
    name: inRoom ? resourceOf(jid) : '',
    notify: 'all',
    pinned: false,
    archived: false,
    listed: false,
    messages: [],
    last_message: null,
    last_activity_at: null,
    unread: 0,
    unread_exact: true,
    mentions: 0,
    read: null,
    peer_read: null,
    draft: null,
    typing: null,
    writing: [],
    gap: false,
    complete: false,
    prev: null,
    state: {
      head: null,
      activity: null,
      count: { unread: 0, mentions: 0, position: '', through: '', fresh: [] },
      pending: {},
      changes: [],
      room: false,
      unsaved: false,
      changed: 0,
    },
  };
}

/** Times as numbers; "" and null are before all others. @param {Time | null | undefined} t */
const ms = (t) => (t ? Date.parse(t) : -Infinity);

/** Recomputes what follows from the rest. c is the caller's own copy. @param {Conversation} c @param {JID} own @returns {Conversation} */
export function settle(c, own) {
  const newest = c.messages.at(-1) ?? null;
  const head = headOf(c, own);
  c.last_message = head && ms(head.time) > ms(newest?.time) ? head : newest;
  c.last_activity_at = ms(c.state.activity) > ms(c.last_message?.time) ? c.state.activity : (c.last_message?.time ?? null);
  const { unread, mentions, fresh } = c.state.count;
  c.unread = Math.min(most, unread + fresh.length);
  c.mentions = Math.min(most, mentions + fresh.filter((f) => f.mention).length);
  for (const position of /** @type {const} */ (['read', 'peer_read'])) {
    const p = c[position];
    const m = p && !p.time ? c.messages.findLast((x) => x.ref === p.ref) : undefined;
    if (p && m) c[position] = { ...p, time: m.time };
  }
  return c;
}

/** The last message of the list, with what is known about it since. @param {Conversation} c @param {JID} own */
function headOf({ messages, state: { head, pending } }, own) {
  if (!head) return null;
  const shown = head.ref ? messages.findLast((m) => m.ref === head.ref) : undefined;
  if (shown) return shown;
  const about = pending[`ref:${head.ref}`];
  return about && head.merge ? { ...head, ...view(join(head.merge, about), own) } : head;
}

/** An entry of the list that conversation.changed or an answer has brought. c is the caller's
 * own copy. @param {Conversation} c @param {ConversationData} d @param {{ position?: string, direction?: 'in' | 'out' }} from
 * position: of the last event before it in the stream */
export function applyEntry(c, d, { position, direction = 'in' }) {
  c.listed = true;
  c.state = { ...c.state };
  if (ms(d.last_activity_at) > ms(c.state.activity)) c.state.activity = d.last_activity_at;
  if (d.last_message) c.state.head = headMessage(d, direction);
  if (ms(d.peer_read?.time) >= ms(c.peer_read?.time)) c.peer_read = d.peer_read;
  const { count } = c.state;
  const stale = ms(d.read?.time) < ms(c.read?.time) || ms(d.last_activity_at) < ms(count.through);
  if (stale) return;
  c.read = d.read ?? c.read;
  c.unread_exact = d.unread_exact;
  const seen = d.last_message?.ref;
  const last = seen ? count.fresh.findLastIndex((f) => f.ref === seen) : -1;
  const fresh = position === undefined ? count.fresh.slice(last + 1).filter((f) => ms(f.time) > ms(d.last_activity_at)) : [];
  const through = d.last_activity_at ?? '';
  c.state.count = { unread: d.unread, mentions: d.mentions, position: position ?? count.position, through, fresh };
}

/** Settings of an entry. @param {Conversation} c @param {ConversationData} d */
export function applySettings(c, d) {
  const { type, name, notify, pinned, archived, draft } = d;
  Object.assign(c, { type, name, notify, pinned, archived }, !c.state.unsaved && { draft });
}

/** @param {ConversationData} d @param {'in' | 'out'} direction @returns {StoredMessage} */
function headMessage({ last_message: m, last_activity_at }, direction) {
  const time = last_activity_at ?? m?.delay?.stamp ?? '';
  const merge = messageOf(m, time);
  const { id = '', ref } = m ?? {};
  return {
    key: `head ${ref ?? id}`,
    id,
    ...(ref && { ref }),
    ...(m?.room && { room: m.room }),
    direction,
    time,
    merge,
    ...view(merge, ''),
  };
}

/** The account has read further. Without a position it is the answer of a request, or a
 * reading that no answer has confirmed. c is the caller's own copy.
 * @param {Conversation} c @param {{ read: ReadPosition | null, unread: number, mentions: number }} d @param {string} [position] */
export function applyRead(c, { read, unread, mentions }, position) {
  if (read && ms(read.time) < ms(c.read?.time)) return;
  const { count } = c.state;
  c.read = read ?? c.read;
  c.unread_exact = true;
  const later = position === undefined && unread === 0 ? count.fresh.filter((f) => ms(f.time) > ms(read?.time)) : [];
  const through = position === undefined ? count.through : '';
  c.state = { ...c.state, count: { unread, mentions, position: position ?? count.position, through, fresh: later } };
}

/** A message has arrived that was not read. c is the caller's own copy. @param {Conversation} c @param {StoredMessage} m
 * @param {boolean} mention whether it names the account */
export function countMessage(c, m, mention) {
  const { count } = c.state;
  const { event = '', time, ref } = m;
  const counted = count.position && logOf(count.position) === logOf(event) && !isAfter(event, count.position);
  if (counted || ms(time) <= ms(count.through)) return;
  const fresh = [...count.fresh, { event, time, ...(ref && { ref }), mention }].slice(-most);
  c.state = { ...c.state, count: { ...count, fresh } };
}

/** The order of the list: pinned ones first, then by activity. @param {Conversation} a @param {Conversation} b */
export const byActivity = (a, b) =>
  Number(b.pinned) - Number(a.pinned) || ms(b.last_activity_at) - ms(a.last_activity_at) || (a.jid < b.jid ? -1 : 1);

/** Reports whether a list has a place for it. @param {Conversation} c */
export const belongs = (c) => c.listed || c.messages.length > 0 || Boolean(c.draft) || c.state.room;
