/** @param {JID} jid @returns {Conversation} */
export function blank(jid: JID): Conversation;
/** Recomputes what follows from the rest. c is the caller's own copy. @param {Conversation} c @param {JID} own @returns {Conversation} */
export function settle(c: Conversation, own: JID): Conversation;
/** An entry of the list that conversation.changed or an answer has brought. c is the caller's
 * own copy. @param {Conversation} c @param {ConversationData} d @param {{ position?: string, direction?: 'in' | 'out' }} from
 * position: of the last event before it in the stream */
export function applyEntry(c: Conversation, d: ConversationData, { position, direction }: {
    position?: string;
    direction?: "in" | "out";
}): void;
/** Settings of an entry. @param {Conversation} c @param {ConversationData} d */
export function applySettings(c: Conversation, d: ConversationData): void;
/** The account has read further. Without a position it is the answer of a request, or a
 * reading that no answer has confirmed. c is the caller's own copy.
 * @param {Conversation} c @param {{ read: ReadPosition | null, unread: number, mentions: number }} d @param {string} [position] */
export function applyRead(c: Conversation, { read, unread, mentions }: {
    read: ReadPosition | null;
    unread: number;
    mentions: number;
}, position?: string): void;
/** A message has arrived that was not read. c is the caller's own copy. @param {Conversation} c @param {StoredMessage} m
 * @param {boolean} mention whether it names the account */
export function countMessage(c: Conversation, m: StoredMessage, mention: boolean): void;
export function byActivity(a: Conversation, b: Conversation): number;
export function belongs(c: Conversation): boolean;
/**
 * A message that has come since the gateway has counted.
 */
export type Fresh = {
    event: string;
    time: Time;
    ref?: string;
    mention: boolean;
};
/**
 * What merging needs of one conversation, beside what it shows.
 */
export type State = {
    /**
     * the last message of the gateway's list
     */
    head: StoredMessage | null;
    /**
     * of the gateway's list
     */
    activity: Time | null;
    /**
     * the
     * gateway's, what it covers (a position of the log, a time), and what came later
     */
    count: {
        unread: number;
        mentions: number;
        position: string;
        through: Time;
        fresh: Fresh[];
    };
    /**
     * what refers to messages that are not here
     */
    pending: Record<string, Merge>;
    changes: OwnChange[];
    /**
     * when the oldest page begins, which a page before it goes up to
     */
    prevAt?: string | undefined;
    /**
     * the account has a room of this address, and a list has a place for it
     */
    room: boolean;
    /**
     * the gateway does not have the draft yet
     */
    unsaved: boolean;
    /**
     * the last change of the list that came as an event, see Conversations.sequence
     */
    changed: number;
};
import type { JID } from '../types.d.ts';
import type { Conversation } from '../types.d.ts';
import type { ConversationData } from '../types.d.ts';
import type { ReadPosition } from '../types.d.ts';
import type { StoredMessage } from '../types.d.ts';
import type { Time } from '../types.d.ts';
import type { Merge } from './merge.js';
import type { OwnChange } from '../types.d.ts';
