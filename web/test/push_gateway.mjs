// A push message all the way: the console's page subscribes, the real gateway sends to a push service, a decoder of
// others reads it, and the browser is given what it says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse } from './browser.mjs';
import { client, stage, url } from './kit.mjs';
import { courier, fakeSubscriptions, shown, shows, unseen } from './push_browser.mjs';
import { PushService } from './push_kit.mjs';

test('from a message of Bob to a notification of the browser, under the policy of the console', async () => {
  const service = await new PushService().listen();
  const { application_server_key: key } = await client().listPush();
  try {
    await browse({}, async (browser) => {
      await browser.grantPermissions(['notifications'], { origin: url });
      await browser.addInitScript(fakeSubscriptions, [service.subscribe('browser', key)]);
      const page = await browser.newPage();
      await page.goto(`${url}/`);
      const made = await page.evaluate(async () => {
        const { Perch } = await import('/perch.js');
        window.perch = new Perch({ token: 'demo-alice' });
        return window.perch.push();
      });
      assert.equal(made.state, 'active');
      await unseen(browser);
      const deliver = await courier(browser, page);
      await stage('deliver', { from: 'bob', to: 'alice', body: 'Croquet at four?' });
      const { push } = await service.count(1);
      await deliver(push);
      await shows(browser, 1);
      const [{ body, tag }] = await shown(page);
      assert.deepEqual([body, tag], ['Croquet at four?', `perch ${push.account} ${await stage('jid', { user: 'bob' })}`]);
      assert.equal(await page.evaluate(() => window.perch.pushState()), 'on');
      await page.evaluate(() => window.perch.endPush());
      assert.deepEqual((await client().listPush()).items, []);
    });
  } finally {
    await service.close();
  }
});
