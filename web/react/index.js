/**
 * React hooks on perch.js: each component reads the part of the account that it shows, and is rendered when that
 * part has changed, and for nothing else.
 *
 *     <PerchProvider perch={perch}><App /></PerchProvider>
 *     const list = useConversations();
 *
 * All of it is useSyncExternalStore on the slices of @perch-im/perch/slices.
 *
 * @module @perch-im/react
 */

import * as slices from '@perch-im/perch/slices';
import { createContext, createElement, useContext, useEffect, useMemo, useSyncExternalStore } from 'react';

/** @import { ReactNode, ReactElement } from 'react' */
/** @import { ConnectionState, Conversation, JID, Occupants, Perch, Presence, Room, SessionInfo, StoredMessage } from '@perch-im/perch' */
/** @import { Contact, Slice, Waiting } from '@perch-im/perch/slices' */

/** @type {import('react').Context<Perch | null>} */
const PerchContext = createContext(/** @type {Perch | null} */ (null));

/** Gives a client to the components in it. With connect its event stream is open while they are there.
 * @param {{ perch: Perch, connect?: boolean | undefined, children?: ReactNode }} props @returns {ReactElement} */
export function PerchProvider({ perch, connect = false, children }) {
  useEffect(() => {
    if (!connect) return;
    perch.connect();
    return () => perch.disconnect();
  }, [perch, connect]);
  return createElement(PerchContext.Provider, { value: perch }, children);
}

/** The client, to send and to ask with. @returns {Perch} */
export function usePerch() {
  const perch = useContext(PerchContext);
  if (!perch) throw new Error('There is no PerchProvider around this component');
  return perch;
}

/** Any slice of the state. A function that is written in place is called with each render, and may make its value
 * anew: what is equal stays the same object. @template T @param {Slice<T>} slice @returns {T} */
export function useSlice(slice) {
  const perch = usePerch();
  const { subscribe, getSnapshot } = useMemo(() => slices.select(perch, slice), [perch, slice]);
  return useSyncExternalStore(subscribe, getSnapshot, getSnapshot);
}

/** A slice of one address. @template T @param {(jid: JID) => Slice<T>} of @param {JID} jid @returns {T} */
function useSliceOf(of, jid) {
  return useSlice(useMemo(() => of(jid), [of, jid]));
}

/** The session, null before the stream has begun. @returns {SessionInfo | null} */
export const useSession = () => useSlice(slices.session);

/** The way to the gateway: its state, and when it is tried again. @returns {Readonly<ConnectionState>} */
export const useConnection = () => useSlice(slices.connection);

/** What waits to be sent. @returns {Waiting} */
export const useOutbox = () => useSlice(slices.outbox);

/** The buddies with their presence, by name. @returns {readonly Contact[]} */
export const useRoster = () => useSlice(slices.roster);

/** A buddy with its presence. @param {JID} jid @returns {Contact | undefined} */
export const useContact = (jid) => useSliceOf(slices.contact, jid);

/** @param {JID} jid @returns {Presence | undefined} */
export const usePresence = (jid) => useSliceOf(slices.presence, jid);

/** The conversations, pinned ones first, then by activity. @returns {readonly Conversation[]} */
export const useConversations = () => useSlice(slices.conversations);

/** @param {JID} jid @returns {Conversation | undefined} */
export const useConversation = (jid) => useSliceOf(slices.conversation, jid);

/** The messages of one conversation, oldest first. @param {JID} jid @returns {readonly StoredMessage[]} */
export const useMessages = (jid) => useSliceOf(slices.messages, jid);

/** The rooms of the account, by name. @returns {readonly Room[]} */
export const useRooms = () => useSlice(slices.rooms);

/** @param {JID} jid @returns {Room | undefined} */
export const useRoom = (jid) => useSliceOf(slices.room, jid);

/** Who is in a room, once loadOccupants was called for it. @param {JID} jid @returns {Occupants | undefined} */
export const useOccupants = (jid) => useSliceOf(slices.occupants, jid);

/** Who is writing: in a room nicks, else the address of the other side. @param {JID} jid @returns {readonly string[]} */
export const useTyping = (jid) => useSliceOf(slices.typing, jid);
