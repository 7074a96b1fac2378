/**
 * Svelte stores on perch.js: each one is a part of the account, and tells its subscribers of changes of that part alone.
 *
 *     const list = conversations(perch);   // in a component: {#each $list as c (c.jid)}
 *
 * They are the slices of @perch-im/perch/slices under Svelte's store contract, which the components of every
 * version understand; nothing of Svelte itself is needed.
 *
 * @module @perch-im/svelte
 */

import * as slices from '@perch-im/perch/slices';

/** @import { ConnectionState, Conversation, JID, Occupants, Perch, Presence, Room, SessionInfo, StoredMessage } from '@perch-im/perch' */
/** @import { Contact, Slice, Waiting } from '@perch-im/perch/slices' */

/** Svelte's store contract, of a store that is only read. @template T
 * @typedef {{ subscribe: (run: (value: T) => void, invalidate?: () => void) => () => void }} Readable */

/** A store of any slice of the state. @template T @param {Perch} perch @param {Slice<T>} of @returns {Readable<T>} */
export function slice(perch, of) {
  const { subscribe, getSnapshot } = slices.select(perch, of);
  return {
    subscribe(run) {
      run(getSnapshot());
      return subscribe(() => run(getSnapshot()));
    },
  };
}

/** The session, null before the stream has begun. @param {Perch} perch @returns {Readable<SessionInfo | null>} */
export const session = (perch) => slice(perch, slices.session);

/** The way to the gateway: its state, and when it is tried again. @param {Perch} perch @returns {Readable<Readonly<ConnectionState>>} */
export const connection = (perch) => slice(perch, slices.connection);

/** What waits to be sent. @param {Perch} perch @returns {Readable<Waiting>} */
export const outbox = (perch) => slice(perch, slices.outbox);

/** The buddies with their presence, by name. @param {Perch} perch @returns {Readable<readonly Contact[]>} */
export const roster = (perch) => slice(perch, slices.roster);

/** A buddy with its presence. @param {Perch} perch @param {JID} jid @returns {Readable<Contact | undefined>} */
export const contact = (perch, jid) => slice(perch, slices.contact(jid));

/** @param {Perch} perch @param {JID} jid @returns {Readable<Presence | undefined>} */
export const presence = (perch, jid) => slice(perch, slices.presence(jid));

/** The conversations, pinned ones first, then by activity. @param {Perch} perch @returns {Readable<readonly Conversation[]>} */
export const conversations = (perch) => slice(perch, slices.conversations);

/** @param {Perch} perch @param {JID} jid @returns {Readable<Conversation | undefined>} */
export const conversation = (perch, jid) => slice(perch, slices.conversation(jid));

/** The messages of one conversation, oldest first. @param {Perch} perch @param {JID} jid @returns {Readable<readonly StoredMessage[]>} */
export const messages = (perch, jid) => slice(perch, slices.messages(jid));

/** The rooms of the account, by name. @param {Perch} perch @returns {Readable<readonly Room[]>} */
export const rooms = (perch) => slice(perch, slices.rooms);

/** @param {Perch} perch @param {JID} jid @returns {Readable<Room | undefined>} */
export const room = (perch, jid) => slice(perch, slices.room(jid));

/** Who is in a room, once loadOccupants was called for it. @param {Perch} perch @param {JID} jid @returns {Readable<Occupants | undefined>} */
export const occupants = (perch, jid) => slice(perch, slices.occupants(jid));

/** Who is writing: in a room nicks, else the address of the other side. @param {Perch} perch @param {JID} jid @returns {Readable<readonly string[]>} */
export const typing = (perch, jid) => slice(perch, slices.typing(jid));
