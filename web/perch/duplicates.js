// Which copies are one message. An event, the answer of a request, a carbon and the archive
// may each bring a copy; ids decide, and without ids more than the time is compared.

import { logOf } from './ids.js';
import { archiveIDOf } from './pages.js';

/** @import { MessageData, StoredMessage } from '../types.d.ts' */
/** @import { Item } from './pages.js' */

/** How far the clocks of an archive and of the gateway may be apart, in milliseconds. */
const maxSkew = 10_000;

/** XML has one line break (XML 1.0, 2.11). @param {string} a @param {string} b */
const sameText = (a, b) => a === b || a.replaceAll('\r\n', '\n') === b.replaceAll('\r\n', '\n');

/** Two ids of one archive are two messages, even if everything else is equal.
 * @param {StoredMessage} m @param {string | undefined} archive */
const otherInArchive = (m, archive) => Boolean(m.archive && archive && m.archive !== archive);

/** In a room a message is of one nick, on every way that a copy of it takes; what was written here has none yet.
 * @param {StoredMessage} m @param {{ room?: StoredMessage['room'] }} x */
const otherAuthor = (m, { room }) => Boolean(m.room && room && m.room.nick !== room.nick);

/** How far the times of two copies may be apart when the text of one was changed, in milliseconds. */
const maxChangeSkew = 60_000;

/** Reports whether two messages with one id have the same text, as far as that can be known.
 * @param {StoredMessage} m @param {{ body: string, time: string, changed: boolean }} x */
function alike(m, { body, time, changed }) {
  if (sameText(m.body, body)) return true;
  const written = m.merge ? m.merge.base?.body : m.body;
  if (!changed && written !== undefined) return sameText(written, body);
  return (changed || Boolean(m.merge)) && Math.abs(Date.parse(m.time) - Date.parse(time)) <= maxChangeSkew;
}

/** The stored message that an item of the archive is a copy of: by the archive's id, else by
 * the message's own id. Some clients number from 1 again after each start, so text and
 * direction must agree too, except for what was written here.
 * @param {StoredMessage[]} list @param {Item} item @returns {StoredMessage | undefined} */
export function findDuplicateOfItem(list, item) {
  const { archive, id, direction } = item;
  const byArchive = archive && list.find((m) => m.archive === archive);
  if (byArchive) return byArchive;
  const free = list.filter((m) => m.direction === direction && !otherInArchive(m, archive) && !otherAuthor(m, item));
  if (id) return free.find((m) => m.id === id && (m.local || alike(m, item)));
  const sent = free.filter((m) => !m.archive && m.status !== 'pending');
  return findByTime(sent, item.body, item.time);
}

/** The stored message that an event is a copy of. Inside one log the gateway has each
 * message once, so a message that came as an event is the same one only if it was written
 * here, has the same id of the archive, or was read from the archive into another log.
 * @param {StoredMessage[]} list @param {'in' | 'out'} direction @param {MessageData} d
 * @param {string} event @param {string} time @returns {StoredMessage | undefined} */
export function findDuplicateOfEvent(list, direction, d, event, time) {
  const archive = archiveIDOf(d);
  const free = list.filter((m) => m.direction === direction && !otherInArchive(m, archive) && !otherAuthor(m, d));
  const byArchive = archive && free.find((m) => m.archive === archive);
  const known = byArchive || free.find((m) => m.local && d.id && m.id === d.id);
  if (known) return known;
  const repeatable = (/** @type {StoredMessage} */ m) => !m.event || (d.source === 'archive' && logOf(m.event) !== logOf(event));
  const as = { body: d.body, time, changed: Boolean(d.edited || d.retracted) };
  const byID = d.id ? free.find((m) => m.id === d.id && repeatable(m) && alike(m, as)) : undefined;
  if (byID || archive) return byID;
  const withoutIDs = free.filter((m) => !m.event && !m.id);
  return findByTime(withoutIDs, d.body, time);
}

/** For an archive that keeps no ids (XEP-0136): same side, same text, and a time between the
 * writing of the message and its arrival at the service; of several, the nearest.
 * @param {StoredMessage[]} list @param {string} body @param {string} time */
function findByTime(list, body, time) {
  const at = Date.parse(time);
  const from = (/** @type {StoredMessage} */ m) => Date.parse(m.time);
  const to = (/** @type {StoredMessage} */ m) => Math.max(from(m), m.reached ? Date.parse(m.reached) : 0);
  const distance = (/** @type {StoredMessage} */ m) => Math.max(from(m) - at, at - to(m), 0);
  const candidates = list.filter((m) => sameText(m.body, body) && distance(m) <= maxSkew);
  return candidates.sort((a, b) => distance(a) - distance(b) || Math.abs(from(a) - at) - Math.abs(from(b) - at))[0];
}

/** Keeps a list in order of time; the later arrival is last among equals. What waits to be sent
 * comes after everything that was sent: it moves to its place when it is.
 * @param {StoredMessage[]} list @param {StoredMessage} m */
export function insert(list, m) {
  const at = Date.parse(m.time);
  const pending = m.status === 'pending';
  const comesAfter = (/** @type {StoredMessage} */ x) => {
    if ((x.status === 'pending') !== pending) return x.status === 'pending';
    return !pending && Date.parse(x.time) > at;
  };
  let [from, to] = [0, list.length];
  let i = to - 1; // most are the newest, and pages of an archive are old ones in a long list
  while (from < to) {
    if (comesAfter(/** @type {StoredMessage} */ (list[i]))) to = i;
    else from = i + 1;
    i = (from + to) >> 1;
  }
  list.splice(from, 0, m);
}
