/** The extras of a message; of what it replies to the handle is enough.
 * @param {any} m @param {readonly string[]} [fields] @returns {Extra} */
export function extrasOf(m: any, fields?: readonly string[]): Extra;
/** Makes the request of an entry. @param {Rest} rest @param {Entry} e @param {AbortSignal} signal
 * @returns {Promise<{ status: Status, ref?: string }>} */
export function deliver(rest: Rest, e: Entry, signal: AbortSignal): Promise<{
    status: Status;
    ref?: string;
}>;
/** Puts what is written into the store and the outbox. */
export class Sender {
    /** @param {Store} store @param {Outbox} outbox @param {() => void} started called before each new entry */
    constructor(store: Store, outbox: Outbox, started: () => void);
    /** @param {JID} to @param {string} body @param {Extras} extras @returns {Promise<Sent>} */
    send(to: JID, body: string, extras: Extras): Promise<Sent>;
    /** @param {JID} jid @param {OwnChange['kind']} kind @param {string} ref @param {{ id?: string, body?: string, emojis?: string[], reason?: string } & EditExtras} what
     * @returns {Promise<Sent>} */
    change(jid: JID, kind: OwnChange["kind"], ref: string, { id, body, emojis, reason, ...extras }: {
        id?: string;
        body?: string;
        emojis?: string[];
        reason?: string;
    } & EditExtras): Promise<Sent>;
    /** @param {JID} jid @param {string} ref @param {string} body @param {EditExtras} extras @returns {Promise<Sent>} */
    edit(jid: JID, ref: string, body: string, extras: EditExtras): Promise<Sent>;
    /** @param {JID} jid @param {string} id @returns {Promise<Sent | undefined>} */
    retry(jid: JID, id: string): Promise<Sent | undefined>;
    /** @param {JID} jid @param {string} id @returns {Promise<boolean>} */
    cancel(jid: JID, id: string): Promise<boolean>;
    /** Shows an entry of the outbox, unless the store has it. @param {Entry} e */
    show(e: Entry): void;
    /** @param {Entry} e @param {Outcome} outcome */
    completed(e: Entry, outcome: Outcome): void;
    /** The entry is nobody's any more. @param {Entry} e */
    dropped(e: Entry): void;
    /** What is pending in a saved state is in the outbox, even if the storage has lost it. */
    mergePending(): void;
    #private;
}
export type Sent = {
    id: string;
    status: string;
};
import type { Extra } from './outbox.js';
import type { Rest } from './rest.js';
import type { Entry } from './outbox.js';
import type { Status } from '../types.d.ts';
import type { JID } from '../types.d.ts';
import type { Extras } from '../types.d.ts';
import type { OwnChange } from '../types.d.ts';
import type { EditExtras } from '../types.d.ts';
import type { Outcome } from './outbox.js';
import type { Store } from './store.js';
import type { Outbox } from './outbox.js';
