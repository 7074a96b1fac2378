// What may be done here: the gateway may be older than this client, and the XMPP service may have
// less than the gateway.

/** @import { SessionInfo } from '../types.d.ts' */
/** What a client may ask for. @typedef {'conversations' | 'edit' | 'retract' | 'react' | 'reply' | 'attach' | 'upload' | 'rooms' | 'blocking' | 'search' | 'stanzas' | 'push'} Ability */

/** The feature of gateway and session that each needs; the gateway has conversations and push
 * messages on every service. @type {Record<Ability, string>} */
const needs = {
  conversations: 'conversations',
  edit: 'message-edit',
  retract: 'message-retract',
  react: 'message-react',
  reply: 'message-edit', // a service that knows none of them takes plain chat messages only
  attach: 'message-edit',
  upload: 'uploads',
  rooms: 'rooms',
  blocking: 'blocking',
  search: 'search',
  stanzas: 'stanzas',
  push: 'push',
};

/** @param {{ features: string[], session: SessionInfo | null }} store @param {Ability} what */
export function can({ features, session }, what) {
  const feature = needs[what];
  if (what === 'search') return Boolean(session?.features?.some((f) => f === feature)); // an older gateway has none there
  if (!features.includes(feature)) return false;
  if (what === 'stanzas') return Boolean(session?.features?.some((f) => f === 'rooms')); // more than chat
  return what === 'conversations' || what === 'push' || Boolean(session?.features?.some((f) => f === feature));
}
