// The example application with the embedded service: list, chat, unread, renders, outages, two tabs, a reload.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessible, browse, pictures } from './browser.mjs';
import { open, rendered, row, said, say, site } from './chat_app_kit.mjs';
import { client, stage, url } from './kit.mjs';

const jidOf = (user) => stage('jid', { user });

test('a wrong token says so in the form', () =>
  browse({}, async (browser) => {
    const page = await browser.newPage();
    await page.goto(site);
    await accessible(page, 'sign-in');
    await page.getByText('With a token').click();
    await page.getByLabel('Token').fill('no-such-token');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('You were signed out.').waitFor();
  }));

test('list, chat, what is unread; the presence of one buddy renders one row', () =>
  browse({}, async (browser) => {
    const page = await open(browser, 'demo-alice');
    await row(page, 'Echo').click();
    await say(page, '<b>Hello</b>');
    await said(page, 'You said: <b>Hello</b>').waitFor();
    assert.equal(await page.locator('[role=log] b', { hasText: 'Hello' }).count(), 0);
    await stage('deliver', { from: 'bob', to: 'alice', body: 'Croquet at four?' });
    await row(page, 'Bob').getByText('1', { exact: true }).waitFor();
    await accessible(page, 'chat');
    await pictures(page, 'chat-app-unread');

    const [bob, echo] = await Promise.all([jidOf('bob'), jidOf('echo')]);
    const bobs = client({ url, token: 'demo-bob' });
    await bobs.openSession();
    await row(page, 'Bob').getByRole('img', { name: 'online' }).waitFor();
    const forPresence = await rendered(page, async () => {
      await bobs.setOwnPresence({ show: 'dnd', status: 'busy' });
      await row(page, 'Bob').getByRole('img', { name: 'dnd' }).waitFor();
    });
    assert.deepEqual(forPresence, { [`dot ${bob}`]: 1 });
    const forMessage = await rendered(page, async () => {
      await stage('deliver', { from: 'bob', to: 'alice', body: 'Or at five?' });
      await row(page, 'Bob').getByText('2', { exact: true }).waitFor();
    });
    assert.equal(forMessage[echo], undefined, `a message renders its own row alone, got ${JSON.stringify(forMessage)}`);
    await row(page, 'Bob').click();
    await said(page, 'Or at five?').waitFor();
    await row(page, 'Bob').getByText('2', { exact: true }).waitFor({ state: 'detached' });
    await stage('state', { from: 'bob', to: 'alice', state: 'composing' });
    await page.getByText('Bob is writing…').waitFor();
  }));

test('an outage: a banner, what is written waits, and goes out when the gateway is back', () =>
  browse({}, async (browser) => {
    const page = await open(browser, 'demo-alice');
    await row(page, 'Echo').click();
    await say(page, 'before');
    await said(page, 'You said: before').waitFor();
    await stage('down');
    await page.getByRole('status').getByText('No connection.').waitFor();
    await say(page, 'during the outage');
    await said(page, 'during the outage').getByText('pending').waitFor();
    await page.getByRole('status').getByText('1 message waits.').waitFor();
    await pictures(page, 'chat-app-outage');
    const again = page.getByRole('button', { name: 'Try now' });
    await again.click();
    await stage('up');
    // The back-off may be over before the click: then the button is gone, and what was written goes out.
    await again.click({ timeout: 2000 }).catch(() => {});
    await said(page, 'You said: during the outage').waitFor();
    await page.getByRole('status').waitFor({ state: 'detached' });
  }));

test('offline and back; a reload; two tabs of one account; signed out in one, and in both', () =>
  browse({}, async (browser) => {
    const page = await open(browser, 'demo-bob');
    await row(page, 'Echo').click();
    await say(page, 'first');
    await said(page, 'You said: first').waitFor();
    await stage('cut');
    await browser.setOffline(true);
    await stage('cut');
    await say(page, 'while offline');
    await said(page, 'while offline').getByText('pending').waitFor();
    await browser.setOffline(false);
    await said(page, 'You said: while offline').waitFor();

    await page.getByLabel('Message', { exact: true }).fill('begun');
    await page.reload();
    await row(page, 'Echo').click();
    await said(page, 'You said: while offline').waitFor();
    assert.equal(await page.getByRole('log').getByText('You said: while offline').count(), 1, 'nothing is doubled by a reload');

    const other = await browser.newPage();
    await other.goto(site);
    await row(other, 'Echo').click();
    await said(other, 'You said: first').waitFor();
    await say(other, 'from the second tab');
    await said(page, 'You said: from the second tab').waitFor();
    await other.getByRole('button', { name: 'Sign out' }).click();
    await other.getByLabel('JID').waitFor();
    await page.getByRole('alert').getByText('You were signed out.').waitFor();
  }));
