// Pages of messages as the store takes them, whichever way they were read: the items of
// GET /v1/archive, or those of a conversation, which have their relations merged.

import { editOf, messageOf, reactionsOf, retractionOf } from './merge.js';
import { bare, sameAccount } from './jids.js';

/** @import { ArchivePage, ConversationKind, JID, MessageData, MessagePage, Time } from '../types.d.ts' */
/** @import { Merge } from './merge.js' */

/** One message of a page.
 * @typedef {{ archive: string, id: string, ref?: string, direction: 'in' | 'out', body: string, time: Time, thread?: string,
 *   room?: MessageData['room'], changed: boolean, merge: Merge }} Item */
/** What says where a message belongs.
 * @typedef {{ from: JID, to: JID, kind?: string, direction?: string, room?: MessageData['room'] }} Addressed */
/** What a page says about a message that may be elsewhere: by its ref, or by its id on the wire
 * and whose message it can be; the last one is where it waits. @typedef {{ keys: string[], merge: Merge }} About */
/** @typedef {{ items: Item[], about: About[], prev: string | null, first: Time | null, complete: boolean }} Page */

/** The kind of conversation that a message is in: what somebody in a room writes to the account alone is
 * with him. @param {Pick<Addressed, 'kind' | 'room'>} m @returns {ConversationKind} */
export const kindOf = (m) => (m.kind === 'groupchat' ? 'room' : m.room ? 'private' : 'chat');

/** The conversation that a message is in. @param {Addressed} m @param {'in' | 'out'} direction */
export function conversationOf(m, direction) {
  const other = direction === 'out' ? m.to : m.from;
  return kindOf(m) === 'private' ? other : bare(other);
}

/** Whether the account wrote a message. @param {Omit<Addressed, 'to'>} m @param {JID} own @returns {'in' | 'out'} */
export function directionOf(m, own) {
  if (m.direction) return m.direction === 'out' ? 'out' : 'in';
  const mine = m.kind === 'groupchat' && m.room ? m.room.own : sameAccount(m.from, own);
  return mine ? 'out' : 'in';
}

/** The id of a message in the archive that it is read from: a room's is the room's.
 * @param {{ kind?: string, stanza_id?: string, room_stanza_id?: string }} m */
export const archiveIDOf = (m) => (m.kind === 'groupchat' ? m.room_stanza_id : m.stanza_id);

/** Relations of a page; a gateway that has none to give does not merge them either.
 * @param {ArchivePage | MessagePage} page */
const relationsOf = (page) => ('relations' in page ? page.relations : undefined);

/** The times of the first and the last entry of a page; null: none has a time.
 * @param {ArchivePage | MessagePage} page @returns {{ first: Time | null, last: Time | null }} */
export function spanOf(page) {
  const times = [...page.items, ...(relationsOf(page) ?? []), ...(page.dropped ?? [])]
    .map((x) => Date.parse(/** @type {any} */ (x).time))
    .filter((t) => t > 0);
  const at = (/** @type {number} */ t) => (Number.isFinite(t) ? new Date(t).toISOString() : null);
  return { first: at(Math.min(...times)), last: at(Math.max(...times)) };
}

/** @param {ArchivePage | MessagePage} page @param {JID} own
 * @param {Time} [upTo] the time until which the page has all that the archive had @returns {Page} */
export function readPage(page, own, upTo) {
  const { first, last } = spanOf(page);
  const relations = relationsOf(page);
  return {
    items: page.items.map((item) => readItem(item, own, { last, upTo: relations && upTo })),
    about: (relations ?? []).flatMap((r) => aboutOf(r, own)),
    prev: page.prev,
    first,
    complete: page.complete,
  };
}

/** @param {any} item @param {JID} own @param {{ last: Time | null, upTo?: Time }} page @returns {Item} */
function readItem(item, own, { last, upTo }) {
  const message = 'source' in item; // else an item of /v1/archive, whose id is that of the archive
  const { ref, thread, time, room } = item;
  return {
    archive: (message ? archiveIDOf(item) : item.id) ?? '',
    id: (message ? item.id : item.message_id) ?? '',
    ...(ref && { ref }),
    direction: directionOf(item, own),
    body: item.body ?? '',
    time,
    ...(thread && { thread }),
    ...(room && { room }),
    changed: Boolean(item.edited || item.retracted),
    merge: messageOf(item, last ?? time, upTo),
  };
}

/** A correction or retraction is about a message of its own author. @param {any} r @param {JID} own @returns {About[]} */
function aboutOf(r, own) {
  const { relation } = r;
  if (r.kind === 'groupchat') return aboutInRoom(r);
  const direction = directionOf(r, own);
  const stamp = { at: r.time };
  const id = relation.target;
  const keys = relation.ref ? [`ref:${relation.ref}`] : [`${direction}:${id}`];
  if (relation.kind === 'edit') return [{ keys, merge: editOf(r, stamp) }];
  if (relation.kind === 'retraction')
    return [{ keys, merge: retractionOf({ by: relation.by ?? bare(r.from), ...relation, at: r.time }, stamp) }];
  if (relation.kind !== 'reactions') return [];
  const either = relation.ref ? keys : [`${direction === 'in' ? 'out' : 'in'}:${id}`, `${direction}:${id}`, `any:${id}`];
  const from = r.room && direction === 'in' ? r.from : bare(r.from);
  return [{ keys: either, merge: reactionsOf(from, relation.emojis ?? [], stamp) }];
}

/** In a room anybody can refer to any message; the gateway has applied what it could tell to be of the
 * author. Only a room that tells its occupants apart (XEP-0421), or that speaks itself, is believed about
 * the rest. @param {any} r @returns {About[]} */
function aboutInRoom({ relation, room, from, time, ...content }) {
  const { kind, ref, target, emojis = [], moderated, by } = relation;
  const stamp = { at: time };
  if (kind === 'reactions') return ref ? [{ keys: [`ref:${ref}`], merge: reactionsOf(from, emojis, stamp) }] : [];
  if (kind === 'retraction' && moderated) {
    const retraction = retractionOf({ ...relation, by: by ?? from, at: time }, stamp);
    return ref && from === bare(from) ? [{ keys: [`ref:${ref}`], merge: retraction }] : [];
  }
  const author = room?.occupant_id;
  if (!author) return [];
  if (kind === 'edit') return [{ keys: [`by:${author}:${target}`], merge: editOf(content, stamp) }];
  return ref ? [{ keys: [`by:${author}:ref:${ref}`], merge: retractionOf({ ...relation, by: from, at: time }, stamp) }] : [];
}

/** The keys under which something may be kept that is about a message.
 * @param {{ ref?: string, id: string, direction: string, room?: MessageData['room'] }} m */
export function keysOf({ ref, id, direction, room }) {
  const keys = ref ? [`ref:${ref}`] : [];
  const author = room?.occupant_id;
  if (author) return [...keys, ...(ref ? [`by:${author}:ref:${ref}`] : []), ...(id ? [`by:${author}:${id}`] : [])];
  return id ? [...keys, `${direction}:${id}`, `any:${id}`] : keys;
}
