// What the console does, as requests to copy: those that make sense now.

/** @typedef {import('./pane.js').Pane} Pane */
/** @typedef {import('./curl.js').Call} Call */
/** @typedef {[string, Call | false | undefined]} Named */

/** @param {string} base @param {string} jid @param {string} [part] */
const of = (base, jid, part) => `/v1/${base}/${encodeURIComponent(jid)}${part ? `/${part}` : ''}`;

/** Groups of calls, each with a heading. @param {Pane} pane @returns {{ heading: string, calls: [string, Call][] }[]} */
export function callsOf(pane) {
  const { jid } = pane.chat;
  const groups = [
    ...(jid ? [{ heading: pane.nameOf(jid), calls: ofConversation(pane, jid) }] : []),
    { heading: 'People', calls: ofPeople(pane) },
    { heading: 'You', calls: ofAccount(pane) },
    { heading: 'Tokens and readers', calls: ofReaders(pane) },
  ];
  const there = (/** @type {Named} */ c) => Boolean(c[1]);
  return groups.map(({ heading, calls }) => ({ heading, calls: /** @type {[string, Call][]} */ (calls.filter(there)) }));
}

/** @param {Pane} pane @param {string} jid @returns {Named[]} */
function ofConversation(pane, jid) {
  const { perch, chat } = pane;
  const room = perch.store.conversation(jid).type === 'room';
  const buddy = perch.store.buddies.get(jid);
  const body = chat.composer.input.value || 'Hello!';
  return [
    ['Send a message', { method: 'POST', path: '/v1/messages', body: { to: jid, body } }],
    ['Read the archive', { path: `/v1/archive?with=${encodeURIComponent(jid)}&limit=10` }],
    ['Fetch the card', !room && { path: of('vcards', jid) }],
    ['Rename a buddy', buddy && { method: 'PATCH', path: of('buddies', jid), body: { name: buddy.name || jid.split('@')[0] } }],
    ['List who is here', room && { path: of('rooms', jid, 'occupants') }],
    ['Block', !room && perch.can('blocking') && { method: 'PUT', path: of('blocked', jid), body: {} }],
  ];
}

/** @param {Pane} pane @returns {Named[]} */
function ofPeople({ perch }) {
  const [invitation] = perch.store.invitations.keys();
  const [room] = perch.store.roomInvitations.keys();
  const rooms = perch.can('rooms');
  const finds = perch.store.session?.features?.includes('jid-lookup');
  return [
    ['List buddies', { path: '/v1/buddies?include=presence' }],
    ['Add a buddy', { method: 'POST', path: '/v1/buddies', body: { [finds ? 'account' : 'jid']: 'name@example.org' } }],
    ['Accept an invitation', invitation !== undefined && { method: 'POST', path: of('invitations', invitation, 'accept') }],
    ['List conversations', perch.can('conversations') && { path: '/v1/conversations' }],
    ['Search messages', perch.can('search') && { path: '/v1/archive?q=hello' }],
    ['Find rooms', rooms && { path: '/v1/directory?limit=50' }],
    ['Join a room', rooms && { method: 'PUT', path: of('rooms', room ?? 'tea@rooms.example.org'), body: {} }],
    ['Whom you block', perch.can('blocking') && { path: '/v1/blocked' }],
  ];
}

/** @param {Pane} pane @returns {Named[]} */
function ofAccount({ session }) {
  return [
    ['The event stream', { path: '/v1/events', accept: 'application/x-ndjson' }],
    ['State of the session', { path: '/v1/session' }],
    ['Set your presence', { method: 'PUT', path: '/v1/presence/me', body: session.presence() }],
    ['Your card', { path: '/v1/vcards/me' }],
    ['Sign out', { method: 'DELETE', path: '/v1/session' }],
  ];
}

/** @param {Pane} pane @returns {Named[]} */
function ofReaders({ perch }) {
  return [
    ['List tokens', { path: '/v1/tokens' }],
    ['Make a token', { method: 'POST', path: '/v1/tokens', body: { name: 'reader', scopes: ['read'] } }],
    ['List webhooks', { path: '/v1/webhooks' }],
    ['List push subscriptions', perch.can('push') && { path: '/v1/push' }],
  ];
}
