// Pages of messages as the store takes them, whichever way they were read: the items of
// GET /v1/archive, or those of a conversation, which have their relations merged.

import { editOf, messageOf, reactionsOf, retractionOf } from './merge.js';
import { bare, sameAccount } from './jids.js';

/** @import { ArchivePage, JID, MessagePage, Time } from '../types.d.ts' */
/** @import { Merge } from './merge.js' */

/** One message of a page.
 * @typedef {{ archive: string, id: string, ref?: string, direction: 'in' | 'out', body: string, time: Time, thread?: string,
 *   changed: boolean, merge: Merge }} Item */
/** What a page says about a message that may be elsewhere: by its ref, or by its id on the wire
 * and whose message it can be; the last one is where it waits. @typedef {{ keys: string[], merge: Merge }} About */
/** @typedef {{ items: Item[], about: About[], prev: string | null, first: Time | null, complete: boolean }} Page */

/** The other side of a message. @param {{ from: JID, to: JID }} m @param {JID} own */
export const otherSide = (m, own) => bare(sameAccount(m.from, own) ? m.to : m.from);

/** Who wrote a message. @param {{ from: JID, direction?: string }} m @param {JID} own @returns {'in' | 'out'} */
export const directionOf = (m, own) => (m.direction ? (m.direction === 'out' ? 'out' : 'in') : sameAccount(m.from, own) ? 'out' : 'in');

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
  const { ref, thread, time } = item;
  return {
    archive: (message ? item.stanza_id : item.id) ?? '',
    id: (message ? item.id : item.message_id) ?? '',
    ...(ref && { ref }),
    direction: directionOf(item, own),
    body: item.body ?? '',
    time,
    ...(thread && { thread }),
    changed: Boolean(item.edited || item.retracted),
    merge: messageOf(item, last ?? time, upTo),
  };
}

/** A correction or retraction is about a message of its own author. @param {any} r @param {JID} own @returns {About[]} */
function aboutOf(r, own) {
  const { relation } = r;
  const direction = directionOf(r, own);
  const stamp = { at: r.time };
  const id = relation.target;
  const keys = relation.ref ? [`ref:${relation.ref}`] : [`${direction}:${id}`];
  if (relation.kind === 'edit') return [{ keys, merge: editOf(r, stamp) }];
  if (relation.kind === 'retraction')
    return [{ keys, merge: retractionOf({ by: relation.by ?? bare(r.from), ...relation, at: r.time }, stamp) }];
  if (relation.kind !== 'reactions') return [];
  const either = relation.ref ? keys : [`${direction === 'in' ? 'out' : 'in'}:${id}`, `${direction}:${id}`, `any:${id}`];
  return [{ keys: either, merge: reactionsOf(r.from, relation.emojis ?? [], stamp) }];
}

/** The keys under which something may be kept that is about a message. @param {{ ref?: string, id: string, direction: string }} m */
export const keysOf = (m) => [...(m.ref ? [`ref:${m.ref}`] : []), ...(m.id ? [`${m.direction}:${m.id}`, `any:${m.id}`] : [])];
