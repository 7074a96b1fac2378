// The console on a real server, with two ways to it: nothing of the demo's words, JID and password first, a
// refusal in the form; then a buddy that is added, named, grouped and removed, and the own card.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Perch } from '../perch.js';
import { accessible, browse, choose } from './browser.mjs';
import { until, url } from './kit.mjs';

const [alice, bob] = JSON.parse(process.env.PERCH_ACCOUNTS);
const words = /\bdemo\b|\becho\b|contoso|messenger|scissors|wanda|flamingo/i;

/** Everything that the page has, seen or not, has none of the demo's words. */
async function isPlain(page, what) {
  const text = await page.evaluate(() => document.documentElement.outerHTML);
  assert.equal(words.exec(text)?.[0], undefined, `${what}: a word of the demo`);
}

test('signing in: JID and password, which service, and why not', () =>
  browse({}, async (browser) => {
    const page = await browser.newPage();
    await page.goto(url);
    await page.getByLabel('JID').waitFor();
    await isPlain(page, 'sign-in');
    assert.equal(await page.getByLabel('Bearer token').isVisible(), false, 'a token is asked for first');
    const options = await page.getByLabel('Service', { exact: true }).locator('option').allTextContents();
    assert.deepEqual(options, ['That of the address', 'real', 'second']);
    await page.getByLabel('JID').fill(alice.jid);
    await page.getByLabel('Password').fill('not the password');
    await page.getByLabel('Service', { exact: true }).selectOption('second');
    await page.getByLabel('Password').press('Enter');
    await until('the refusal', async () => (await page.getByRole('alert').textContent()) !== '');
    assert.equal(await page.locator('.note').count(), 0, 'the refusal is outside of the form');
    assert.equal(await page.getByLabel('Password').getAttribute('aria-invalid'), 'true');
    await page.getByLabel('JID').fill('nobody at all');
    await page.getByLabel('Password').press('Enter');
    await page
      .getByRole('alert')
      .getByText(/^The address/)
      .waitFor();
    assert.equal(await page.getByLabel('JID').getAttribute('aria-invalid'), 'true');
    assert.equal(await page.evaluate(() => document.activeElement.name), 'jid');
    await page.getByLabel('JID').fill(alice.jid);
    await page.getByLabel('Password').fill(alice.password);
    await page.getByLabel('Password').press('Enter');
    await page.getByText('Online', { exact: true }).first().waitFor();
    await isPlain(page, 'people');
    await page.getByRole('button', { name: 'Online' }).click();
    await page.getByText('Last stanza').waitFor();
    assert.equal(await page.locator('dt:text-is("Service") + dd').textContent(), 'second');
    assert.equal(await page.getByRole('button', { name: 'Cut the XMPP link' }).isVisible(), false);
    await page.getByText('Add a buddy').click();
    await page.getByLabel('Whom (JID)').waitFor();
    assert.equal(await page.getByLabel('What it is').isVisible(), false, 'an account is asked for where nothing looks it up');
    await isPlain(page, 'session');
    await page.getByRole('button', { name: 'Copy as curl' }).click();
    await page.getByRole('menuitem', { name: 'Add a buddy' }).waitFor();
    await isPlain(page, 'menu');
  }));

test('a buddy is added by JID, named, grouped and removed; and the own card is changed', () =>
  browse({}, async (browser) => {
    const { token } = await Perch.signIn(alice, { url });
    const perch = new Perch({ url, token });
    const page = await browser.newPage();
    await page.goto(url);
    await page.getByText('With a token', { exact: true }).click();
    await page.getByLabel('Bearer token').fill('perch_of_nobody');
    await page.getByLabel('Bearer token').press('Enter');
    await until('the refusal', async () => (await page.getByRole('alert').allTextContents()).some(Boolean));
    await page.getByLabel('Bearer token').fill(token);
    await page.getByLabel('Bearer token').press('Enter');
    await page.getByText('Online', { exact: true }).first().waitFor();

    await page.getByText('Add a buddy').click();
    await page.getByLabel('Whom (JID)').fill(bob.jid);
    await page.getByLabel('Groups, with commas between them').fill('Friends, Work');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    const row = page.locator(`.buddy[data-jid="${bob.jid}"]`);
    await row.click();
    await choose(page, 'Name and groups');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Bo');
    await dialog.getByLabel('Groups, with').fill('Family');
    await dialog.getByRole('button', { name: 'Friends' }).click();
    await accessible(page, 'buddy');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    await row.getByText('Bo', { exact: true }).waitFor();
    const got = await perch.getBuddy(bob.jid);
    assert.deepEqual([got.name, got.groups.toSorted()], ['Bo', ['Family', 'Friends']]);
    await page.getByLabel('Group', { exact: true }).selectOption('Family');
    await row.waitFor();
    await choose(page, 'Name and groups');
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await dialog.getByRole('button', { name: 'Remove for good?' }).click();
    await row.waitFor({ state: 'detached' });
    await assert.rejects(perch.getBuddy(bob.jid), { status: 404 });

    await page.getByRole('button', { name: 'Your card' }).click();
    await dialog.getByLabel('Full name').fill('Alice of the Garden');
    await dialog.getByLabel('E-mail').fill('alice@example.net, a@example.net');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('Your card is saved.').waitFor();
    const own = await perch.getOwnVCard();
    assert.deepEqual([own.full_name, own.emails], ['Alice of the Garden', ['alice@example.net', 'a@example.net']]);
    await accessible(page, 'card');
  }));
