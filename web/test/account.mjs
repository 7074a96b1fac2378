// What an account has besides its conversations, over a real XMPP server: the block list, the own photo,
// stanzas that are written as XML, and another password, by the form of the console.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Perch } from '../perch.js';
import { accessible, browse, signIn } from './browser.mjs';
import { live, until, url } from './kit.mjs';

const [alice, bob] = JSON.parse(process.env.PERCH_ACCOUNTS);
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

test('the block list, the own photo, and a stanza of the client', async () => {
  const perch = new Perch({ url, token: (await Perch.signIn(alice, { url })).token });
  const changes = [];
  perch.on('blocked.changed', (e) => changes.push(e.data));
  perch.connect();
  await live(perch);
  assert.deepEqual(
    ['blocking', 'stanzas', 'search'].map((what) => perch.can(what)),
    [true, true, false],
  );

  const listed = async () => (await perch.listBlocked()).items.map((b) => b.jid);
  await perch.block(bob.jid, { reason: 'spam' });
  await perch.block('evil.example');
  assert.deepEqual(await listed(), [bob.jid, 'evil.example']);
  await perch.unblock(bob.jid);
  assert.deepEqual(await listed(), ['evil.example']);
  await perch.unblockAll();
  assert.deepEqual(await listed(), []);
  await until(
    () => `the events are ${JSON.stringify(changes)}, want one for each change`,
    () => changes.length === 4 && changes[0].added[0] === bob.jid && changes[2].removed[0] === bob.jid,
  );

  await perch.setOwnPhoto(png);
  const photo = Buffer.from(await (await perch.getPhoto('me')).arrayBuffer());
  assert.equal(photo.toString('base64'), png);
  await perch.removeOwnPhoto();
  assert.equal(await perch.getPhoto('me'), null);

  const version = await perch.sendStanza(`<iq type='get' to='${alice.jid.split('@')[1]}'><query xmlns='jabber:iq:version'/></iq>`);
  assert.match(version, /Prosody/);
  assert.equal(await perch.sendStanza(`<message to='${bob.jid}'><x xmlns='urn:example:x'/></message>`), undefined);
  await assert.rejects(perch.sendStanza('<iq'), { status: 422 });
  perch.disconnect();
});

test('a token for another device, and its end', async () => {
  const perch = new Perch({ url, token: (await Perch.signIn(alice, { url })).token });
  const made = await perch.createToken({ name: 'reader', scopes: ['read'] });
  const device = new Perch({ url, token: made.token });
  device.connect();
  await live(device);
  await assert.rejects(device.sendMessage({ to: bob.jid, body: 'x' }), { status: 403 });
  await assert.rejects(device.createToken({ name: 'more', scopes: ['send'] }), { status: 403 });
  const names = async () => (await perch.listTokens()).items.filter((t) => t.kind === 'made').map((t) => t.name);
  assert.deepEqual(await names(), ['reader']);
  await perch.revokeToken(made.id);
  await assert.rejects(device.getSession(), { status: 401 });
  device.disconnect();

  const phone = new Perch({ url, token: (await perch.createToken({ name: 'phone', scopes: ['read', 'session'] })).token });
  await phone.signOut({ all: false });
  await assert.rejects(phone.getSession(), { status: 401 });
  assert.deepEqual(await names(), []);
  assert.equal((await perch.getSession()).state, 'online');
});

test('another password', async () => {
  const perch = new Perch({ url, token: (await Perch.signIn(alice, { url })).token });
  const fresh = 'another password of alice';
  await assert.rejects(perch.changePassword('not the password', fresh), { status: 403 });
  await perch.changePassword(alice.password, fresh);
  assert.equal((await perch.getSession()).state, 'online');
  await assert.rejects(Perch.signIn(alice, { url }), { status: 401 });
  await Perch.signIn({ ...alice, password: fresh }, { url });
  await perch.changePassword(fresh, alice.password);
});

test('stanzas that nothing else shows, of one who asks for them', async () => {
  const [a, b] = await Promise.all(
    [alice, bob].map(async (who) => new Perch({ url, token: (await Perch.signIn(who, { url })).token, stanzas: who === alice })),
  );
  const got = { a: [], b: [] };
  a.on('stanza', (f) => got.a.push(f.data));
  b.on('*', (f) => f.type === 'stanza' && got.b.push(f.data));
  for (const perch of [a, b]) {
    perch.connect();
    await live(perch);
  }
  const to = `${alice.jid}/${a.store.session.resource}`;
  const arrived = (what, text) =>
    until(
      () => `alice has ${JSON.stringify(got.a)}, want ${what}`,
      () => got.a.some((s) => s.xml.includes(text)),
    );
  const offer = "<iq type='set' to='TO'><jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='s1'/></iq>";
  const answer = b.sendStanza(offer.replace('TO', to));
  await arrived('the offer', 'session-initiate');
  const request = got.a.find((s) => s.xml.includes('session-initiate'));
  assert.ok(request.from.startsWith(bob.jid), request.from);
  assert.ok(Date.parse(request.answer_by) > Date.now() - 60_000, request.answer_by);
  const id = / id='([^']+)'/.exec(request.xml)[1];
  const accepted = `<iq type='result' id='${id}' to='${request.from}'/>`;
  assert.equal(await a.sendStanza(accepted), undefined);
  assert.match(await answer, /type='result'/);
  await assert.rejects(a.sendStanza(accepted), { status: 404 });

  await b.sendStanza(
    `<message to='${to}' type='chat'><propose xmlns='urn:xmpp:jingle-message:0' id='call-7'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>`,
  );
  await arrived('the call', 'call-7');
  a.disconnect();
  await until(
    () => 'an offer to nobody is not refused at once',
    async () =>
      (await b.sendStanza(offer.replace('TO', to)).catch((e) => e.problem?.xmpp?.condition ?? String(e))) === 'service-unavailable',
  );
  assert.deepEqual(got.b, []);
  b.disconnect();
});

test('another password, once both fields are the same, whichever was corrected', () =>
  browse({}, async (browser) => {
    const fresh = 'another password of bob';
    const page = await browser.newPage();
    await signIn(page, url, (await Perch.signIn(bob, { url })).token);
    await page.getByRole('button', { name: 'Online' }).click();
    const form = page.getByRole('form', { name: 'Change the password' });
    await accessible(page, 'password');
    const fill = (label, text) => form.getByLabel(label, { exact: true }).fill(text);
    await fill('Password of now', bob.password);
    await fill('New password', 'another pasword of bob');
    await fill('New password once more', fresh);
    await form.getByRole('button').click();
    assert.equal(await form.evaluate((f) => f.checkValidity()), false, 'two that differ were sent');
    await fill('New password', fresh);
    await form.getByRole('button').click();
    await page.getByText('The password is changed').waitFor();
    await page.getByText('Online', { exact: true }).first().waitFor();
    await assert.rejects(Perch.signIn(bob, { url }), { status: 401 });
    await Perch.signIn({ ...bob, password: fresh }, { url });
  }));
