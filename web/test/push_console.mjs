// Push messages in the console, in a real browser: turned on for this device, seen, tested, and turned off. The push
// service of the browser's vendor cannot be reached: another one takes its place.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Perch } from '../perch.js';
import { accessible, browse, picture, pictures, signIn } from './browser.mjs';
import { stage, until, url } from './kit.mjs';
import { fakeSubscriptions } from './push_browser.mjs';
import { PushService } from './push_kit.mjs';

const service = await new PushService().listen();
after(() => service.close());
const alice = new Perch({ url, token: 'demo-alice', storage: null });
const { application_server_key: key } = await alice.listPush();
const dialog = (page) => page.getByRole('dialog', { name: 'Push messages' });
const button = (scope, name) => scope.getByRole('button', { name, exact: true });
const row = (page, name) => dialog(page).getByRole('list', { name: 'Devices' }).getByRole('listitem', { name, exact: true });
const enable = (page) => button(dialog(page), 'Enable push notifications on this device');

async function show(page) {
  await page.locator('.chip').press('Enter');
  await button(page, 'Push messages').press('Enter');
  await dialog(page).waitFor();
}
/** The dialog, in a browser that allows notifications or not. */
async function open(browser, { allowed = true } = {}) {
  if (allowed) await browser.grantPermissions(['notifications'], { origin: url });
  else await browser.addInitScript(() => Object.defineProperty(Notification, 'permission', { get: () => 'denied' }));
  await browser.addInitScript(fakeSubscriptions, [service.subscribe('browser', key), service.subscribe('again', key)]);
  const page = await browser.newPage();
  await signIn(page, url, 'demo-alice');
  await show(page);
  return page;
}

test('by keyboard: enabled on this device, without names and text, tested, listed with others, and turned off', () =>
  browse({}, async (browser) => {
    const page = await open(browser);
    await dialog(page).getByText('This browser gets no push messages.').waitFor();
    await accessible(page, 'no push messages');
    await pictures(page, 'push-off');
    await dialog(page).getByLabel('Without names and text').check();
    await enable(page).press('Enter');
    await dialog(page).getByText('This browser gets push messages.').waitFor();
    await until('the focus', () => page.evaluate(() => document.activeElement.textContent === 'Turn them off on this device'));
    await alice.putPush('phone', service.subscribe('phone', key));
    await button(row(page, 'This browser'), 'Test').press('Enter');
    await page.getByText('The push service has it.').waitFor();
    assert.equal((await service.count(1)).name, 'browser');
    for (const text of ['Active', 'no names and no text', new URL(service.url).host])
      await row(page, 'This browser').getByText(text).first().waitFor();
    await row(page, 'phone').waitFor();
    await accessible(page, 'push messages');
    await pictures(page, 'push-on');
    service.answers.push(429);
    await button(row(page, 'phone'), 'Test').press('Enter');
    await page.getByText(/^The push service has not taken it: /).waitFor();

    await button(row(page, 'phone'), 'Delete').press('Enter');
    assert.equal((await alice.listPush()).items.length, 2, 'it is deleted without a question');
    await button(row(page, 'phone'), 'Delete it?').press('Enter');
    await row(page, 'phone').waitFor({ state: 'detached' });
    await page.reload();
    await show(page);
    await button(dialog(page), 'Turn them off on this device').press('Enter');
    await dialog(page).getByText('This browser gets no push messages.').waitFor();
    assert.deepEqual((await alice.listPush()).items, []);
    assert.equal(await page.evaluate(() => localStorage.getItem('perch:push')), null, 'an id stays that nobody knows');
    await enable(page).press('Enter'); // by another subscription
    await row(page, 'This browser').waitFor();
    await button(row(page, 'This browser'), 'Delete').press('Enter');
    await button(row(page, 'This browser'), 'Delete it?').press('Enter');
    await dialog(page).getByText('This browser gets no push messages.').waitFor();
  }));

test('a click on a notification opens its conversation, of this account alone', () =>
  browse({}, async (browser) => {
    const page = await browser.newPage();
    await signIn(page, url, 'demo-alice');
    const [account, bob] = [await stage('jid', { user: 'alice' }), await stage('jid', { user: 'bob' })];
    const clicked = (push) =>
      page.evaluate(
        (data) => navigator.serviceWorker.dispatchEvent(new MessageEvent('message', { data: { type: 'perch.open', push: data } })),
        push,
      );
    await clicked({ account: bob, conversation: await stage('jid', { user: 'echo' }) });
    await clicked({ account, conversation: bob });
    await page.getByRole('heading', { name: 'Bob', exact: true }).waitFor();
    await page.getByLabel('Message', { exact: true }).waitFor();
  }));

test('where the browser refuses, or has none, that is said, and nothing is offered', () =>
  browse({ viewport: { width: 390, height: 700 }, colorScheme: 'dark' }, async (browser) => {
    const page = await open(browser, { allowed: false });
    await dialog(page).getByText('You, or this browser, have refused notifications').waitFor();
    assert.equal(await enable(page).isVisible(), false);
    await accessible(page, 'refused notifications');
    await picture(page, 'push-denied');
    await browser.addInitScript(() => delete window.PushManager);
    await page.reload();
    await show(page);
    await dialog(page).getByText('This browser has no push messages').waitFor();
    assert.equal(await enable(page).isVisible(), false);
  }));
