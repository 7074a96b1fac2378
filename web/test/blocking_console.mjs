// Blocking and searching in the console, by pointer and by keyboard, on a real server whose archive can be
// searched, with foreign clients as the others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Perch } from '../perch.js';
import { accessible, browse, choose, offers, pictures, said, say, signIn } from './browser.mjs';
import { until, url } from './kit.mjs';
import { Foreign } from './rooms_foreign.mjs';

const { alice, bob, carol } = JSON.parse(process.env.PERCH_ACCOUNTS);
const [bo, cy] = [new Foreign('bob', bob.jid), new Foreign('carol', carol.jid)];
const chat = { type: 'chat' };

/** The console of Alice, and a client of hers with the same session. */
async function open(browser) {
  const { token } = await Perch.signIn(alice, { url });
  const page = await browser.newPage();
  await signIn(page, url, token);
  return [page, new Perch({ url, token, storage: null })];
}
const talk = (page, jid) => page.locator(`.talk[data-jid="${jid}"]`);
const button = (page, name) => page.getByRole('button', { name, exact: true });
const dialog = (page) => page.getByRole('dialog');
const entries = (page) => dialog(page).getByRole('list', { name: 'Blocked addresses' }).getByRole('listitem');
const blocked = async (perch) => (await perch.listBlocked()).items.map((b) => b.jid).join();
/** No request of the page is refused, but for photos that nobody has: what is shown can be done. */
const works = (page, refused) =>
  page.on('response', (r) => r.status() >= 400 && !r.url().endsWith('/photo') && refused.push(`${r.status()} ${r.url()}`));

test('a contact is blocked with a report, seen as blocked, not written to, and unblocked', () =>
  browse({}, async (browser) => {
    await bo.say(alice.jid, 'Buy hedgehogs!', chat);
    const [page, perch] = await open(browser);
    const refused = [];
    works(page, refused);
    await talk(page, bob.jid).click();
    await said(page, 'Buy hedgehogs!').waitFor();
    const write = page.getByLabel('Message', { exact: true });
    await write.waitFor();

    await choose(page, 'Block');
    const put = page.waitForRequest((r) => r.method() === 'PUT' && r.url().includes('/v1/blocked/'));
    assert.equal(await dialog(page).getByLabel('What has happened').isVisible(), false);
    await dialog(page).getByLabel('Report to your service').selectOption('spam');
    await dialog(page).getByLabel('What has happened').fill('hedgehogs, <again>');
    await accessible(page, 'block');
    await pictures(page, 'block');
    await dialog(page).getByRole('button', { name: 'Block', exact: true }).click();
    const { report } = (await put).postDataJSON();
    assert.deepEqual([report.reason, report.text, report.stanza_ids.length], ['spam', 'hedgehogs, <again>', 1]);
    await dialog(page).waitFor({ state: 'detached' });
    await page.getByText(/^You block .*: nothing can be sent/).waitFor();
    await talk(page, bob.jid).getByText('Blocked · Buy hedgehogs!').waitFor();
    assert.equal(await write.isVisible(), false, 'something can be written to whom the account blocks');
    assert.equal(await page.locator('.acts:visible').count(), 0, 'something can be done with a message');
    assert.equal(await offers(page, 'Block'), false);
    await accessible(page, 'blocked');
    await pictures(page, 'blocked');

    await page.reload();
    await page.getByText(/^You block .*: nothing can be sent/).waitFor();
    await bo.say(alice.jid, 'unheard', chat);
    await button(page, 'Unblock').press('Enter');
    await write.waitFor();
    await until('the focus', () => write.evaluate((e) => e === document.activeElement));
    await bo.say(alice.jid, 'Sorry.', chat);
    await said(page, 'Sorry.').waitFor();
    await say(page, 'Never mind.');
    await page.locator('.message.out', { hasText: 'Never mind.' }).getByRole('img').waitFor();
    assert.equal(await said(page, 'unheard').count(), 0);

    await perch.block(bob.jid); // another device
    await page.getByText(/^You block .*: nothing can be sent/).waitFor();
    await perch.unblock(bob.jid);
    await write.waitFor();
    assert.deepEqual(refused, []);
  }));

test('by keyboard: the list of what is blocked, with a domain, one taken off, and all', () =>
  browse({ viewport: { width: 390, height: 780 }, colorScheme: 'dark' }, async (browser) => {
    const [page, perch] = await open(browser);
    const refused = [];
    works(page, refused);
    const { keyboard } = page;
    await page.locator('.chip').press('Enter');
    await button(page, 'Blocked').press('Enter');
    await dialog(page).getByText('Nobody is blocked.').waitFor();
    for (const jid of [bob.jid, carol.jid, 'evil.example']) {
      await dialog(page).getByLabel('Account or domain to block').focus();
      await keyboard.type(jid);
      await keyboard.press('Enter');
      await entries(page).locator(`[aria-label="Unblock ${jid}"]`).waitFor();
    }
    await dialog(page).getByText('everybody of evil.example').waitFor();
    await perch.block('dora@example.net');
    await dialog(page).getByText('dora@example.net').waitFor();
    await accessible(page, 'the list');
    await pictures(page, 'blocked-list');
    await dialog(page)
      .getByRole('button', { name: `Unblock ${carol.jid}` })
      .press('Enter');
    await until('one less', async () => (await entries(page).count()) === 3);
    await until('the focus', () => page.evaluate(() => document.activeElement.matches('dialog input')));
    assert.equal(await blocked(perch), [bob.jid, 'dora@example.net', 'evil.example'].sort().join());
    await dialog(page).getByRole('button', { name: 'Unblock all' }).press('Enter');
    await dialog(page).getByRole('button', { name: 'Unblock everybody?' }).press('Enter');
    await dialog(page).getByText('Nobody is blocked.').first().waitFor(); // the list says it, and a note, too
    assert.equal(await blocked(perch), '');
    await keyboard.press('Escape');
    await dialog(page).waitFor({ state: 'detached' });

    await page.locator('.chip').press('Enter');
    await perch.block(carol.jid.split('@')[1]);
    await talk(page, bob.jid).press('Enter');
    await page.getByText(`You block everybody of ${carol.jid.split('@')[1]}`).waitFor();
    await button(page, 'Unblock').press('Enter');
    await page.getByLabel('Message', { exact: true }).waitFor();
    assert.deepEqual(refused, []);
  }));

test('messages are found by their text, and shown where they were written', () =>
  browse({}, async (browser) => {
    await cy.say(alice.jid, 'The Cheshire cat is on the roof', chat);
    for (let n = 0; n < 70; n++) await cy.say(alice.jid, `later ${n}`, chat);
    await bo.say(alice.jid, 'Have you seen the CHESHIRE cat? <b>', chat);
    const [page, perch] = await open(browser);
    const refused = [];
    works(page, refused);
    await until('the archive', async () => (await perch.getArchive({ q: 'cheshire' })).items.length === 2);
    assert.ok(perch && (await button(page, 'Search messages').isVisible()));
    await button(page, 'Search messages').press('Enter');
    assert.equal(await dialog(page).getByRole('checkbox').count(), 0, 'no conversation is open');
    await dialog(page).getByLabel('Text to find').focus();
    await page.keyboard.type('cheshire');
    await page.keyboard.press('Enter');
    const hits = dialog(page).getByRole('list', { name: 'Messages found' }).getByRole('listitem');
    await hits.nth(1).waitFor();
    assert.deepEqual(await hits.locator('mark').allTextContents(), ['CHESHIRE', 'Cheshire'], 'the newest first');
    assert.match(await hits.nth(0).innerText(), /seen the CHESHIRE cat\? <b>/);
    await accessible(page, 'found');
    await pictures(page, 'search');
    await hits.nth(1).getByRole('button').press('Enter');
    await dialog(page).waitFor({ state: 'detached' });
    await until('the message in its place', () =>
      page.evaluate(() => document.activeElement.matches('.message') && document.activeElement.textContent.includes('on the roof')),
    );
    assert.equal((await said(page, 'later 0').count()) > 0, true, 'what follows it is there, too');

    await button(page, 'Search messages').click();
    await dialog(page)
      .getByLabel(/^Only with/)
      .check();
    await dialog(page).getByLabel('Text to find').fill('cheshire');
    await dialog(page).getByRole('button', { name: 'Search', exact: true }).click();
    await until('one conversation', async () => (await hits.count()) === 1);
    await dialog(page).getByLabel('Text to find').fill('later');
    await dialog(page).getByRole('button', { name: 'Search', exact: true }).click();
    await until('a page', async () => (await hits.count()) === 20);
    await dialog(page).getByRole('button', { name: 'Older ones' }).click();
    await until('the next page', async () => (await hits.count()) === 40);
    const texts = await hits.locator('.status').allTextContents();
    assert.deepEqual(
      texts,
      Array.from({ length: 40 }, (_, n) => `later ${69 - n}`),
    );
    await dialog(page).getByLabel('Text to find').fill('walrus');
    await dialog(page).getByRole('button', { name: 'Search', exact: true }).click();
    await dialog(page).getByText('Nothing was found.').waitFor();
    assert.deepEqual(refused, []);
  }));
