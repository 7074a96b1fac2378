// The gateway with its embedded service starts again under a page that keeps what it has: the history of the
// demo is there once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse, buddy, said } from './browser.mjs';
import { stage, url } from './kit.mjs';

const mark = 'A message that the archive alone has.';

/** Puts a message before all others of what the archive answers: once it is shown, the answer has been merged. */
const marked = (page) =>
  page.route('**/v1/archive?*', async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    const [{ ref: _, ...first }] = json.items;
    const time = new Date(Date.parse(first.time) - 60_000).toISOString();
    json.items.unshift({ ...first, id: 'mark', message_id: 'mark', body: mark, time });
    await route.fulfill({ response, json });
  });

test('a restart, and a reload after it: each message of the archive is there once', () =>
  browse({}, async (browser) => {
    const page = await browser.newPage();
    await page.goto(url);
    await page.getByRole('button', { name: /Alice/ }).click();
    await buddy(page, 'Bob').click();
    await said(page, 'Then I shall be there.').waitFor();
    const texts = () => page.locator('.message .body').allTextContents();
    const before = await texts();
    assert.equal(before.length, 4);
    await stage('stop');
    await page.getByText('No connection').waitFor();
    await stage('start');
    await page.getByText('Online', { exact: true }).first().waitFor();
    await page.reload();
    await page.getByText('Online', { exact: true }).first().waitFor();
    await marked(page);
    await page.reload();
    await said(page, mark).waitFor();
    assert.deepEqual(await texts(), [mark, ...before]);
  }));
