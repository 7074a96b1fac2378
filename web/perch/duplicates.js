// Which copies are one message. An event, the answer of a request, a carbon and the archive
// may each bring a copy; ids decide, and what has none is compared by more than its time.

/** @typedef {import('../types.d.ts').StoredMessage} StoredMessage */
/** @typedef {import('../types.d.ts').ArchiveItem} ArchiveItem */
/** @typedef {import('../types.d.ts').MessageData} MessageData */

/** How far the clocks of an archive and of the gateway may be apart, in milliseconds. */
const skew = 10_000;

/** XML has one line break (XML 1.0, 2.11). @param {string} a @param {string} b */
const sameText = (a, b) => a === b || a.replaceAll('\r\n', '\n') === b.replaceAll('\r\n', '\n');

/** The part of a position that names the log. @param {string} position */
const logOf = (position) => position.slice(0, position.lastIndexOf('-'));

/** Two ids of one archive are two messages, whatever else is alike.
 * @param {StoredMessage} m @param {string | undefined} archive */
const otherOfArchive = (m, archive) => Boolean(m.archive && archive && m.archive !== archive);

/** The stored message that an item of the archive is a copy of: by the archive's id, else by
 * the message's own id. Some clients number from 1 again after each start, so text and side
 * must agree too, except for what was written here.
 * @param {StoredMessage[]} list @param {ArchiveItem} item @returns {StoredMessage | undefined} */
export function ofArchived(list, item) {
  const byArchive = list.find((m) => m.archive === item.id);
  if (byArchive) return byArchive;
  const free = list.filter((m) => m.direction === item.direction && !otherOfArchive(m, item.id));
  if (item.message_id) return free.find((m) => m.id === item.message_id && (m.local || sameText(m.body, item.body)));
  return nearest(free.filter((m) => !m.archive && m.status !== 'pending'), item.body, item.time);
}

/** The stored message that an event is a copy of. Inside one log the gateway has each
 * message once, so a message that came as an event is the same one only if it was written
 * here, has the same id of the archive, or was read from the archive into another log.
 * @param {StoredMessage[]} list @param {'in' | 'out'} direction @param {MessageData} d @param {string} event @param {string} time @returns {StoredMessage | undefined} */
export function ofEvent(list, direction, d, event, time) {
  const side = list.filter((m) => m.direction === direction && !otherOfArchive(m, d.stanza_id));
  const known = side.find((m) => d.stanza_id && m.archive === d.stanza_id) ?? side.find((m) => m.local && d.id && m.id === d.id);
  if (known) return known;
  const again = (/** @type {StoredMessage} */ m) => !m.event || (d.source === 'archive' && logOf(m.event) !== logOf(event));
  const byID = d.id ? side.find((m) => m.id === d.id && again(m) && sameText(m.body, d.body)) : undefined;
  return byID ?? (d.stanza_id ? undefined : nearest(side.filter((m) => !m.event && !m.id), d.body, time));
}

/** For an archive that keeps no ids (XEP-0136): same side, same text, and a time between the
 * writing of the message and the service's having it; of several, the nearest.
 * @param {StoredMessage[]} list @param {string} body @param {string} time */
function nearest(list, body, time) {
  const at = Date.parse(time);
  const from = (/** @type {StoredMessage} */ m) => Date.parse(m.time);
  const to = (/** @type {StoredMessage} */ m) => Math.max(from(m), m.reached ? Date.parse(m.reached) : 0);
  const away = (/** @type {StoredMessage} */ m) => Math.max(from(m) - at, at - to(m), 0);
  const fit = list.filter((m) => sameText(m.body, body) && away(m) <= skew);
  return fit.sort((a, b) => away(a) - away(b) || Math.abs(from(a) - at) - Math.abs(from(b) - at))[0];
}

/** Keeps a list in order of time; the later arrival stands last among equals. What waits to
 * be sent comes after everything that was: it gets its place when it is.
 * @param {StoredMessage[]} list @param {StoredMessage} m */
export function insert(list, m) {
  let i = list.length;
  const at = Date.parse(m.time);
  const after = (/** @type {StoredMessage} */ x) => (x.status === 'pending') !== (m.status === 'pending') ? x.status === 'pending' : m.status !== 'pending' && Date.parse(x.time) > at;
  while (i > 0 && after(/** @type {StoredMessage} */ (list[i - 1]))) i--;
  list.splice(i, 0, m);
}
