// Devices and tokens in the console, in a real browser: another device is let in, bounded, seen and let go.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Perch } from '../perch.js';
import { accessible, browse, picture, pictures, signIn } from './browser.mjs';
import { stage, until, url } from './kit.mjs';

const alice = new Perch({ url, token: 'demo-alice', storage: null });
const jidOf = (user) => stage('jid', { user });
const dialog = (page) => page.getByRole('dialog', { name: 'Devices and tokens' });
const button = (page, name) => dialog(page).getByRole('button', { name, exact: true });
const row = (page, name) => dialog(page).getByRole('list', { name: 'Tokens' }).getByRole('listitem', { name, exact: true });
const secret = (page) => dialog(page).getByLabel(/^Token of/);
const made = async () => (await alice.listTokens()).items.filter((t) => t.kind === 'made');
/** Every other token of the account is revoked. */
const alone = async () => {
  for (const t of await made()) await alice.revokeToken(t.id);
};

/** The page is the one for signing in: nothing of a session is left in it. */
const signedOut = (page) => page.getByRole('heading', { name: 'Sign in', exact: true }).waitFor();

/** The list, by keyboard. */
async function open(page) {
  const panel = page.getByRole('region', { name: 'Session' });
  if (!(await panel.isVisible())) await page.locator('.chip').press('Enter');
  await page.getByRole('button', { name: 'Devices and tokens', exact: true }).press('Enter');
  await dialog(page).waitFor();
}
async function enter(browser, token) {
  const page = await browser.newPage();
  await signIn(page, url, token);
  await open(page);
  return page;
}
/** What the form offers. */
const offered = async (page) => ({
  scopes: await dialog(page)
    .getByRole('checkbox')
    .evaluateAll((all) => all.map((e) => e.value)),
  ends: await dialog(page).getByLabel('It ends').locator('option').allTextContents(),
});

test('by keyboard: a token is made, shown once, copied, and listed with what it may do', () =>
  browse({ permissions: ['clipboard-read', 'clipboard-write'] }, async (browser, requests) => {
    await alone();
    const bob = await jidOf('bob');
    const page = await enter(browser, 'demo-alice');
    const own = row(page, 'Access token of the account');
    await own.getByText('This device').waitFor();
    await own.getByText('everything').waitFor();
    assert.equal(await own.getByRole('button').count(), 0, 'the access token can be revoked');
    assert.equal(await button(page, 'Sign out this device').isVisible(), false, 'the access token can be signed out alone');

    await dialog(page).getByText('Make a token').press('Enter');
    assert.deepEqual(await offered(page), {
      scopes: ['read', 'send', 'presence', 'roster', 'rooms', 'session', 'webhooks', 'tokens'],
      ends: ['With the session', 'In an hour', 'In a day', 'In 30 days', 'In a year'],
    });
    await dialog(page).getByLabel('Name').focus();
    await page.keyboard.type('weather <b>bot</b>');
    await dialog(page).getByLabel('Only for these').fill(bob);
    await dialog(page).getByLabel('It ends').selectOption('In a day');
    await accessible(page, 'the form of a token');
    await pictures(page, 'token-form');
    await dialog(page).getByLabel('Name').press('Enter');
    await secret(page).waitFor();
    assert.ok(await secret(page).evaluate((e) => e === document.activeElement), 'the token has not the focus');
    await accessible(page, 'a token');
    await pictures(page, 'token-made');
    const token = await secret(page).inputValue();
    await button(page, 'Copy').press('Enter');
    await page.getByText('Copied.').waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), token);

    const bot = new Perch({ url, token, storage: null });
    await bot.sendMessage({ to: bob, body: 'Rain' });
    await assert.rejects(bot.listBuddies(), { status: 403 });
    const [listed] = await made();
    assert.deepEqual([listed.name, listed.scopes, listed.conversations], ['weather <b>bot</b>', ['read', 'send'], [bob]]);
    assert.ok(Math.abs(Date.parse(listed.expires_at) - Date.now() - 86_400_000) < 60_000, listed.expires_at);

    await button(page, 'Done').press('Enter');
    const kept = (t) =>
      [document.documentElement.outerHTML, ...[...document.querySelectorAll('input, textarea')].map((e) => e.value)].filter((text) =>
        text.includes(t),
      );
    assert.deepEqual(await page.evaluate(kept, token), [], 'the token stays in the page');
    assert.equal(await secret(page).isVisible(), false);
    assert.ok(!requests.some((r) => r.includes(token)), 'the token is in an address');
    await page.keyboard.press('Escape');
    await open(page);
    for (const text of ['read, send', bob, 'Last used', '127.0.0.1'])
      await row(page, 'weather <b>bot</b>').getByText(text).first().waitFor();
    await accessible(page, 'tokens');
    await pictures(page, 'tokens');
  }));

test('revoked after a question: the other device is out at once, and this one stays', () =>
  browse({}, async (browser) => {
    await alone();
    const { token } = await alice.createToken({ name: 'phone', scopes: ['read', 'send'] });
    const phone = await browser.newPage();
    await signIn(phone, url, token);
    const page = await enter(browser, 'demo-alice');
    await row(page, 'phone').getByRole('button', { name: 'Revoke', exact: true }).press('Enter');
    assert.equal((await made()).length, 1, 'a token is revoked without a question');
    await picture(page, 'token-revoke');
    await row(page, 'phone').getByRole('button', { name: 'Revoke it?' }).press('Enter');
    await row(page, 'phone').waitFor({ state: 'detached' });
    await until('the focus', () => page.evaluate(() => document.activeElement.matches('dialog summary')));
    await phone.getByText('The gateway does not accept this token.').waitFor();
    assert.deepEqual(await made(), []);
    await page.keyboard.press('Escape');
    await page.locator('.chip[data-state="online"]').waitFor();
  }));

test('a bounded token offers no more than it has, and signs itself out alone', () =>
  browse({}, async (browser) => {
    await alone();
    const [bob, echo] = [await jidOf('bob'), await jidOf('echo')];
    const bounds = { conversations: [bob, echo], expires_in: 7200 };
    const { token } = await alice.createToken({ name: 'phone', scopes: ['read', 'tokens', 'session'], ...bounds });
    const other = await alice.createToken({ name: 'other', scopes: ['read', 'send'] });
    const page = await enter(browser, token);
    await row(page, 'phone').getByText('This device').waitFor();
    assert.equal(await row(page, 'other').count(), 0, 'a token that may do more is listed');
    assert.equal(await button(page, 'Sign out everywhere').isVisible(), false, 'a token for some conversations signs everybody out');
    await dialog(page).getByText('Make a token').press('Enter');
    const { scopes, ends } = await offered(page);
    assert.deepEqual(scopes, ['read', 'session', 'tokens']);
    assert.deepEqual([ends.length, ends[1]], [2, 'In an hour']);
    assert.match(ends[0], /^With this one: /);
    const only = dialog(page).getByLabel('Only for these');
    assert.equal(await only.inputValue(), `${bob}\n${echo}`);
    await dialog(page).getByLabel('Name').fill('watch');
    await only.fill(await jidOf('oscar'));
    await button(page, 'Make').click();
    const refusal = page.getByText('The conversations: the token of this request is not for this conversation');
    await refusal.waitFor();
    const inFront = (e) => {
      const { x, y, width, height } = e.getBoundingClientRect();
      return document.elementFromPoint(x + width / 2, y + height / 2) === e;
    };
    assert.ok(await refusal.evaluate(inFront), 'a refusal is behind the dialog');
    await only.fill(echo);
    await button(page, 'Make').click();
    await secret(page).waitFor();
    assert.deepEqual((await made()).find((t) => t.name === 'watch').conversations, [echo], 'the new token is for more than was asked for');

    await button(page, 'Sign out this device').press('Enter');
    await button(page, 'Sign out here?').press('Enter');
    await signedOut(page);
    assert.equal(await page.evaluate(() => sessionStorage.length), 0, 'something of the token stays');
    await assert.rejects(new Perch({ url, token, storage: null }).getSession(), { status: 401 });
    assert.equal((await new Perch({ url, token: other.token, storage: null }).getSession()).state, 'online');
  }));

test('a token that may not see others says so, and can still sign out', () =>
  browse({ viewport: { width: 390, height: 700 }, colorScheme: 'dark' }, async (browser) => {
    await alone();
    const { token } = await alice.createToken({ name: 'reader', scopes: ['read'] });
    const page = await enter(browser, token);
    await dialog(page).getByText('The token of this page may not see the others.').waitFor();
    assert.equal(await dialog(page).getByText('Make a token').isVisible(), false);
    assert.equal(await button(page, 'Sign out everywhere').isVisible(), false);
    await accessible(page, 'a token that sees no others');
    await picture(page, 'token-alone');
    await button(page, 'Sign out this device').click();
    await button(page, 'Sign out here?').click();
    await signedOut(page);
    assert.deepEqual(await made(), []);
  }));

test('everywhere: the session ends with all of its tokens', () =>
  browse({}, async (browser) => {
    await alone();
    const all = ['read', 'send', 'presence', 'roster', 'rooms', 'session', 'webhooks', 'tokens'];
    const [one, two] = await Promise.all(['one', 'two'].map((name) => alice.createToken({ name, scopes: all })));
    const page = await enter(browser, one.token);
    await row(page, 'two').getByRole('button', { name: 'Revoke' }).waitFor();
    await button(page, 'Sign out everywhere').press('Enter');
    await button(page, 'Sign out all devices?').press('Enter');
    await signedOut(page);
    for (const { token } of [one, two]) await assert.rejects(new Perch({ url, token, storage: null }).getSession(), { status: 401 });
  }));

test('a part of the console that cannot be loaded is named', () =>
  browse({}, async (browser) => {
    const page = await browser.newPage();
    await signIn(page, url, 'demo-alice');
    await page.route('**/console/devices.js', (r) => r.abort());
    await page.locator('.chip').press('Enter');
    await page.getByRole('button', { name: 'Devices and tokens', exact: true }).press('Enter');
    await page.getByText('This part of the console could not be loaded: reload the page.').waitFor();
  }));
