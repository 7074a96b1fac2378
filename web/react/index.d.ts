/** Gives a client to the components in it. With connect its event stream is open while they are there.
 * @param {{ perch: Perch, connect?: boolean | undefined, children?: ReactNode }} props @returns {ReactElement} */
export function PerchProvider({ perch, connect, children }: {
    perch: Perch;
    connect?: boolean | undefined;
    children?: ReactNode;
}): ReactElement;
/** The client, to send and to ask with. @returns {Perch} */
export function usePerch(): Perch;
/** Any slice of the state. A function that is written in place is called with each render, and may make its value
 * anew: what is equal stays the same object. @template T @param {Slice<T>} slice @returns {T} */
export function useSlice<T>(slice: slices.Slice<T>): T;
export function useSession(): SessionInfo | null;
export function useConnection(): Readonly<ConnectionState>;
export function useOutbox(): slices.Waiting;
export function useRoster(): readonly slices.Contact[];
export function useContact(jid: JID): slices.Contact | undefined;
export function usePresence(jid: JID): Presence | undefined;
export function useConversations(): readonly Conversation[];
export function useConversation(jid: JID): Conversation | undefined;
export function useMessages(jid: JID): readonly StoredMessage[];
export function useRooms(): readonly Room[];
export function useRoom(jid: JID): Room | undefined;
export function useOccupants(jid: JID): Occupants | undefined;
export function useTyping(jid: JID): readonly string[];
import type { Perch } from '@perch-im/perch';
import type { ReactNode } from 'react';
import type { ReactElement } from 'react';
import * as slices from '@perch-im/perch/slices';
import type { SessionInfo } from '@perch-im/perch';
import type { ConnectionState } from '@perch-im/perch';
import type { JID } from '@perch-im/perch';
import type { Presence } from '@perch-im/perch';
import type { Conversation } from '@perch-im/perch';
import type { StoredMessage } from '@perch-im/perch';
import type { Room } from '@perch-im/perch';
import type { Occupants } from '@perch-im/perch';
