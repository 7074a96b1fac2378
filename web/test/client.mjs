import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Perch, PerchError } from '../perch.js';
import { bodies, client, direct, isFresh, live, stage, until, url } from './kit.mjs';

const echo = await stage('jid', { user: 'echo' });
const bob = await stage('jid', { user: 'bob' });

test('REST: typed calls, and problems as errors', async () => {
  const perch = client();
  assert.equal((await perch.openSession()).session.state, 'online');
  assert.ok((await perch.listBuddies({ q: 'echo' })).items.some((b) => b.jid === echo));
  assert.equal((await perch.getBuddy(echo)).name, 'Echo');
  assert.equal((await perch.lookupJID('dora@contoso.com')).account, 'dora@contoso.com');
  assert.equal((await perch.getVCard(echo)).full_name, 'Echo Bot');
  assert.equal((await perch.getPhoto(echo)).type, 'image/png');
  assert.equal(perch.can('blocking'), false);
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  const none = [() => perch.listBlocked(), () => perch.block(echo, { reason: 'spam' }), () => perch.unblock(echo)];
  none.push(
    () => perch.unblockAll(),
    () => perch.setOwnPhoto(png),
    () => perch.removeOwnPhoto(),
  );
  for (const f of none) await assert.rejects(f, { code: 'feature-unsupported', status: 501 });
  assert.equal((await perch.setOwnPresence({ show: 'away', status: 'tea' })).show, 'away');
  assert.deepEqual(await perch.getOwnPresence(), { available: true, show: 'away', status: 'tea', priority: 0 });
  assert.ok((await perch.getArchive({ with: bob, limit: 3 })).items.length > 0);
  assert.ok((await perch.poll()).events.length > 0);
  await perch.setChatState(echo, 'active');
  await assert.rejects(perch.getBuddy('nobody@messenger.live.com'), (e) => e instanceof PerchError && e.status === 404);
  await assert.rejects(perch.removeBuddy(echo), (e) => e.status === 501 && e.code === 'feature-unsupported' && !e.temporary);
});

test('a token that a function fetches is asked for again when it was refused', async () => {
  const asked = [];
  const perch = client({ token: ({ refused }) => (asked.push(refused), refused ? 'demo-carol' : 'nonsense') });
  assert.equal((await perch.getSession()).state, 'online');
  assert.deepEqual(asked, [false, true]);
  const streaming = client({ token: ({ refused }) => (refused ? 'demo-carol' : 'nonsense') });
  streaming.connect();
  await live(streaming);
  streaming.disconnect();
});

for (const [name, options] of Object.entries({
  'a bearer socket': { transport: 'ws' },
  'a ticket socket': { transport: 'ws', auth: 'ticket' },
  SSE: { transport: 'sse' },
})) {
  test(`the store over ${name} is a fresh snapshot`, async () => {
    const perch = client(options);
    perch.connect();
    await live(perch);
    assert.equal(perch.connection.transport, options.transport);
    await isFresh(perch);
    await stage('presence', { user: 'echo', show: 'dnd', status: name });
    await until('the presence', () => perch.store.presence.get(echo)?.status === name);
    perch.disconnect();
    assert.equal(perch.connection.state, 'idle');
  });
}

test('a page without a token has events by tickets', async () => {
  const holder = client();
  const perch = new Perch({ url, ticket: async () => (await holder.createTicket()).ticket });
  perch.connect();
  await live(perch);
  assert.ok(perch.store.buddies.has(echo));
  const paths = [];
  perch.on('request', ({ path }) => paths.push(path));
  const { id } = await perch.send(echo, 'by a ticket');
  const texts = () => perch.store.conversations.get(echo)?.messages.map((m) => m.body) ?? [];
  await until('the answer', () => texts().includes('You said: by a ticket'));
  assert.equal(perch.store.conversations.get(echo).messages.filter((m) => m.id === id).length, 1);
  await perch.setChatState(echo, 'active');
  await assert.rejects(perch.send('nobody@elsewhere.example', 'x'.repeat(70_000)), { code: 'body-too-large' });
  assert.deepEqual(paths, [], 'a page without a token makes no request');
  perch.disconnect();
});

test('SSE takes over where sockets are blocked', async () => {
  class Blocked extends EventTarget {
    constructor() {
      super();
      setTimeout(() => this.onclose?.({ code: 1006, reason: '' }));
    }
    close() {}
  }
  const perch = client({ WebSocket: Blocked });
  perch.connect();
  await live(perch);
  assert.equal(perch.connection.transport, 'sse');
  perch.disconnect();
});

test('a message is sent once when answers are lost, and its status follows', async () => {
  let failures = 3;
  const perch = client({
    transport: 'sse',
    fetch: async (input, init) => {
      const answer = await fetch(input, init);
      if (init.method === 'POST' && String(input).endsWith('/v1/messages') && failures-- > 0) throw new TypeError('the answer was lost');
      return answer;
    },
  });
  perch.connect();
  await live(perch);
  const changes = [];
  const end = perch.store.subscribe((c) => changes.push(c.what));
  const sent = perch.send(echo, 'only once, please');
  assert.equal(perch.store.conversations.get(echo).messages.at(-1).status, 'pending');
  await sent;
  await until('the answer', () => bodies(perch, echo).includes('You said: only once, please'));
  await perch.send(echo, 'the last');
  await until('what comes after it', () => bodies(perch, echo).includes('You said: the last')); // a second one would be before it
  assert.equal(bodies(perch, echo).filter((b) => b === 'You said: only once, please').length, 1);
  assert.equal(bodies(perch, echo, 'out').filter((b) => b === 'only once, please').length, 1);
  assert.notEqual(perch.store.conversations.get(echo).messages.find((m) => m.direction === 'out').status, 'pending');
  assert.ok(changes.includes('conversations'));
  end();
  perch.disconnect();
});

test('a message that is refused is marked and says why', async () => {
  const perch = client();
  await assert.rejects(perch.send('not a jid@@', 'x'), PerchError);
  const [m] = [...perch.store.conversations.values()][0].messages;
  assert.equal(m.status, 'failed');
  assert.match(m.error, /\/to/);
});

test('history is merged with what was seen, paging to its beginning', async () => {
  const perch = client();
  perch.connect();
  await live(perch);
  await stage('deliver', { from: 'bob', to: 'alice', body: 'seen and archived' });
  await until('the message', () => bodies(perch, bob).includes('seen and archived'));
  await perch.loadHistory(bob);
  await perch.loadHistory(bob);
  const c = perch.store.conversations.get(bob);
  assert.equal(c.messages.filter((m) => m.body === 'seen and archived').length, 1);
  assert.ok(c.messages.some((m) => m.body === 'With flamingos!'));
  assert.deepEqual(
    c.messages.map((m) => m.time),
    c.messages.map((m) => m.time).toSorted(),
  );
  assert.ok(c.complete);
  perch.disconnect();
});

test('a saved state resumes from its cursor', async () => {
  const first = client();
  first.connect();
  await live(first);
  await first.send(echo, 'before the reload');
  await until('the answer', () => bodies(first, echo).includes('You said: before the reload'));
  const saved = JSON.parse(JSON.stringify(first.save()));
  first.disconnect();
  await stage('deliver', { from: 'bob', to: 'alice', body: 'during the reload' });
  const hellos = [];
  const second = client({ state: saved });
  second.on('hello', (f) => hellos.push(f.data));
  second.connect();
  await live(second);
  await until('the message', () => bodies(second, bob).includes('during the reload'));
  assert.equal(hellos[0].resumed, true);
  assert.equal(bodies(second, echo).filter((b) => b === 'You said: before the reload').length, 1);
  await isFresh(second);
  second.disconnect();
});

test('silence is a cut: a half-open stream is opened again', async () => {
  const perch = client({ url: direct, silence: 300, transport: 'sse' });
  perch.connect();
  await live(perch);
  const before = perch.connection.connects;
  await until('another connection', () => perch.connection.connects > before && perch.connection.state === 'live');
  perch.disconnect();
});

test('a refused token stops the stream, and reconnect starts it again', async () => {
  const perch = client({ token: 'nonsense', transport: 'sse' });
  perch.connect();
  await until('stopped', () => perch.connection.state === 'stopped');
  assert.equal(perch.connection.code, 4001);
  const states = [];
  perch.on('connection', (c) => states.push(c.state));
  perch.reconnect();
  await until('stopped again', () => states.at(-1) === 'stopped');
  assert.deepEqual(states, ['connecting', 'stopped']);
  perch.disconnect();
});

test('a closed session stops the stream with 4004', async () => {
  const perch = client({ token: 'demo-carol', transport: 'ws' });
  perch.connect();
  await live(perch);
  await client({ token: 'demo-carol' }).request('DELETE', '/v1/session');
  await until('stopped', () => perch.connection.state === 'stopped');
  assert.equal(perch.connection.code, 4004);
  perch.disconnect();
});

test('invitations and buddies follow events', async () => {
  const perch = client();
  perch.connect();
  await live(perch);
  const mary = await stage('jid', { user: 'mary' });
  await until('the invitation', () => perch.store.invitations.get(mary)?.nick === 'Mary from accounting');
  await perch.acceptInvitation(mary, { name: 'Mary' });
  await until('the buddy', () => perch.store.buddies.has(mary) && !perch.store.invitations.has(mary));
  const dora = await perch.addBuddy({ account: 'dora@contoso.com', nick: 'Alice' });
  await until('dora comes', () => perch.store.presence.get(dora.jid)?.available || perch.store.buddies.has(dora.jid));
  await isFresh(perch);
  perch.disconnect();
});

test('the XMPP link is cut: the session reports it and reconnects, the cache is stale in between', async () => {
  const perch = client();
  perch.connect();
  await live(perch);
  const states = [];
  perch.on('session.state', (f) => states.push(f.data.state));
  await perch.sendMessage({ to: (await perch.lookupJID('scissors@contoso.com')).jid, body: 'cut' });
  await until('back', () => states.includes('reconnecting') && states.at(-1) === 'online');
  assert.equal(perch.store.session.state, 'online');
  await isFresh(perch);
  perch.disconnect();
});

test('the token has expired: what was known can be read, is marked stale, and is live again with a fresh token', async () => {
  const token = await stage('issue', { user: 'carol' });
  const perch = client({ token });
  perch.connect();
  await live(perch);
  const wanda = await stage('jid', { user: 'wanda' });
  await stage('revoke', { token });
  await stage('drop', { user: 'carol' });
  await until('suspended', () => perch.store.session.state === 'suspended');
  assert.equal(perch.store.session.reason, 'credentials');
  assert.equal(perch.store.presence.get(wanda).stale, true);
  await isFresh(perch, { token });
  await assert.rejects(perch.sendMessage({ to: wanda, body: 'x' }), (e) => e.status === 401);
  await perch.replaceCredentials({ token: await stage('issue', { user: 'carol' }) });
  await until('online', () => perch.store.session.state === 'online');
  assert.equal(perch.store.presence.get(wanda).stale, false);
  await perch.sendMessage({ to: wanda, body: 'with the fresh token' });
  perch.disconnect();
});
