// The account's own edits, retractions and reactions from the moment they were written: they are
// shown at once, until an event brings what became of them or they have failed.

import { editOf, mergeOf, reactionsOf, retractionOf, shownAs } from './merge.js';

/** @import { Conversation, JID, OwnChange, StoredMessage } from '../types.d.ts' */
/** @import { Merge } from './merge.js' */

/** The message with the own changes that wait on top of what is known.
 * @param {StoredMessage} m @param {OwnChange[]} changes of the conversation @param {JID} own @returns {StoredMessage} */
export function withChanges(m, changes, own) {
  const about = m.ref ? changes.filter((c) => c.ref === m.ref) : [];
  const last = about.at(-1);
  if (!last) return m;
  const merge = mergeOf(m);
  const over = about.filter((c) => c.state !== 'failed').reduce((known, c) => overlaid(known, c, own), merge);
  return { ...shownAs(m, over, own), merge, change: last };
}

/** What is known with one own change over it. @param {Merge} known @param {OwnChange} c @param {JID} own @returns {Merge} */
function overlaid(known, c, own) {
  const stamp = { at: c.at, position: 'own' };
  if (c.kind === 'reactions') return { ...known, said: { ...known.said, ...reactionsOf(own, c.emojis ?? [], stamp).said } };
  if (c.kind === 'retraction') return { ...known, ...retractionOf({ by: own, reason: c.reason }, stamp) };
  const { mentions: _, ...before } = known.edit?.content ?? known.base ?? { body: '' };
  return { ...known, ...editOf({ ...before, body: c.body }, stamp, (known.count ?? 0) + 1) };
}

/** An event about a message ends what it confirms, a retraction all there is: nothing else of a
 * retracted message becomes an event. Changes that wait for their answer stay.
 * @param {OwnChange[]} changes @param {string} ref @param {OwnChange['kind']} kind @returns {OwnChange[]} */
export function confirmed(changes, ref, kind) {
  const ended = (/** @type {OwnChange} */ c) => c.ref === ref && (c.kind === kind || kind === 'retraction');
  if (!changes.some(ended)) return changes;
  return changes
    .filter((c) => !(ended(c) && c.state === 'accepted'))
    .map((c) => (ended(c) && c.state === 'pending' ? { ...c, seen: true } : c));
}

/** Another state of one change; the answer of a request whose event was there before ends it.
 * @param {OwnChange[]} changes @param {string} id @param {OwnChange['state'] | 'gone'} state @param {string} [error] @returns {OwnChange[]} */
export function moved(changes, id, state, error) {
  return changes.flatMap((c) => {
    if (c.id !== id) return [c];
    if (state === 'gone' || (state === 'accepted' && c.seen)) return [];
    const { error: _, ...rest } = c;
    return [{ ...rest, state, ...(error && { error }) }];
  });
}

/** @param {Conversation | undefined} c @param {string} id */
export const findChange = (c, id) => c?.state.changes.find((x) => x.id === id);
