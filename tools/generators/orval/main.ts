// A program on the client that orval makes.
import { addBuddy, getBuddy, getSession, listBuddies, sendMessage, streamEvents } from './client/perch.js';
import type { Buddy, BuddyByJID, Envelope, MessageReceivedEvent } from './client/model/index.js';

const session = await getSession();
if (session.status !== 200) throw new Error('the session was refused');
console.log('state', session.data.state);

const list = await listBuddies({ include: 'presence' });
if (list.status !== 200) throw new Error('the buddies were refused');
const buddies: Buddy[] = list.data.items;
console.log('buddies', buddies.map((b) => b.name).sort().join(' '));
const echo = buddies.find((b) => b.name === 'Echo')?.jid ?? '';

const missing = await getBuddy('nobody@example.net');
if (missing.status === 200 || missing.status === 304) throw new Error('a buddy that is nobody');
console.log('refused', missing.data.status, missing.data.code);

const whom: BuddyByJID = { jid: echo, name: 'Echo' };
const added = await addBuddy(whom);
if (added.status !== 200 && added.status !== 201) throw new Error(added.data.title);
console.log('added', added.status, added.data.name);

async function poll(since: string | undefined, wait: number): Promise<{ events: Envelope[]; next: string }> {
  const answer = await streamEvents({ ...(since !== undefined && { since }), wait });
  if (answer.status !== 200 || !('data' in answer) || typeof answer.data === 'string') throw new Error('the events were refused');
  return answer.data;
}

const start = await poll(undefined, 0);
const sent = await sendMessage({ to: echo, body: 'hello' });
if (sent.status !== 200 && sent.status !== 202) throw new Error(sent.data.title);
console.log('message', sent.status, sent.data.status === undefined ? 'without a status' : 'with a status');

const isMessage = (event: Envelope): event is MessageReceivedEvent => event.type === 'message.received';

async function received(since: string): Promise<string> {
  const { events, next } = await poll(since, 20);
  return events.find(isMessage)?.data.body ?? received(next);
}
console.log('received', await received(start.next));
