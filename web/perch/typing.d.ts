/** Who writes, after somebody has begun to. In a chat there is one other side, in a room each nick is one.
 * @param {Conversation} c @param {ChatState} state @param {string} [nick] @returns {Pick<Conversation, 'typing' | 'writing'>} */
export function withWriter(c: Conversation, state: ChatState, nick?: string): Pick<Conversation, "typing" | "writing">;
/** Who writes, after somebody does no more. @param {Conversation} c @param {string} [nick] @returns {Pick<Conversation, 'typing' | 'writing'>} */
export function withoutWriter(c: Conversation, nick?: string): Pick<Conversation, "typing" | "writing">;
/** Ends what the other side, or one in a room, has begun to write and never ended. */
export class TypingEnds {
    /** @param {(jid: JID, nick?: string) => void} ended */
    constructor(ended: (jid: JID, nick?: string) => void);
    /** @param {JID} jid @param {string} [nick] */
    expect(jid: JID, nick?: string): void;
    /** @param {JID} jid @param {string} [nick] */
    cancel(jid: JID, nick?: string): void;
    clear(): void;
    #private;
}
/** Tells the other side that the user writes, and that it has ended. */
export class Typing {
    /** @param {(jid: JID, state: ChatState) => void} send */
    constructor(send: (jid: JID, state: ChatState) => void);
    /** A key was pressed. @param {JID} jid */
    input(jid: JID): void;
    /** The user does not write any more. @param {JID} jid */
    end(jid: JID): void;
    /** The message was sent, which says all. @param {JID} jid */
    sent(jid: JID): void;
    clear(): void;
    #private;
}
import type { Conversation } from '../types.d.ts';
import type { ChatState } from '../types.d.ts';
import type { JID } from '../types.d.ts';
