/** The times of the first and the last entry of a page; null: none has a time.
 * @param {ArchivePage | MessagePage} page @returns {{ first: Time | null, last: Time | null }} */
export function spanOf(page: ArchivePage | MessagePage): {
    first: Time | null;
    last: Time | null;
};
/** @param {ArchivePage | MessagePage} page @param {JID} own
 * @param {Time} [upTo] the time until which the page has all that the archive had @returns {Page} */
export function readPage(page: ArchivePage | MessagePage, own: JID, upTo?: Time): Page;
export function otherSide(m: {
    from: JID;
    to: JID;
}, own: JID): string;
export function directionOf(m: {
    from: JID;
    direction?: string;
}, own: JID): "in" | "out";
export function keysOf(m: {
    ref?: string;
    id: string;
    direction: string;
}): string[];
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
    changed: boolean;
    merge: Merge;
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
import type { ArchivePage } from '../types.d.ts';
import type { MessagePage } from '../types.d.ts';
import type { Time } from '../types.d.ts';
import type { JID } from '../types.d.ts';
import type { Merge } from './merge.js';
