// Webhooks in the console, in a real browser: one is made, called, fails, is told why, and is put right.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { Perch } from '../perch.js';
import { accessible, browse, pictures, signIn } from './browser.mjs';
import { stage, until, url } from './kit.mjs';

const alice = new Perch({ url, token: 'demo-alice', storage: null });
const dialog = (page) => page.getByRole('dialog', { name: 'Webhooks' });
const row = (page, id) => dialog(page).getByRole('list', { name: 'Webhooks' }).getByRole('listitem', { name: id, exact: true });
const button = (scope, name) => scope.getByRole('button', { name, exact: true });
const state = (page, word) => row(page, 'bot').locator('.badge').getByText(word, { exact: true });

/** A server of the user: what it was called with, and what it answers. */
const receiver = { calls: [], status: 204 };
const server = createServer(async (req, res) => {
  let body = '';
  for await (const chunk of req) body += chunk;
  receiver.calls.push({ headers: req.headers, body, data: JSON.parse(body) });
  res.writeHead(receiver.status).end();
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));
after(() => server.close());
const address = `http://127.0.0.1:${server.address().port}/perch`;
const bodies = () => receiver.calls.flatMap((c) => c.data.data.events.map((e) => e.data.body));

/** The dialog, by keyboard. */
async function open(browser, token = 'demo-alice') {
  const page = await browser.newPage();
  await signIn(page, url, token);
  await page.locator('.chip').press('Enter');
  await page.getByRole('button', { name: 'Webhooks', exact: true }).press('Enter');
  await dialog(page).waitFor();
  return page;
}
/** Nothing of before. */
async function none() {
  for (const { id } of (await alice.listWebhooks()).items) await alice.deleteWebhook(id);
  Object.assign(receiver, { calls: [], status: 204 });
}
/** Whether a call was signed with a secret (Standard Webhooks). */
function signedBy({ headers, body }, secret) {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const sum = createHmac('sha256', key).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`).digest('base64');
  return headers['webhook-signature'].split(' ').includes(`v1,${sum}`);
}

test('by keyboard: made, its secret shown once, tested, and called', () =>
  browse({ permissions: ['clipboard-read', 'clipboard-write'] }, async (browser, requests) => {
    await none();
    const bob = await stage('jid', { user: 'bob' });
    const page = await open(browser);
    await dialog(page).getByText('There are none.').waitFor();
    await dialog(page).getByText('Make a webhook').press('Enter');
    await dialog(page).getByLabel('Name').focus();
    await page.keyboard.type('bot');
    await dialog(page).getByLabel('Address of your server').fill('http://192.0.2.1/x');
    await button(dialog(page), 'Make').press('Enter');
    await page.getByText(/^The address /).waitFor(); // the gateway says what is wrong with it
    await dialog(page).getByLabel('Address of your server').fill(address);
    await dialog(page).getByLabel('Types of events').fill('message.received, session.*');
    await dialog(page).getByLabel('Only of these').fill(bob);
    await accessible(page, 'the form of a webhook');
    await pictures(page, 'webhook-form');
    await dialog(page).getByLabel('Name').press('Enter');
    const secret = dialog(page).getByLabel('Secret of bot');
    await secret.waitFor();
    const text = await secret.inputValue();
    assert.match(text, /^whsec_/);
    await button(dialog(page), 'Copy').press('Enter');
    await page.getByText('Copied.').waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), text);
    await accessible(page, 'a secret');
    await pictures(page, 'webhook-made');
    await button(dialog(page), 'Done').press('Enter');
    assert.equal(await secret.isVisible(), false);
    const { types, conversations, when, include } = await alice.getWebhook('bot');
    assert.deepEqual([types, conversations, when, include], [['message.received', 'session.*'], [bob], 'always', 'full']);

    await button(row(page, 'bot'), 'Test').press('Enter');
    await dialog(page).getByText('The call has arrived: 204.').waitFor();
    assert.equal(receiver.calls[0].data.type, 'test');
    await stage('deliver', { from: 'bob', to: 'alice', body: 'Tea?' });
    await until('the call', () => bodies().includes('Tea?'));
    assert.ok(
      receiver.calls.every((c) => signedBy(c, text)),
      'a call is not signed with the secret that was shown',
    );
    await until('it is known', async () => (await alice.getWebhook('bot')).last_attempt?.status === 204);
    await button(dialog(page), 'Read again').press('Enter');
    await state(page, 'Active').waitFor();
    await row(page, 'bot')
      .getByText(/: it answered 204$/)
      .waitFor();
    await accessible(page, 'webhooks');
    await pictures(page, 'webhooks');
    assert.ok(!requests.some((r) => r.includes(text)), 'the secret is in an address');
  }));

test('one that fails says why, is disabled, and is enabled again; what it has missed is sent', () =>
  browse({}, async (browser) => {
    await none();
    await alice.putWebhook('bot', { url: address, types: ['message.received'] });
    const page = await open(browser);
    receiver.status = 503;
    await stage('deliver', { from: 'bob', to: 'alice', body: 'One' });
    await until('it has failed', async () => (await alice.getWebhook('bot')).failures > 0);
    await button(dialog(page), 'Read again').click();
    await state(page, 'Retrying').waitFor();
    for (const text of [/ failed/, /: it answered 503/, 'Next call']) await row(page, 'bot').getByText(text).first().waitFor();
    await accessible(page, 'a webhook that fails');
    await pictures(page, 'webhook-retrying');
    await button(row(page, 'bot'), 'Test').click();
    await page.getByText(/^The call has not arrived: /).waitFor();

    receiver.status = 410;
    await state(page, 'Disabled').waitFor(); // by the event, without being read again
    await row(page, 'bot').getByText('nothing is sent any more: the server has answered 410').waitFor();
    await accessible(page, 'a webhook that is disabled');
    await pictures(page, 'webhook-disabled');
    receiver.status = 204;
    receiver.calls = [];
    await button(row(page, 'bot'), 'Enable').click();
    await state(page, 'Active').waitFor();
    await until('what it has missed', () => bodies().includes('One'));
    assert.equal(await button(row(page, 'bot'), 'Enable').isVisible(), false);
  }));

test('changed, with another secret; replayed; and deleted after a question', () =>
  browse({ viewport: { width: 390, height: 780 }, colorScheme: 'dark' }, async (browser) => {
    await none();
    const { secret, cursor } = await alice.putWebhook('bot', { url: address, types: ['message.received'] });
    await stage('deliver', { from: 'bob', to: 'alice', body: 'Again?' });
    await until('the call', () => bodies().includes('Again?'));
    const page = await open(browser);
    await button(row(page, 'bot'), 'Change').press('Enter');
    assert.equal(await dialog(page).getByLabel('Name').isEditable(), false);
    await dialog(page).getByLabel('Events', { exact: true }).selectOption('ids');
    await dialog(page).getByLabel('With another secret').check();
    await button(dialog(page), 'Save').press('Enter');
    const fresh = await dialog(page).getByLabel('Secret of bot').inputValue();
    assert.notEqual(fresh, secret);
    await button(dialog(page), 'Done').press('Enter');
    const now = await alice.getWebhook('bot');
    assert.deepEqual([now.url, now.types, now.include], [address, ['message.received'], 'ids'], 'what was not changed is another one');

    receiver.calls = [];
    await row(page, 'bot').getByText('Send again').press('Enter');
    await row(page, 'bot').getByLabel('Cursor').fill(cursor);
    await row(page, 'bot').getByLabel('Cursor').press('Enter');
    await until('it comes again', () => receiver.calls.some((c) => c.data.data.events.length > 0));
    const [call] = receiver.calls;
    assert.ok(signedBy(call, fresh) && signedBy(call, secret), 'a call is not signed with both secrets');
    assert.ok(!call.body.includes('Again?'), 'what was written is in a call without it');

    await button(row(page, 'bot'), 'Delete').press('Enter');
    assert.equal((await alice.listWebhooks()).items.length, 1, 'it is deleted without a question');
    await button(row(page, 'bot'), 'Delete it?').press('Enter');
    await dialog(page).getByText('There are none.').waitFor();
    assert.deepEqual((await alice.listWebhooks()).items, []);
  }));

test('a token that may have none says so', () =>
  browse({}, async (browser) => {
    const { token } = await alice.createToken({ name: 'reader', scopes: ['read'] });
    const page = await open(browser, token);
    await dialog(page).getByText('The token of this page may not see webhooks.').waitFor();
    assert.equal(await dialog(page).getByText('Make a webhook').isVisible(), false);
  }));
