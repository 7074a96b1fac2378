/**
 * The messages that a user has written and the gateway does not have yet. One queue a
 * conversation, with one request under way in each, so that the order of writing is the
 * order of sending; one back-off for all of them. While the event stream is away only a probe
 * is sent. Of several tabs only the one that leads sends; all have the entries, so that any can
 * take over.
 */
export class Outbox {
    /** @param {OutboxPort} port
     * @param {{ storage?: Storage | null, backoff?: import('./backoff.js').BackoffOptions, origin?: string }} [o]
     * origin: the gateway's address, part of the name in the storage */
    constructor(port: OutboxPort, o?: {
        storage?: Storage | null;
        backoff?: import("./backoff.js").BackoffOptions;
        origin?: string;
    });
    /** How many messages wait, and for what. @returns {OutboxState} */
    get state(): OutboxState;
    /** @param {string} id */
    has(id: string): boolean;
    /** Entries in the order of writing. */
    list(): Entry[];
    /** Reports whether one more message has room. @param {string} body */
    fits(body: string): boolean;
    /** Takes a message that was written now; the caller has asked fits. Resolves when the
     * gateway has it, rejects when it has failed, was cancelled, or the token was refused.
     * @param {Extra & { id: string, to: string, body: string }} m */
    add(m: Extra & {
        id: string;
        to: string;
        body: string;
    }): Promise<{
        id: string;
        status: string;
    }>;
    /** Resolves when the gateway has the entry; rejects when it has failed or was cancelled.
     * @param {string} id @returns {Promise<{ id: string, status: string }>} */
    wait(id: string): Promise<{
        id: string;
        status: string;
    }>;
    /** Merges entries of a storage, a saved state or another tab. What this outbox has completed
     * already is not taken again. @param {Entry[]} entries @param {string} [account] */
    merge(entries: Entry[], account?: string): void;
    /** Names the account of this outbox, by a saved state or by the gateway, which proves it.
     * Messages of another account stay in the storage for it and are never sent from here.
     * @param {string} account @param {boolean} proved */
    identify(account: string, proved: boolean): void;
    /** @param {boolean} leading whether this tab sends for all */
    lead(leading: boolean): void;
    /** @param {Gate} gate */
    gate(gate: Gate): void;
    /** A credential was refused: nothing is sent until there is another one. @param {unknown} cause */
    pause(cause: unknown): void;
    /** There is another credential, or a reason to try again. */
    resume(): void;
    /** The gateway has it, as an event or the archive shows: no answer is needed any more.
     * @param {string} id @param {Status} [status] */
    confirm(id: string, status?: Status): void;
    /** Sends a failed message once more, behind what was written since. Reports whether it
     * was here. @param {string} id @param {boolean} [remote] */
    retry(id: string, remote?: boolean): boolean;
    /** Takes back a message. Resolves with whether that was in time: a request that is under
     * way may still succeed. @param {string} id @returns {Promise<boolean>} */
    cancel(id: string): Promise<boolean>;
    /** Forgets every entry of the account. @param {boolean} everywhere in the other tabs too */
    clear(everywhere: boolean): void;
    /** Another tab has posted. @param {Announcement} a */
    onAnnouncement(a: Announcement): void;
    /** Posts every entry to the other tabs, such as when one has joined. */
    share(): void;
    #private;
}
/**
 * What is sent: a message, or with change and ref what is done to an earlier one.
 */
export type Extra = Omit<Extras, "id"> & {
    change?: OwnChange["kind"];
    ref?: string;
    emojis?: string[];
    reason?: string;
};
/**
 * A message from the moment it was written until the gateway has it, or it was refused.
 */
export type Entry = Extra & Written;
/**
 * A message from the moment it was written until the gateway has it, or it was refused.
 */
export type Written = {
    /**
     * idempotency key and stanza id: repeated under it, it is one stanza
     */
    id: string;
    to: string;
    body: string;
    /**
     * when it was written, in milliseconds; grows strictly, and is the order of sending
     */
    at: number;
    state: "pending" | "failed";
    /**
     * why it failed, in one sentence
     */
    error?: string | undefined;
    /**
     * the user took it back; it is dropped unless a request under way succeeds
     */
    cancelled?: boolean | undefined;
    /**
     * whose message it is; "" until the gateway has named the account
     */
    account?: string | undefined;
    /**
     * answers that blame the gateway, but perhaps for this message
     */
    doubtful?: number | undefined;
};
/**
 * What became of an entry.
 */
export type Outcome = {
    is: "sent";
    status: Status;
    ref?: string;
} | {
    is: "failed";
    error: string;
    cause?: unknown;
} | {
    is: "cancelled";
};
/**
 * What one tab posts to the others about the outbox that they share.
 */
export type Announcement = {
    op: "add";
    entries: Entry[];
} | {
    op: "complete";
    id: string;
    outcome: Outcome;
} | {
    op: "retry" | "cancel";
    id: string;
};
/**
 * What an outbox needs of its client.
 */
export type OutboxPort = {
    /**
     * makes one request
     */
    deliver: (e: Entry, signal: AbortSignal) => Promise<{
        status: Status;
        ref?: string;
    }>;
    /**
     * an entry is here that the store must show
     */
    added: (e: Entry) => void;
    completed: (e: Entry, outcome: Outcome) => void;
    /**
     * an entry of another account, which must not be shown here
     */
    dropped: (e: Entry) => void;
    announce: (a: Announcement) => void;
    changed: () => void;
};
/**
 * Whether requests may be made. open: there is no stream to go by. live: the stream is
 * there. away: it is being opened, so only probes. closed: none.
 */
export type Gate = "open" | "live" | "away" | "closed";
import type { OutboxState } from '../types.d.ts';
import type { Status } from '../types.d.ts';
import type { Extras } from '../types.d.ts';
import type { OwnChange } from '../types.d.ts';
