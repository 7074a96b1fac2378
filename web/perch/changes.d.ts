/** @import { Conversation, JID, OwnChange, StoredMessage } from '../types.d.ts' */
/** @import { Merge } from './merge.js' */
/** The message with the own changes that wait on top of what is known.
 * @param {StoredMessage} m @param {OwnChange[]} changes of the conversation @param {JID} own @returns {StoredMessage} */
export function withChanges(m: StoredMessage, changes: OwnChange[], own: JID): StoredMessage;
/** An event about a message ends what it confirms, a retraction all there is: nothing else of a
 * retracted message becomes an event. Changes that wait for their answer stay.
 * @param {OwnChange[]} changes @param {string} ref @param {OwnChange['kind']} kind @returns {OwnChange[]} */
export function confirmed(changes: OwnChange[], ref: string, kind: OwnChange["kind"]): OwnChange[];
/** Another state of one change; the answer of a request whose event was there before ends it.
 * @param {OwnChange[]} changes @param {string} id @param {OwnChange['state'] | 'gone'} state @param {string} [error] @returns {OwnChange[]} */
export function moved(changes: OwnChange[], id: string, state: OwnChange["state"] | "gone", error?: string): OwnChange[];
export function findChange(c: Conversation | undefined, id: string): OwnChange | undefined;
import type { StoredMessage } from '../types.d.ts';
import type { OwnChange } from '../types.d.ts';
import type { JID } from '../types.d.ts';
import type { Conversation } from '../types.d.ts';
