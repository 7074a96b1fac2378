// An account on the embedded service of today, by @xmpp/client.
import { client, xml } from '@xmpp/client';
import { until } from './kit.mjs';

export const { PERCH_XMPP: tcp, PERCH_WEBSOCKET: websocket, PERCH_DOMAIN: domain, PERCH_ROOMS: rooms } = process.env;
export const { ann, ben } = JSON.parse(process.env.PERCH_ACCOUNTS);

export const ns = {
  muc: 'http://jabber.org/protocol/muc',
  mam: 'urn:xmpp:mam:2',
  correct: 'urn:xmpp:message-correct:0',
  react: 'urn:xmpp:reactions:0',
  sid: 'urn:xmpp:sid:0',
};

export const message = (attrs, ...content) => xml('message', attrs, ...content);
export const text = (body) => xml('body', {}, body);

/** An account that is online, with all that it has got. */
export async function signIn(service, { username, password }) {
  const xmpp = client({ service, domain, username, password });
  const got = [];
  xmpp.on('error', () => {}); // what is lost shows in what does not come
  xmpp.on('stanza', (s) => got.push(s));
  await xmpp.start();
  await xmpp.send(xml('presence'));
  const find = (what, fits) => until(what, () => got.find(fits));
  return { xmpp, got, find, body: (body) => find(body, (s) => s.is('message') && s.getChildText('body') === body) };
}

/** Enters a room, and opens it if it is new. */
export async function enter({ xmpp, find }, room, nick, make = false) {
  await xmpp.send(xml('presence', { to: `${room}/${nick}` }, xml('x', { xmlns: ns.muc })));
  await find('itself', (s) => s.is('presence') && s.attrs.from === `${room}/${nick}`);
  if (make) await xmpp.iqCaller.set(xml('query', { xmlns: `${ns.muc}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' })), room);
}
