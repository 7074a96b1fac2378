// What several sources say about one message, whatever comes first: the message, edits,
// retractions and reactions, each as event of the log, in pages of the archive, or both. Join is
// commutative, associative and idempotent, so any order of arrival gives the same end.

import { isAfter, logOf } from './ids.js';
import { sameAddress } from './jids.js';

/** @import { Content, JID, Reaction, Relations, Retracted, StoredMessage, Time } from '../types.d.ts' */
/** When something was said; with the position of the event that said it.
 * @typedef {{ at: Time, position?: string }} Stamp */
/** @typedef {Stamp & { content: Content }} Edit */
/** @typedef {Stamp & { value: Retracted }} Retraction */
/** All reactions of one sender. @typedef {Stamp & { emojis: string[] }} Said */
/** Reactions as a page of the archive has them, which goes from the message to a later time:
 * all that were kept until then. @typedef {{ at: Time, by: Record<JID, string[]> }} PageReactions */

/**
 * What is known of one message. Missing: nothing.
 * @typedef {object} Merge
 * @property {Content} [base] as it was first written
 * @property {Edit} [edit] the last edit
 * @property {number} [count] how often it was edited, at least
 * @property {Retraction} [retracted]
 * @property {PageReactions} [page]
 * @property {Record<JID, Said>} [said] by sender
 */

/** Fields of a message that an edit replaces. */
const contentFields = /** @type {const} */ ([
  ...['body', 'subject', 'reply_to', 'mentions', 'attachments', 'markable', 'unstyled'],
  ...['spoiler', 'encryption', 'fallback', 'payloads', 'payloads_truncated'],
]);

/** The content alone of anything that has it. @param {any} m @returns {Content} */
export function contentOf(m) {
  /** @type {any} */ const content = { body: m.body ?? '' };
  for (const field of contentFields) if (m[field] !== undefined && m[field] !== null) content[field] = m[field];
  return content;
}

/** What is known of a message in the store. @param {StoredMessage} m @returns {Merge} */
export const mergeOf = (m) => m.merge ?? { base: contentOf(m), ...(m.kept && { page: { at: m.kept, by: {} } }) };

/** A message as it is to be shown. One without relations needs no merge: its text is its own.
 * @param {StoredMessage} m @param {Merge} merge @param {JID} own @returns {StoredMessage} */
export function shownAs(m, merge, own) {
  const { merge: _m, edited: _e, retracted: _r, reactions: _a, change: _c, kept: _k, ...rest } = m;
  for (const field of contentFields) delete (/** @type {any} */ (rest)[field]);
  const { base, page, ...others } = merge;
  const plain = base && Object.values(others).every((v) => v === undefined) && !Object.keys(page?.by ?? {}).length;
  return { ...rest, ...view(merge, own), ...(!plain && { merge }), ...(plain && page && { kept: page.at }) };
}

// Statements.

/** What an edit says. @param {any} m with the new content @param {Stamp} stamp @param {number} [count] @returns {Merge} */
export const editOf = (m, stamp, count = 1) => ({ edit: { ...stamp, content: contentOf(m) }, count });

/** What a retraction says. @param {any} r @param {Stamp} stamp @returns {Merge} */
export function retractionOf({ at, by, moderated, reason }, stamp) {
  const value = { at: at ?? stamp.at, ...(by && { by }), ...(moderated && { moderated }), ...(reason && { reason }) };
  return { retracted: { ...stamp, value } };
}

/** All reactions of one sender: an account, or one who is in a room. @param {JID} from @param {string[]} emojis @param {Stamp} stamp @returns {Merge} */
export const reactionsOf = (from, emojis, stamp) => ({ said: { [from]: { ...stamp, emojis: [...new Set(emojis)].sort() } } });

/** What a merged list says of those who are in it. @param {Reaction[]} list @param {Time} at @param {JID} [except] @returns {Merge} */
export function listOf(list, at, except = '') {
  /** @type {Merge} */ let merge = {};
  for (const [jid, emojis] of Object.entries(bySender(list))) {
    if (!except || !sameAddress(jid, except)) merge = join(merge, reactionsOf(jid, emojis, { at }));
  }
  return merge;
}

/** What a message says that has its relations merged. With upTo it is of a page of the archive
 * that goes on to that time. @param {any} m @param {Time} at when it was sent @param {Time} [upTo] @returns {Merge} */
export function messageOf(m, at, upTo) {
  /** @type {Merge} */ let merge = {};
  if (m.edited) merge = editOf(m, { at: m.edited.at }, m.edited.count);
  else if (!m.retracted) merge.base = contentOf(m);
  if (m.retracted) merge = join(merge, retractionOf(m.retracted, { at: m.retracted.at }));
  if (upTo) merge.page = { at: upTo, by: bySender(m.reactions ?? []) };
  else if (m.reactions) merge = join(merge, listOf(m.reactions, at));
  return merge;
}

/** @param {Reaction[]} list @returns {Record<JID, string[]>} */
function bySender(list) {
  /** @type {Record<JID, string[]>} */ const found = {};
  for (const { emoji, by } of list) for (const jid of by) (found[jid] ??= []).push(emoji);
  for (const emojis of Object.values(found)) emojis.sort();
  return found;
}

// The join.

/** Everything that a and b know. @param {Merge} a @param {Merge} [b] @returns {Merge} */
export function join(a, b) {
  if (!b) return a;
  /** @type {Merge} */ const merge = {};
  const base = larger(a.base, b.base);
  const edit = later(a.edit, b.edit);
  const retracted = later(a.retracted, b.retracted);
  const count = Math.max(a.count ?? 0, b.count ?? 0);
  const page = /** @type {PageReactions | undefined} */ (later(a.page, b.page));
  const said = joinSaid(a.said, b.said);
  return Object.assign(
    merge,
    base && { base },
    edit && { edit },
    count && { count },
    retracted && { retracted },
    page && { page },
    said && { said },
  );
}

/** @param {Record<JID, Said>} [a] @param {Record<JID, Said>} [b] */
function joinSaid(a, b) {
  if (!a || !b) return a ?? b;
  const said = { ...a };
  for (const [jid, s] of Object.entries(b)) said[jid] = /** @type {Said} */ (later(said[jid], s));
  return said;
}

/** The later one of two statements. What the log says needs no archive: each later change
 * comes as an event too, and the clocks of the two may differ.
 * @template {Stamp} T @param {T | undefined} a @param {T | undefined} b @returns {T | undefined} */
function later(a, b) {
  if (!a || !b) return a ?? b;
  if (Boolean(a.position) !== Boolean(b.position)) return a.position ? a : b;
  if (a.position && b.position && a.position !== b.position && logOf(a.position) === logOf(b.position)) {
    return isAfter(a.position, b.position) ? a : b;
  }
  const ahead = Date.parse(a.at) - Date.parse(b.at);
  if (ahead) return ahead > 0 ? a : b;
  return larger(a, b);
}

/** Of two that claim the same any one, but always the same one. @template T @param {T | undefined} a @param {T | undefined} b */
function larger(a, b) {
  if (!a || !b) return a ?? b;
  return canonical(a) >= canonical(b) ? a : b;
}

/** JSON with sorted fields: equal values give equal texts. @param {unknown} value @returns {string} */
const canonical = (value) =>
  JSON.stringify(value, (_, v) => (v && typeof v === 'object' && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort()) : v));

/** What a log said that is not continued: from now on the archive may know better. @param {Merge} m @returns {Merge} */
export function demote(m) {
  const plain = (/** @type {any} */ s) => s && { ...s, position: undefined };
  const said = m.said && Object.fromEntries(Object.entries(m.said).map(([jid, s]) => [jid, plain(s)]));
  return { ...m, ...(m.edit && { edit: plain(m.edit) }), ...(m.retracted && { retracted: plain(m.retracted) }), ...(said && { said }) };
}

// The view.

/** The message as it is to be shown. @param {Merge} m @param {JID} own who the account is in its conversation @returns {Content & Relations} */
export function view(m, own) {
  /** @type {Content & Relations} */ const shown = { ...(m.edit?.content ?? m.base ?? { body: '' }) };
  const reply = m.base?.reply_to;
  if (reply && !shown.reply_to) shown.reply_to = reply; // many clients leave it out of a correction
  if (m.edit) shown.edited = { count: m.count ?? 1, at: m.edit.at };
  const reactions = reactionsIn(m, own);
  if (m.retracted)
    return { body: '', retracted: m.retracted.value, ...(shown.edited && { edited: shown.edited }), ...(reactions && { reactions }) };
  return reactions ? { ...shown, reactions } : shown;
}

/** @param {Merge} m @param {JID} own @returns {Reaction[] | undefined} */
function reactionsIn(m, own) {
  /** @type {Record<JID, string[]>} */ const senders = { ...m.page?.by };
  const upTo = m.page ? Date.parse(m.page.at) : -Infinity;
  for (const [jid, s] of Object.entries(m.said ?? {})) if (s.position || Date.parse(s.at) > upTo) senders[jid] = s.emojis;
  /** @type {Map<string, JID[]>} */ const found = new Map();
  for (const jid of Object.keys(senders).sort()) for (const e of senders[jid] ?? []) found.set(e, [...(found.get(e) ?? []), jid]);
  if (!found.size) return undefined;
  const list = [...found].map(([emoji, by]) => ({ emoji, by, own: by.some((jid) => sameAddress(jid, own)) }));
  return list.sort((a, b) => b.by.length - a.by.length || (a.emoji < b.emoji ? -1 : 1));
}
