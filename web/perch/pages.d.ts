/** The conversation that a message is in. @param {Addressed} m @param {'in' | 'out'} direction */
export function conversationOf(m: Addressed, direction: "in" | "out"): string;
/** Whether the account wrote a message. @param {Omit<Addressed, 'to'>} m @param {JID} own @returns {'in' | 'out'} */
export function directionOf(m: Omit<Addressed, "to">, own: JID): "in" | "out";
/** The times of the first and the last entry of a page; null: none has a time.
 * @param {ArchivePage | MessagePage} page @returns {{ first: Time | null, last: Time | null }} */
export function spanOf(page: ArchivePage | MessagePage): {
    first: Time | null;
    last: Time | null;
};
/** @param {ArchivePage | MessagePage} page @param {JID} own
 * @param {Time} [upTo] the time until which the page has all that the archive had @returns {Page} */
export function readPage(page: ArchivePage | MessagePage, own: JID, upTo?: Time): Page;
/** The keys under which something may be kept that is about a message.
 * @param {{ ref?: string, id: string, direction: string, room?: MessageData['room'] }} m */
export function keysOf({ ref, id, direction, room }: {
    ref?: string;
    id: string;
    direction: string;
    room?: MessageData["room"];
}): string[];
export function kindOf(m: Pick<Addressed, "kind" | "room">): ConversationKind;
export function archiveIDOf(m: {
    kind?: string;
    stanza_id?: string;
    room_stanza_id?: string;
}): string | undefined;
/**
 * One message of a page.
 */
export type Item = {
    archive: string;
    id: string;
    ref?: string;
    direction: "in" | "out";
    body: string;
    time: Time;
    thread?: string;
    room?: MessageData["room"];
    changed: boolean;
    merge: Merge;
};
/**
 * What says where a message belongs.
 */
export type Addressed = {
    from: JID;
    to: JID;
    kind?: string;
    direction?: string;
    room?: MessageData["room"];
};
/**
 * What a page says about a message that may be elsewhere: by its ref, or by its id on the wire
 * and whose message it can be; the last one is where it waits.
 */
export type About = {
    keys: string[];
    merge: Merge;
};
export type Page = {
    items: Item[];
    about: About[];
    prev: string | null;
    first: Time | null;
    complete: boolean;
};
import type { JID } from '../types.d.ts';
import type { ArchivePage } from '../types.d.ts';
import type { MessagePage } from '../types.d.ts';
import type { Time } from '../types.d.ts';
import type { MessageData } from '../types.d.ts';
import type { ConversationKind } from '../types.d.ts';
import type { Merge } from './merge.js';
