// What refers to messages, over a real XMPP server: the same state at both sides, live, after a cut, and
// in a client that has the archive alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Perch } from '../perch.js';
import { live, stage, until, url } from './kit.mjs';

const [alice, bob] = JSON.parse(process.env.PERCH_ACCOUNTS);

/** A client of one account. */
async function signedIn({ jid, password }) {
  const { token } = await Perch.signIn({ jid, password }, { url });
  return new Perch({ url, token, backoff: { base: 5, cap: 60 } });
}

/** A conversation as it is shown. */
const shown = (perch, jid) =>
  (perch.store.conversations.get(jid)?.messages ?? []).map(({ body, edited, retracted, reactions, reply_to: reply }) => ({
    body,
    edited: Boolean(edited),
    retracted: Boolean(retracted),
    reactions: (reactions ?? []).map((r) => [r.emoji, r.by]),
    reply: reply ? reply.ref !== '' : false,
  }));

const find = (perch, jid, body) =>
  until(`${jid}: ${body}`, () => perch.store.conversations.get(jid)?.messages.findLast((m) => m.body === body && m.ref));

test('edits, replies, reactions and retractions of both sides', async () => {
  const [a, b] = [await signedIn(alice), await signedIn(bob)];
  for (const perch of [a, b]) perch.connect();
  for (const perch of [a, b]) await live(perch);
  for (const what of ['edit', 'retract', 'react', 'reply', 'attach']) assert.ok(a.can(what), what);

  await a.send(bob.jid, 'Croquet at fuor?');
  await a.edit(bob.jid, (await find(a, bob.jid, 'Croquet at fuor?')).ref, 'Croquet at four?');
  const asked = await find(b, alice.jid, 'Croquet at four?');
  await b.react(alice.jid, asked.ref, ['👍', '🎉']);
  await b.send(alice.jid, 'With flamingos.', { reply_to: { ref: asked.ref } });
  const answer = await find(a, bob.jid, 'With flamingos.');
  await a.react(bob.jid, answer.ref, ['❤️']);
  await a.react(bob.jid, answer.ref, ['👍']);
  await b.send(alice.jid, 'Or without.');
  await stage('cut');
  await b.retract(alice.jid, (await find(b, alice.jid, 'Or without.')).ref);
  await b.react(alice.jid, asked.ref, ['👍']);

  const want = [
    { body: 'Croquet at four?', edited: true, retracted: false, reactions: [['👍', [bob.jid]]], reply: false },
    { body: 'With flamingos.', edited: false, retracted: false, reactions: [['👍', [alice.jid]]], reply: true },
    { body: '', edited: false, retracted: true, reactions: [], reply: false },
  ];
  const settled = (perch, jid) =>
    JSON.stringify(shown(perch, jid)) === JSON.stringify(want) && !perch.store.conversations.get(jid).state.changes.length;
  const end = (name, perch, jid) =>
    until(
      () => `${name}: ${JSON.stringify(shown(perch, jid))}, want ${JSON.stringify(want)}`,
      () => settled(perch, jid),
    );
  await end('alice', a, bob.jid);
  await end('bob', b, alice.jid);

  const fresh = await signedIn(bob);
  fresh.connect();
  await live(fresh);
  await until('the archive has all', async () => {
    await fresh.loadHistory(alice.jid);
    return settled(fresh, alice.jid);
  });
  for (const perch of [a, b, fresh]) perch.disconnect();
});

test('the list: unread on every client, over a reload; reading, and what the other side has seen; drafts', async () => {
  const [a, b] = [await signedIn(alice), await signedIn(bob)];
  for (const perch of [a, b]) perch.connect();
  for (const perch of [a, b]) await live(perch);
  const before = (await a.loadConversations(), a.store.conversations.get(bob.jid)?.unread ?? 0);
  for (const body of ['one', 'two', 'three']) await b.send(alice.jid, body, { markable: true });
  await find(a, bob.jid, 'three');
  const fresh = new Perch({ url, token: (await Perch.signIn(alice, { url })).token });
  fresh.connect();
  await live(fresh);
  await fresh.loadConversations();
  const unread = (perch) => perch.store.list.find((c) => c.jid === bob.jid)?.unread;
  for (const [name, perch] of Object.entries({ a, fresh }))
    await until(
      () => `${name}: ${unread(perch)} unread, want ${before + 3}`,
      () => unread(perch) === before + 3,
    );
  assert.equal(fresh.store.list[0].last_message.body, 'three');
  const saved = JSON.parse(JSON.stringify(a.save()));
  await a.markRead(bob.jid);
  for (const [name, perch] of Object.entries({ a, fresh }))
    await until(
      () => `${name}: ${unread(perch)} unread, want none`,
      () => unread(perch) === 0,
    );
  const peer = () => b.store.conversations.get(alice.jid).peer_read;
  await until(
    () => `peer_read: ${JSON.stringify(peer())}`,
    () => peer()?.ref === b.store.conversations.get(alice.jid).messages.findLast((m) => m.body === 'three').ref,
  );
  a.disconnect();
  await b.send(alice.jid, 'four');
  const again = new Perch({ url, token: (await Perch.signIn(alice, { url })).token, state: saved });
  again.connect();
  await live(again);
  await until(
    () => `resumed: ${unread(again)} unread, want 1`,
    () => unread(again) === 1,
  );
  fresh.saveDraft(bob.jid, 'Dear Bo');
  await until('the draft on another client', () => again.store.conversations.get(bob.jid).draft === 'Dear Bo');
  await again.updateConversation(bob.jid, { pinned: true });
  await until('pinned', () => fresh.store.conversations.get(bob.jid).pinned);
  for (const perch of [again, b, fresh]) perch.disconnect();
});
