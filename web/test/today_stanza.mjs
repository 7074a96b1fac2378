// stanza, a client of browsers, on the embedded service of today, by WebSockets.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { createClient, JXT } from 'stanza';
import { until } from './kit.mjs';

const { ann, ben } = JSON.parse(process.env.PERCH_ACCOUNTS);
const { PERCH_WEBSOCKET: websocket, PERCH_DOMAIN: domain, PERCH_ROOMS: rooms } = process.env;
const room = `meadow@${rooms}`;

/** Reactions (XEP-0444), which the library has not. */
const reactions = {
  element: 'reactions',
  namespace: 'urn:xmpp:reactions:0',
  path: 'message.reactions',
  fields: { id: JXT.attribute('id'), emojis: JXT.multipleChildText(null, 'reaction') },
};

/** An account that is online, with all the messages that it has got. */
async function signIn({ username, password }) {
  const c = createClient({ jid: `${username}@${domain}`, password, transports: { websocket, bosh: false } });
  c.stanzas.define(reactions);
  const got = [];
  c.on('message', (m) => got.push(m));
  const started = once(c, 'session:started');
  c.connect();
  await started;
  await c.enableCarbons();
  await c.getRoster();
  c.sendPresence();
  return {
    c,
    find: (what, fits) => until(what, () => got.find(fits)),
    body: (body) => until(body, () => got.find((m) => m.body === body)),
  };
}

test('sign in, talk, and read the archive', async () => {
  const [a, b] = [await signIn(ann), await signIn(ben)];
  const tab = await signIn(ann);
  const sent = once(tab.c, 'carbon:sent');
  a.c.sendMessage({ to: `${ben.username}@${domain}`, type: 'chat', body: 'hello from stanza' });
  assert.equal((await b.body('hello from stanza')).from, a.c.jid);
  assert.equal((await sent)[0].carbon.forward.message.body, 'hello from stanza');
  const { results } = await b.c.searchHistory({ with: `${ann.username}@${domain}`, paging: { before: '' } });
  assert.ok(
    results.some((r) => r.item.message.body === 'hello from stanza'),
    'it is in the archive',
  );
  for (const p of [a, b, tab]) p.c.disconnect();
});

test('a room: talk, edit, react, and read the archive', async () => {
  const [a, b] = [await signIn(ann), await signIn(ben)];
  await a.c.joinRoom(room, 'Ann');
  await a.c.configureRoom(room, { fields: [] });
  await b.c.joinRoom(room, 'Ben');
  a.c.sendMessage({ to: room, type: 'groupchat', id: 's1', body: 'first' });
  const id = (await b.body('first')).stanzaIds[0].id;
  a.c.sendMessage({ to: room, type: 'groupchat', id: 's2', body: 'first, edited', replace: 's1' });
  assert.equal((await b.body('first, edited')).replace, 's1');
  b.c.sendMessage({ to: room, type: 'groupchat', id: 's3', reactions: { id, emojis: ['🎉'] } });
  assert.deepEqual((await a.find('the reaction', (m) => m.reactions)).reactions, { id, emojis: ['🎉'] });
  const { results } = await a.c.searchHistory(room, { paging: { before: '' } });
  assert.ok(
    results.some((r) => r.item.message.body === 'first, edited'),
    'the room has it',
  );
  for (const p of [a, b]) p.c.disconnect();
});

test('a file is uploaded', async () => {
  const a = await signIn(ann);
  const { jid, maxSize } = await a.c.getUploadService(domain);
  assert.equal(jid, `upload.${domain}`);
  assert.ok(maxSize > 0, 'it says how large a file may be');
  const slot = await a.c.getUploadSlot(jid, { name: 'a.txt', size: 5, mediaType: 'text/plain' });
  const headers = Object.fromEntries((slot.upload.headers ?? []).map((h) => [h.name, h.value]));
  assert.equal(
    (await fetch(slot.upload.url, { method: 'PUT', body: 'hello', headers: { ...headers, 'Content-Type': 'text/plain' } })).status,
    201,
  );
  assert.equal(await (await fetch(slot.download)).text(), 'hello');
  a.c.disconnect();
});
