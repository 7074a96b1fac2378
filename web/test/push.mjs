// Push messages of the real gateway, as a push service and a device that are not ours see them.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { client, live, stage, until, url } from './kit.mjs';
import { PushService } from './push_kit.mjs';
import { StandIn } from './standin.mjs';
import { Perch } from '../perch.js';

const service = await new PushService().listen();
after(() => service.close());
const jid = (user) => stage('jid', { user });
const deliver = async (from, body) => stage('deliver', { from, to: 'alice', body });
const problem = (promise) =>
  promise.then(
    () => assert.fail('it was not refused'),
    (e) => ({ status: e.status, code: e.code, at: e.problem.errors?.[0]?.pointer }),
  );

test('what is said while nobody is there arrives, encrypted and signed; nothing else does', async () => {
  const perch = client();
  const { application_server_key: key, items } = await perch.listPush();
  assert.match(key, /^B[\w-]{86}$/);
  assert.deepEqual(items, []);
  const made = await perch.putPush('phone', service.subscribe('phone', key));
  assert.deepEqual([made.id, made.host, made.state, made.include], ['phone', new URL(service.url).host, 'active', 'full']);
  assert.ok(!JSON.stringify(made).includes('/push/phone'), 'the endpoint is a secret');

  const bob = await jid('bob');
  await deliver('bob', 'Croquet at four? 🦩');
  const { push, topic, ...rest } = await service.count(1);
  assert.deepEqual(rest, { name: 'phone', status: 201, contact: 'mailto:push@example.org', ttl: '86400', urgency: 'high' });
  assert.deepEqual(
    { ...push, id: '' },
    {
      ...{ type: 'message.received', conversation: bob, id: '', count: 1, account: await jid('alice') },
      ...{ name: 'Bob', body: 'Croquet at four? 🦩' },
    },
  );
  await deliver('bob', `${'x'.repeat(3990)}🦩 and more`);
  const long = await service.count(2);
  assert.equal(long.topic, topic, 'a newer message of a conversation takes the place of an older one');
  assert.match(long.push.body, /^x{3000,}…$/);

  perch.connect();
  await live(perch);
  await deliver('bob', 'You are here');
  await until('the message', () => perch.store.conversations.get(bob)?.messages.some((m) => m.body === 'You are here'));
  await perch.send(bob, 'I am');
  perch.disconnect();
  await perch.putPush('phone', { ...service.subscribe('phone', key), include: 'ids' });
  await deliver('bob', 'Are you?');
  const { push: ids } = await service.count(3); // what came a moment before the stream ended may be in it again
  assert.deepEqual(
    { ...ids, id: '', count: 1 },
    { type: 'message.received', conversation: bob, id: '', count: 1, account: await jid('alice') },
  );
  const [listed] = (await perch.listPush()).items;
  assert.deepEqual([listed.id, listed.include, listed.last_attempt.status], ['phone', 'ids', 201]);
  await perch.removePush('phone');
  assert.equal((await problem(perch.removePush('phone'))).status, 404);
  assert.deepEqual((await perch.listPush()).items, []);
});

test('a test says what the push service answers; one that knows the subscription no more ends it', async () => {
  const perch = client();
  const { application_server_key: key } = await perch.listPush();
  service.messages.length = 0;
  await perch.putPush('test', service.subscribe('test', key));
  const { at, ...attempt } = await perch.testPush('test');
  assert.deepEqual([attempt, typeof at], [{ status: 201 }, 'string']);
  assert.deepEqual(((m) => [m.push.type, m.ttl, m.push.account])(await service.count(1)), ['test', '300', await jid('alice')]);
  service.answers.push(429);
  assert.match(JSON.stringify(await perch.testPush('test')), /"status":429,"error":"/);
  service.answers.push(413, 201);
  await deliver('bob', 'Too large for somebody');
  const [, , large, small] = (await service.count(4), service.messages);
  assert.deepEqual([large.status, large.push.body, small.status, small.push.body], [413, 'Too large for somebody', 201, undefined]);
  service.unsubscribe('test');
  await deliver('bob', 'Is somebody there?');
  await until('it has ended', async () => (await perch.listPush()).items.length === 0);
});

test('what can never work is refused, with the field', async () => {
  const perch = client();
  const { application_server_key: key } = await perch.listPush();
  const { endpoint, keys } = service.subscribe('refused', key);
  for (const [body, status, at] of [
    [{ keys }, 422, '/endpoint'],
    [{ endpoint: 'phone', keys }, 422, '/endpoint'],
    [{ endpoint: 'https://10.0.0.1/x', keys }, 422, '/endpoint'],
    [{ endpoint }, 422, '/keys'],
    [{ endpoint, keys: { ...keys, p256dh: keys.auth } }, 422, '/keys/p256dh'],
    [{ endpoint, keys: { ...keys, auth: 'AA' } }, 422, '/keys/auth'],
    [{ endpoint, keys, include: 'all' }, 422, '/include'],
    [{ endpoint, keys, types: ['presence'] }, 422, '/types/0'],
    [{ endpoint, keys, types: [] }, 422, '/types'],
    [{ endpoint, keys, conversations: ['@'] }, 422, '/conversations/0'],
  ])
    assert.deepEqual(((p) => [p.status, p.at])(await problem(perch.putPush('refused', body))), [status, at], JSON.stringify(body));
  assert.equal((await problem(perch.putPush('a.b', { endpoint, keys }))).status, 422);
  assert.equal((await problem(perch.testPush('refused'))).status, 404);
});

test('in Node there is nothing to subscribe', async () => {
  const perch = client();
  assert.equal(await perch.pushState(), 'unsupported');
  assert.equal((await problem(perch.push())).code, 'push-unsupported');
  const gateway = await new StandIn().listen();
  const other = new Perch({ url: gateway.url, token: 'demo-alice' });
  await other.endPush({ id: 'phone' }); // whatever is not there
  assert.deepEqual(gateway.requests, [{ what: 'DELETE /v1/push/phone', body: undefined }]);
  await gateway.close();
  assert.ok(url);
});
