// The gateway with its embedded service starts again under a page that keeps what it has: the history of the
// demo is there once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse, buddy, said } from './browser.mjs';
import { stage, until, url } from './kit.mjs';

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
    const read = page.waitForResponse((r) => r.url().includes('/v1/archive'));
    await page.reload();
    await read;
    await said(page, 'Then I shall be there.').waitFor();
    await until('the same messages', async () => JSON.stringify(await texts()) === JSON.stringify(before));
  }));
