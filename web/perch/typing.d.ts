/** Ends what the other side has begun to write and never ended. */
export class TypingEnds {
    /** @param {(jid: JID) => void} ended */
    constructor(ended: (jid: JID) => void);
    /** @param {JID} jid */
    expect(jid: JID): void;
    /** @param {JID} jid */
    cancel(jid: JID): void;
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
import type { JID } from '../types.d.ts';
import type { ChatState } from '../types.d.ts';
