// A program on the types that openapi-typescript makes, with openapi-fetch.
import createClient from 'openapi-fetch';
import { token, url } from '../environment.js';
import type { components, paths } from './client/openapi.js';

type Buddy = components['schemas']['Buddy'];
type Envelope = components['schemas']['Envelope'];

// Answers of other media types, such as lines of events, are left to fetch.
const perch = createClient<paths, 'application/json' | 'application/problem+json'>({ baseUrl: url, headers: { Authorization: `Bearer ${token}` } });

const session = await perch.POST('/v1/session');
if (session.error) throw new Error(session.error.detail ?? session.error.title);
console.log('state', session.data.session.state);

const list = await perch.GET('/v1/buddies', { params: { query: { include: 'presence' } } });
const buddies: Buddy[] = list.data?.items ?? [];
console.log('buddies', buddies.map((b) => b.name).sort().join(' '));
const echo = buddies.find((b) => b.name === 'Echo')?.jid ?? '';

const missing = await perch.GET('/v1/buddies/{jid}', { params: { path: { jid: 'nobody@example.net' } } });
console.log('refused', missing.error?.status, missing.error?.code);

// Both answers are in the type: 200, they were there; 201, they are added.
const added = await perch.POST('/v1/buddies', { body: { jid: echo, name: 'Echo' } });
console.log('added', added.response.status, added.data?.name);

const start = await perch.GET('/v1/events', { params: { query: { wait: 0 } } });
const sent = await perch.POST('/v1/messages', { body: { to: echo, body: 'hello' } });
console.log('message', sent.response.status, sent.data?.status === undefined ? 'without a status' : 'with a status');

/** The body of the next message that arrives. */
async function received(since: string): Promise<string> {
  const poll = await perch.GET('/v1/events', { params: { query: { since, wait: 20 } } });
  if (poll.error) throw new Error(poll.error.title);
  const events: Envelope[] = poll.data.events;
  for (const event of events) {
    if (event.type === 'message.received') return event.data.body; // the discriminator says what data is
  }
  return received(poll.data.next);
}
console.log('received', await received(start.data?.next ?? ''));
