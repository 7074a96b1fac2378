// Rooms over a real XMPP server: the same at every client, for those who were there and for those who
// come later; with foreign clients as the others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Perch } from '../perch.js';
import { live, stage, until, url } from './kit.mjs';
import { Foreign } from './rooms_foreign.mjs';

const { alice, bob, carol } = JSON.parse(process.env.PERCH_ACCOUNTS);
const service = process.env.PERCH_ROOMS;
const [bo, cy] = [new Foreign('bob', bob.jid), new Foreign('carol', carol.jid)];

/** A client of Alice that is live. */
async function signedIn(options = {}) {
  const { token } = await Perch.signIn(alice, { url });
  const perch = new Perch({ url, token, backoff: { base: 5, cap: 60 }, ...options });
  perch.connect();
  await live(perch);
  return perch;
}

const messages = (perch, jid) => perch.store.conversations.get(jid)?.messages ?? [];
const find = (perch, jid, body) => until(`${jid}: ${body}`, () => messages(perch, jid).findLast((m) => m.body === body && m.ref));
const state = (perch, jid) => perch.store.rooms.get(jid)?.state;
const is = (perch, jid, want) =>
  until(
    () => `${jid}: ${JSON.stringify(perch.store.rooms.get(jid))}, want ${want}`,
    () => state(perch, jid) === want,
  );

/** A room as it is shown. */
const shown = (perch, jid) =>
  messages(perch, jid).map(({ direction, room, body, edited, retracted, reactions, reply_to: reply }) => ({
    ...{ who: room?.nick, direction, body, edited: Boolean(edited), gone: Boolean(retracted), moderated: Boolean(retracted?.moderated) },
    reactions: (reactions ?? []).map((r) => `${r.emoji} ${r.by.map((j) => j.split('/')[1]).sort()} ${r.own}`),
    reply: Boolean(reply?.ref),
  }));

test('a room is made, others come; what is said, changed and taken back is the same at every client', async () => {
  const a = await signedIn();
  assert.ok(a.can('rooms'));
  const room = `tea-${Date.now()}@${service}`;
  const made = await a.joinRoom(room, { nick: 'Alice', config: { name: 'Tea', persistent: true, public: true } });
  assert.deepEqual([made.state, made.affiliation, made.role], ['joined', 'owner', 'moderator']);
  await is(a, room, 'joined');
  for (const right of ['speak', 'subject', 'invite', 'members', 'configure', 'destroy']) assert.ok(a.canIn(room, right), right);
  const b = await signedIn();
  assert.equal(state(b, room), 'joined', 'a snapshot has the room');
  assert.ok(b.store.list.some((c) => c.jid === room && c.type === 'room'));

  await a.loadOccupants(room);
  await a.changeRoom(room, { occupants: 'live' });
  await bo.join(room, 'Bo');
  const bos = () => a.store.occupants.get(room)?.items.find((o) => o.nick === 'Bo');
  await until('Bo is here', bos);
  await until('two are here', () => a.store.rooms.get(room).occupants.count === 2);

  await a.send(room, 'Croquet at fuor?');
  await a.edit(room, (await find(a, room, 'Croquet at fuor?')).ref, 'Croquet at four?');
  const asked = await find(b, room, 'Croquet at four?');
  assert.deepEqual([asked.direction, asked.room.own], ['out', true]);
  await until('reflected', () => find(a, room, 'Croquet at four?').then((m) => m.status === 'acked'));
  const id = await bo.say(room, 'With flamingoes.');
  await find(a, room, 'With flamingoes.');
  await bo.edit(room, id, 'With flamingos.');
  await bo.react(room, asked.archive, ['👍']);
  const answer = await find(a, room, 'With flamingos.');
  assert.equal(answer.room.nick, 'Bo');
  await a.react(room, answer.ref, ['🎉']);
  await a.send(room, 'Gladly.', { reply_to: { ref: answer.ref } });
  await stage('cut');
  const spam = await bo.say(room, 'Buy hedgehogs!');
  assert.ok(spam);
  await find(a, room, 'Buy hedgehogs!');

  const can = a.canModerate(room, messages(a, room).at(-1));
  assert.equal(can, a.store.rooms.get(room).features.moderation);
  if (can) {
    await a.moderate(room, (await find(a, room, 'Buy hedgehogs!')).ref, { reason: 'spam' });
    await until('moderated', () => messages(a, room).some((m) => m.retracted?.moderated));
  }
  const want = [
    {
      who: 'Alice',
      direction: 'out',
      body: 'Croquet at four?',
      edited: true,
      gone: false,
      moderated: false,
      reactions: ['👍 Bo false'],
      reply: false,
    },
    {
      who: 'Bo',
      direction: 'in',
      body: 'With flamingos.',
      edited: true,
      gone: false,
      moderated: false,
      reactions: ['🎉 Alice true'],
      reply: false,
    },
    { who: 'Alice', direction: 'out', body: 'Gladly.', edited: false, gone: false, moderated: false, reactions: [], reply: true },
    {
      who: 'Bo',
      direction: 'in',
      body: can ? '' : 'Buy hedgehogs!',
      edited: false,
      gone: can,
      moderated: can,
      reactions: [],
      reply: false,
    },
  ];
  const same = (name, perch, list = want) =>
    until(
      () => `${name}: ${JSON.stringify(shown(perch, room), null, 1)}, want ${JSON.stringify(list, null, 1)}`,
      () => JSON.stringify(shown(perch, room)) === JSON.stringify(list) && !perch.store.conversations.get(room).state.changes.length,
    );
  await same('the first client', a);
  await same('the second one', b);
  const fresh = await signedIn();
  await fresh.loadHistory(room, 50);
  // An archive says whose message is edited only where the room tells occupants apart.
  if (fresh.store.rooms.get(room).features.occupant_ids) await same('a client that has the archive alone', fresh);

  await a.setSubject(room, 'Flamingos');
  await until('the subject', () => b.store.rooms.get(room).subject?.text === 'Flamingos');
  await bo.writes(room);
  await until('Bo writes', () => a.store.conversations.get(room).writing.includes('Bo'));
  await bo.say(`${room}/Alice`, 'psst', { type: 'chat', more: "<x xmlns='http://jabber.org/protocol/muc#user'/>" });
  await find(a, `${room}/Bo`, 'psst');
  await a.send(`${room}/Bo`, 'what?');
  await until('sent', () => messages(b, `${room}/Bo`).some((m) => m.body === 'what?' && m.direction === 'out'));
  assert.equal(a.store.conversations.get(`${room}/Bo`).type, 'private');

  await until('may remove Bo', () => bos() && a.canIn(room, 'kick', bos()));
  await a.kick(room, 'Bo', { reason: 'noise' });
  await until('Bo is gone', () => !bos());
  await a.setMember(room, carol.jid, 'outcast', { reason: 'spam' });
  const { items } = await a.members(room, { affiliation: 'outcast' });
  assert.deepEqual(
    items.map((m) => m.jid),
    [carol.jid],
  );
  assert.ok((await a.directory({ q: 'tea' })).items.some((r) => r.jid === room));
  const config = await a.setRoomConfig(room, { name: 'Tea party' });
  assert.equal(config.name, 'Tea party');
  await until('the name', () => b.store.conversations.get(room).name === 'Tea party');

  await a.leaveRoom(room);
  await is(b, room, 'left');
  assert.equal(a.store.occupants.size, 0);
  await a.joinRoom(room);
  await is(b, room, 'joined');
  await a.destroyRoom(room, { reason: 'the end' });
  await is(b, room, 'destroyed');
  await a.leaveRoom(room, { forget: true });
  await until('forgotten', () => !a.store.rooms.has(room));
  for (const perch of [a, b, fresh]) perch.disconnect();
});

test('invitations by foreign clients: joined, declined; a kick and a ban are shown, and not undone', async () => {
  const a = await signedIn();
  const [one, two] = [1, 2].map((n) => `hats-${n}-${Date.now()}@${service}`);
  for (const room of [one, two]) {
    await cy.join(room, 'Cy');
    await cy.open(room);
    await cy.say(room, 'anybody?');
    await cy.invite(room, alice.jid, 'more tea');
  }
  for (const room of [one, two]) await until(`invited to ${room}`, () => a.store.roomInvitations.get(room)?.reason === 'more tea');
  assert.ok(
    [`${one}/Cy`, carol.jid].includes(a.store.roomInvitations.get(one).by.replace(/^(carol.*)\/.*/, '$1')),
    'a room may hide who invites',
  );
  await a.declineRoom(two);
  assert.equal(a.store.roomInvitations.has(two), false);
  await a.joinRoom(one, { nick: 'Lis' });
  await is(a, one, 'joined');
  assert.equal(a.store.roomInvitations.has(one), false);
  await cy.say(one, 'Lis, welcome');
  await find(a, one, 'Lis, welcome');
  await a.loadConversations();
  await until('it names her', () => a.store.conversations.get(one).mentions === 1);
  await a.changeRoom(one, { nick: 'Lisa' });
  await until('another nick', () => a.store.rooms.get(one).nick === 'Lisa');
  const admin = "<query xmlns='http://jabber.org/protocol/muc#admin'>";
  await cy.raw(`<iq type='set' to='${one}' id='k1'>${admin}<item nick='Lisa' role='none'><reason>noise</reason></item></query></iq>`);
  await is(a, one, 'kicked');
  assert.deepEqual([a.store.rooms.get(one).text, a.canIn(one, 'speak')], ['noise', false]);
  await a.joinRoom(one);
  await is(a, one, 'joined');
  await cy.raw(`<iq type='set' to='${one}' id='b1'>${admin}<item jid='${alice.jid}' affiliation='outcast'/></query></iq>`);
  await is(a, one, 'banned');
  await assert.rejects(a.joinRoom(one), (e) => e.status === 403);
  await a.leaveRoom(one, { forget: true });
  await until('forgotten', () => !a.store.rooms.has(one));
  a.disconnect();
});
