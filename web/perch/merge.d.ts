/** The content alone of anything that has it. @param {any} m @returns {Content} */
export function contentOf(m: any): Content;
/** A message as it is to be shown. One without relations needs no merge: its text is its own.
 * @param {StoredMessage} m @param {Merge} merge @param {JID} own @returns {StoredMessage} */
export function shownAs(m: StoredMessage, merge: Merge, own: JID): StoredMessage;
/** What a retraction says. @param {any} r @param {Stamp} stamp @returns {Merge} */
export function retractionOf({ at, by, moderated, reason }: any, stamp: Stamp): Merge;
/** What a merged list says of those who are in it. @param {Reaction[]} list @param {Time} at @param {JID} [except] @returns {Merge} */
export function listOf(list: Reaction[], at: Time, except?: JID): Merge;
/** What a message says that has its relations merged. With upTo it is of a page of the archive
 * that goes on to that time. @param {any} m @param {Time} at when it was sent @param {Time} [upTo] @returns {Merge} */
export function messageOf(m: any, at: Time, upTo?: Time): Merge;
/** Everything that a and b know. @param {Merge} a @param {Merge} [b] @returns {Merge} */
export function join(a: Merge, b?: Merge): Merge;
/** What a log said that is not continued: from now on the archive may know better. @param {Merge} m @returns {Merge} */
export function demote(m: Merge): Merge;
/** The message as it is to be shown. @param {Merge} m @param {JID} own who the account is in its conversation @returns {Content & Relations} */
export function view(m: Merge, own: JID): Content & Relations;
export function mergeOf(m: StoredMessage): Merge;
export function editOf(m: any, stamp: Stamp, count?: number): Merge;
export function reactionsOf(from: JID, emojis: string[], stamp: Stamp): Merge;
/**
 * When something was said; with the position of the event that said it.
 */
export type Stamp = {
    at: Time;
    position?: string;
};
export type Edit = Stamp & {
    content: Content;
};
export type Retraction = Stamp & {
    value: Retracted;
};
/**
 * All reactions of one sender.
 */
export type Said = Stamp & {
    emojis: string[];
};
/**
 * Reactions as a page of the archive has them, which goes from the message to a later time:
 * all that were kept until then.
 */
export type PageReactions = {
    at: Time;
    by: Record<JID, string[]>;
};
/**
 * What is known of one message. Missing: nothing.
 */
export type Merge = {
    /**
     * as it was first written
     */
    base?: Content | undefined;
    /**
     * the last edit
     */
    edit?: Edit | undefined;
    /**
     * how often it was edited, at least
     */
    count?: number | undefined;
    retracted?: Retraction | undefined;
    page?: PageReactions | undefined;
    /**
     * by sender
     */
    said?: Record<string, Said> | undefined;
};
import type { Content } from '../types.d.ts';
import type { StoredMessage } from '../types.d.ts';
import type { JID } from '../types.d.ts';
import type { Reaction } from '../types.d.ts';
import type { Time } from '../types.d.ts';
import type { Relations } from '../types.d.ts';
import type { Retracted } from '../types.d.ts';
