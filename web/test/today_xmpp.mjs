// @xmpp/client on the embedded service of today: by a socket and by a WebSocket, in one step (XEP-0388, XEP-0386)
// and, once it has a token, by that (XEP-0484). NODE_EXTRA_CA_CERTS has the authority of the service.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { xml } from '@xmpp/client';
import { ann, ben, domain, enter, message, ns, rooms, signIn, tcp, text, websocket } from './today_people.mjs';

const room = `garden@${rooms}`;

test('sign in, talk, resume, and sign in again by a token', async () => {
  const a = await signIn(`xmpp://${tcp}`, ann);
  const b = await signIn(websocket, ben);
  assert.ok(a.xmpp.streamManagement.enabled && b.xmpp.streamManagement.enabled, 'stream management is on');
  await a.xmpp.send(message({ to: b.xmpp.jid.bare().toString(), type: 'chat', id: 'm1' }, text('hello, Ben')));
  assert.equal((await b.body('hello, Ben')).attrs.from, a.xmpp.jid.toString());

  const before = b.xmpp.jid.toString();
  const resumed = once(b.xmpp.streamManagement, 'resumed');
  b.xmpp.socket.socket.close(); // the WebSocket, without an end of the stream
  await a.xmpp.send(message({ to: before, type: 'chat', id: 'm2' }, text('while you were away')));
  await resumed;
  await b.body('while you were away');
  assert.equal(b.xmpp.jid.toString(), before);
  assert.ok(await b.xmpp.fast.fetchToken(), 'it has a token');

  await Promise.all([a.xmpp.stop(), b.xmpp.stop()]);
  const mechanisms = [];
  b.xmpp.on('send', (s) => s.is('authenticate') && mechanisms.push(s.attrs.mechanism));
  await b.xmpp.start();
  assert.deepEqual(mechanisms, ['HT-SHA-256-NONE']);
  await b.xmpp.stop();
});

test('a room: talk, edit, react, and read the archive', async () => {
  const a = await signIn(`xmpp://${tcp}`, ann);
  const b = await signIn(websocket, ben);
  await enter(a, room, 'Ann', true);
  await enter(b, room, 'Ben');
  await a.xmpp.send(message({ to: room, type: 'groupchat', id: 'r1' }, text('first')));
  const id = (await b.body('first')).getChild('stanza-id', ns.sid).attrs.id;
  await a.xmpp.send(
    message({ to: room, type: 'groupchat', id: 'r2' }, text('first, edited'), xml('replace', { xmlns: ns.correct, id: 'r1' })),
  );
  await b.xmpp.send(
    message({ to: room, type: 'groupchat', id: 'r3' }, xml('reactions', { xmlns: ns.react, id }, xml('reaction', {}, '👍'))),
  );
  assert.equal((await b.body('first, edited')).getChild('replace', ns.correct).attrs.id, 'r1');
  const reaction = await a.find('the reaction', (s) => s.getChild('reactions', ns.react)?.attrs.id === id);
  assert.equal(reaction.getChild('reactions').getChildText('reaction'), '👍');

  for (const [p, to, body] of [
    [a, room, 'first, edited'],
    [b, undefined, 'hello, Ben'],
  ]) {
    await p.xmpp.iqCaller.set(xml('query', { xmlns: ns.mam }), to);
    await p.find(
      `${body} in the archive`,
      (s) => s.getChild('result', ns.mam)?.getChild('forwarded')?.getChild('message')?.getChildText('body') === body,
    );
  }
  await Promise.all([a.xmpp.stop(), b.xmpp.stop()]);
});

test('a file is uploaded, and fetched by the other side', async () => {
  const a = await signIn(`xmpp://${tcp}`, ann);
  const b = await signIn(websocket, ben);
  const file = 'a picture, it says';
  const attrs = { xmlns: 'urn:xmpp:http:upload:0', filename: 'a.txt', size: `${file.length}`, 'content-type': 'text/plain' };
  const answer = await a.xmpp.iqCaller.request(xml('iq', { type: 'get', to: `upload.${domain}` }, xml('request', attrs)));
  const slot = answer.getChild('slot');
  const put = slot.getChild('put');
  const headers = Object.fromEntries(put.getChildren('header').map((h) => [h.attrs.name, h.text()]));
  assert.equal(
    (await fetch(put.attrs.url, { method: 'PUT', body: file, headers: { ...headers, 'Content-Type': 'text/plain' } })).status,
    201,
  );
  const { url } = slot.getChild('get').attrs;
  await a.xmpp.send(message({ to: ben.jid, type: 'chat', id: 'u1' }, text(url), xml('x', { xmlns: 'jabber:x:oob' }, xml('url', {}, url))));
  assert.equal(await (await fetch((await b.body(url)).getChildText('body'))).text(), file);
  await Promise.all([a.xmpp.stop(), b.xmpp.stop()]);
});
