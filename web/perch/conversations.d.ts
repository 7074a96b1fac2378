/** Conversations by the address of the other side. */
export class Conversations {
    /** @param {(change: Change) => void} changed @param {() => JID} account names the account
     * @param {(room: JID) => string | undefined} [nickIn] its nick in a room */
    constructor(changed: (change: Change) => void, account: () => JID, nickIn?: (room: JID) => string | undefined);
    /** @type {JIDMap<Conversation>} */ map: JIDMap<Conversation>;
    /** Grows with each entry of the list that comes as an event. */ sequence: number;
    /** The conversation that an address means: in a room that of one who is there, if there is one, else
     * that of the account or room. @param {JID} jid */
    addressed(jid: JID): string;
    /** The conversation with an account, an empty one when there is none. To read is to change nothing.
     * @param {JID} jid @returns {Conversation} */
    get(jid: JID): Conversation;
    /** All conversations in the order of the list: the same array until one of them changes. @returns {Conversation[]} */
    get list(): Conversation[];
    /** Changes a conversation: f is given a copy. What f returns false for is left as it was, and so is each
     * part of it that is equal to what it was.
     * @param {JID} jid @param {(c: Conversation) => boolean | void} f */
    edit(jid: JID, f: (c: Conversation) => boolean | void): void;
    /** Changes all conversations with one notice. @param {(c: Conversation) => Conversation} f */
    editAll(f: (c: Conversation) => Conversation): void;
    /** @param {Conversation[]} conversations */
    load(conversations: Conversation[]): void;
    newKey(): string;
    /** @param {'in' | 'out'} direction @param {string} event @param {string} time @param {MessageData} d */
    message(direction: "in" | "out", event: string, time: string, d: MessageData): void;
    /** The account has another nick in a room: what it has said there is what that nick has. @param {JID} jid */
    renamed(jid: JID): void;
    /** What the account has of a room says of its conversation. @param {JID} jid @param {string} name @param {boolean} shown whether a list has a place for it */
    ofRoom(jid: JID, name: string, shown: boolean): void;
    /** A conversation that no list has a place for is not kept. @param {JID} jid */
    drop(jid: JID): void;
    /** @param {Events['message.edited']} d @param {import('./merge.js').Stamp} stamp */
    edited(d: Events["message.edited"], stamp: import("./merge.js").Stamp): void;
    /** @param {Events['message.retracted']} d @param {import('./merge.js').Stamp} stamp */
    retracted(d: Events["message.retracted"], stamp: import("./merge.js").Stamp): void;
    /** @param {Events['message.reactions']} d @param {import('./merge.js').Stamp} stamp */
    reacted(d: Events["message.reactions"], stamp: import("./merge.js").Stamp): void;
    /** @param {Events['message.read']} d */
    peerRead({ conversation, ref }: Events["message.read"]): void;
    /** @param {ConversationData} d @param {string} position of the last event before it */
    entryChanged(d: ConversationData, position: string): void;
    /** Entries that were asked for. @param {ConversationData[]} items @param {number} [since] sequence when they were */
    entries(items: ConversationData[], since?: number): void;
    /** @param {ConversationRead} d @param {string} [position] of its event */
    readTo(d: ConversationRead, position?: string): void;
    /** @param {JID} jid @param {OwnChange} change */
    addChange(jid: JID, change: OwnChange): void;
    /** @param {string} id @param {OwnChange['state'] | 'gone'} state @param {string} [error] Reports whether there is such a change. */
    moveChange(id: string, state: OwnChange["state"] | "gone", error?: string): boolean;
    /** Adds a message that was written here, unless it is there. @param {JID} jid @param {StoredMessage} m */
    addLocal(jid: JID, m: StoredMessage): StoredMessage;
    /** A message that has failed is pending again, at the end. @param {JID} jid @param {string} id @param {Partial<StoredMessage>} next */
    sendAgain(jid: JID, id: string, next: Partial<StoredMessage>): void;
    /** Removes a message that was never sent. Reports whether it was there. @param {JID} jid @param {string} id */
    remove(jid: JID, id: string): boolean;
    /** @param {string} id @param {StoredMessage['status']} status @param {{ error?: string, time?: string, ref?: string }} [more] */
    setStatus(id: string, status: StoredMessage["status"], { error, time, ref }?: {
        error?: string;
        time?: string;
        ref?: string;
    }): void;
    /** Merges a page: what was seen as an event is not shown twice. Returns how many messages were
     * new. @param {JID} jid @param {Page} page @param {boolean} older whether the next older page follows this one */
    merge(jid: JID, page: Page, older: boolean): number;
    /** The log is another one: what the one before said is not continued, and messages may be missing. */
    newLog(): void;
    #private;
}
import { JIDMap } from './jids.js';
import type { Conversation } from '../types.d.ts';
import type { JID } from '../types.d.ts';
import type { MessageData } from '../types.d.ts';
import type { Events } from '../types.d.ts';
import type { ConversationData } from '../types.d.ts';
import type { ConversationRead } from '../types.d.ts';
import type { OwnChange } from '../types.d.ts';
import type { StoredMessage } from '../types.d.ts';
import type { Page } from './pages.js';
import type { Change } from '../types.d.ts';
