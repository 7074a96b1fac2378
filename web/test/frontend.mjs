// The example front end of docs/examples, on an origin of its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse } from './browser.mjs';
import { url } from './kit.mjs';

test('the 60 lines are a chat', () =>
  browse({}, async (browser) => {
    const page = await browser.newPage();
    await page.goto(`${process.env.PERCH_SITE}/?gateway=${encodeURIComponent(url)}`);
    await page.getByText('online over ws').waitFor();
    const echo = await page.locator('option', { hasText: /^Echo/ }).getAttribute('value');
    await page.getByLabel('Buddy').selectOption(echo);
    await page.getByLabel('Message', { exact: true }).fill('<b>Hello</b> from an example');
    await page.keyboard.press('Enter');
    await page.getByText('You said: <b>Hello</b> from an example').waitFor();
    assert.equal(await page.locator('#messages b').count(), 0);
  }));
