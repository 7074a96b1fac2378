// The example with push messages, on an origin of its own, in a real browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Perch } from '../perch.js';
import { browse } from './browser.mjs';
import { url } from './kit.mjs';
import { courier, fakeSubscriptions, shown, shows, unseen } from './push_browser.mjs';
import { PushService } from './push_kit.mjs';

const site = process.env.PERCH_SITE;

test('subscribe, test, a notification in the words of the app, and the end of it', async () => {
  const service = await new PushService().listen();
  const perch = new Perch({ url, token: 'demo-alice' });
  const { application_server_key: key } = await perch.listPush();
  try {
    await browse({}, async (browser) => {
      await browser.grantPermissions(['notifications'], { origin: site });
      await browser.addInitScript(fakeSubscriptions, [service.subscribe('example', key)]);
      const page = await browser.newPage();
      await page.goto(`${site}/?gateway=${encodeURIComponent(url)}`);
      await page.getByText('Push messages: off').waitFor();
      await page.getByRole('button', { name: 'Notify me', exact: true }).click();
      await page.getByText('Push messages: on').waitFor();
      await page.getByRole('button', { name: 'Test' }).click();
      await page.getByText('Test: the push service answered 201').waitFor();
      const deliver = await courier(browser, page);
      await unseen(browser);
      await deliver((await service.count(1)).push);
      await shows(browser, 1);
      assert.deepEqual(
        (await shown(page)).map(({ title, body }) => `${title}: ${body}`),
        ['Perch (example): Push messages arrive on this device.'],
      );
      await page.getByRole('button', { name: 'Do not notify me' }).click();
      await page.getByText('Push messages: off').waitFor();
      assert.deepEqual((await perch.listPush()).items, []);
    });
  } finally {
    await service.close();
  }
});
