/** @import { ConnectionState, Conversation, JID, Occupants, Perch, Presence, Room, SessionInfo, StoredMessage } from '@perch-im/perch' */
/** @import { Contact, Slice, Waiting } from '@perch-im/perch/slices' */
/** Svelte's store contract, of a store that is only read. @template T
 * @typedef {{ subscribe: (run: (value: T) => void, invalidate?: () => void) => () => void }} Readable */
/** A store of any slice of the state. @template T @param {Perch} perch @param {Slice<T>} of @returns {Readable<T>} */
export function slice<T>(perch: Perch, of: slices.Slice<T>): Readable<T>;
export function session(perch: Perch): Readable<SessionInfo | null>;
export function connection(perch: Perch): Readable<Readonly<ConnectionState>>;
export function outbox(perch: Perch): Readable<slices.Waiting>;
export function roster(perch: Perch): Readable<readonly slices.Contact[]>;
export function contact(perch: Perch, jid: JID): Readable<slices.Contact | undefined>;
export function presence(perch: Perch, jid: JID): Readable<Presence | undefined>;
export function conversations(perch: Perch): Readable<readonly Conversation[]>;
export function conversation(perch: Perch, jid: JID): Readable<Conversation | undefined>;
export function messages(perch: Perch, jid: JID): Readable<readonly StoredMessage[]>;
export function rooms(perch: Perch): Readable<readonly Room[]>;
export function room(perch: Perch, jid: JID): Readable<Room | undefined>;
export function occupants(perch: Perch, jid: JID): Readable<Occupants | undefined>;
export function typing(perch: Perch, jid: JID): Readable<readonly string[]>;
/**
 * Svelte's store contract, of a store that is only read.
 */
export type Readable<T> = {
    subscribe: (run: (value: T) => void, invalidate?: () => void) => () => void;
};
import type { Perch } from '@perch-im/perch';
import * as slices from '@perch-im/perch/slices';
import type { SessionInfo } from '@perch-im/perch';
import type { ConnectionState } from '@perch-im/perch';
import type { JID } from '@perch-im/perch';
import type { Presence } from '@perch-im/perch';
import type { Conversation } from '@perch-im/perch';
import type { StoredMessage } from '@perch-im/perch';
import type { Room } from '@perch-im/perch';
import type { Occupants } from '@perch-im/perch';
