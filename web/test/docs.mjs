// The pages beside the console: the reference, the guides, and what an address without a page gets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessible, browse, pictures, resize } from './browser.mjs';
import { url } from './kit.mjs';

/** Axe in both colour schemes, on a desk and on a small telephone. */
async function everywhere(page, what) {
  for (const [colorScheme, width] of [
    ['dark', 320],
    ['light', 1280],
  ]) {
    await page.emulateMedia({ colorScheme });
    await resize(page, { width, height: 720 });
    await accessible(page, `${what}, ${colorScheme}, ${width}`);
  }
}

const background = (page, selector) => page.evaluate((s) => getComputedStyle(document.querySelector(s)).backgroundColor, selector);

test('guides: one leads to another, by the heading that is meant, and by keyboard', () =>
  browse({}, async (browser, requests) => {
    const page = await browser.newPage();
    await page.goto(`${url}/docs/api`);
    await page.getByText('Guides', { exact: true }).click();
    await page.getByRole('link', { name: 'Front ends', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Front ends' }).waitFor();
    await everywhere(page, 'a guide');
    await pictures(page, 'docs-guide');
    await page.getByRole('link', { name: 'uploads.md' }).click();
    await page.waitForURL(`${url}/docs/uploads#from-a-page-cors`);
    const heading = page.getByRole('heading', { name: 'From a page: CORS' });
    await heading.waitFor();
    assert.ok((await heading.boundingBox()).y < 720, 'the heading is in view');

    await page.goto(`${url}/docs/operations`);
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'content');
    await page.evaluate(() => document.querySelector('table').scrollIntoView());
    await pictures(page, 'docs-tables');
    assert.ok(
      requests.every((r) => r.startsWith(url) || r.startsWith('data:')),
      `got ${requests}, want this host alone`,
    );
  }));

test('the reference is dark where the system is, and follows it', () =>
  browse({ colorScheme: 'dark' }, async (browser) => {
    const page = await browser.newPage();
    page.setDefaultTimeout(60_000); // Swagger UI draws a large description, and the machine may be busy
    await page.goto(`${url}/docs`);
    const operation = page.locator('.opblock-summary').first();
    await operation.waitFor();
    const dark = await background(page, 'body');
    assert.equal(await page.evaluate(() => document.documentElement.className), 'dark-mode');
    await operation.click();
    await page.locator('.opblock-body').first().waitFor();
    await everywhere(page, 'an operation');
    await pictures(page, 'docs-operation');
    assert.notEqual(await background(page, 'body'), dark, 'light when the system is light');
    assert.equal(await page.evaluate(() => document.documentElement.className), '');
  }));

test('an address without a page says so, and leads on', () =>
  browse({}, async (browser) => {
    const page = await browser.newPage();
    const answer = await page.goto(`${url}/no/such/page`);
    assert.equal(answer.status(), 404);
    await everywhere(page, 'a wrong address');
    await pictures(page, 'docs-missing');
    await page.getByRole('link', { name: 'Operations' }).click();
    await page.getByRole('heading', { level: 1 }).waitFor();
  }));
