/** The whole state of a client, always the same source. @param {Perch} perch @returns {Watched<State>} */
export function stateOf(perch: Perch): Watched<State>;
/** One slice of the state. Subscribers are called when it has changed, and not for anything else; what an own
 * slice makes anew stays the same object as long as it is equal.
 * @template T @param {Perch} perch @param {Slice<T>} slice @returns {Watched<T>} */
export function select<T>(perch: Perch, slice: Slice<T>): Watched<T>;
/** The buddies with their presence, by name. @param {State} s @returns {readonly Contact[]} */
export function roster(s: State): readonly Contact[];
/** Who is writing: in a room nicks, else the address of the other side; nobody is long after the last sign of it.
 * @param {JID} jid @returns {Slice<readonly string[]>} */
export function typing(jid: JID): Slice<readonly string[]>;
export { reuse };
export function session(s: State): SessionInfo | null;
export function connection(s: State): Readonly<ConnectionState>;
export function outbox(s: State): Readonly<Pick<OutboxState, "failed" | "pending" | "waits">>;
export function conversations(s: State): readonly Conversation[];
export function conversation(jid: JID): Slice<Conversation | undefined>;
export function messages(jid: JID): Slice<readonly StoredMessage[]>;
export function presence(jid: JID): Slice<Presence | undefined>;
export function contact(jid: JID): Slice<Contact | undefined>;
export function rooms(s: State): readonly Room[];
export function room(jid: JID): Slice<Room | undefined>;
export function occupants(jid: JID): Slice<Occupants | undefined>;
/**
 * What the store has, and what is known of the way to the gateway.
 */
export type State = StoreSnapshot & {
    readonly connection: Readonly<ConnectionState>;
    readonly outbox: Waiting;
};
/**
 * What waits to be sent.
 */
export type Waiting = Readonly<Pick<OutboxState, "pending" | "failed" | "waits">>;
/**
 * A buddy with its presence.
 */
export type Contact = Buddy & {
    presence: Presence | undefined;
};
/**
 * Both functions may be called unbound.
 */
export type Watched<T> = {
    subscribe: (changed: () => void) => () => void;
    getSnapshot: () => T;
};
export type Slice<T> = (state: State) => T;
import type { Perch } from './perch.js';
import type { JID } from './types.d.ts';
import { reuse } from './perch/reuse.js';
import type { SessionInfo } from './types.d.ts';
import type { ConnectionState } from './types.d.ts';
import type { OutboxState } from './types.d.ts';
import type { Conversation } from './types.d.ts';
import type { StoredMessage } from './types.d.ts';
import type { Presence } from './types.d.ts';
import type { Room } from './types.d.ts';
import type { Occupants } from './types.d.ts';
import type { StoreSnapshot } from './types.d.ts';
import type { Buddy } from './types.d.ts';
