// What a newcomer sees of chat as it is today: one command, one tab, and within a minute a room with people in
// it, a message that is edited and reacted to, a picture that is uploaded, and the same account in a second tab.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessible, acts, browse, message, picture, pictures, said, say, talk } from './browser.mjs';
import { until, url } from './kit.mjs';

const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

test('one tab: a room with people, an edit, a reaction, a picture; and a second tab that is read with it', () =>
  browse({}, async (browser) => {
    const began = Number(process.env.PERCH_BEGAN);
    const page = await browser.newPage();
    await page.goto(url);
    await page.getByRole('button', { name: /^Ada/ }).waitFor();
    await page.getByRole('button', { name: /^Ada/ }).click();
    await talk(page, 'Lounge').click();
    const enter = page.getByRole('button', { name: 'Join', exact: true });
    await enter
      .or(page.getByText(/^\d+ here/).first())
      .first()
      .waitFor();
    if (await enter.isVisible()) await enter.click();
    await page
      .getByText(/^[2-9] here/)
      .first()
      .waitFor();
    await page
      .locator('.message.in .from')
      .getByText(/Mia|Noah/)
      .first()
      .waitFor(); // they have talked before

    await say(page, 'Has anyone seen the lihgthouse?');
    await acts(page, 'lihgthouse', 'Edit');
    await page.getByLabel('Message', { exact: true }).fill('Has anyone seen the lighthouse?');
    await page.getByRole('button', { name: 'Save' }).click();
    await message(page, 'seen the lighthouse?').getByText('edited').waitFor();
    await acts(page, 'seen the lighthouse?', 'React with 👍');
    await message(page, 'seen the lighthouse?').getByRole('button', { name: '👍 by you' }).waitFor();

    const chooser = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Attach files' }).click();
    await (await chooser).setFiles({ name: 'lighthouse.png', mimeType: 'image/png', buffer: png });
    await until('uploaded', () => page.getByRole('button', { name: 'Send', exact: true }).isEnabled());
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.locator('.message.out').getByRole('link', { name: 'lighthouse.png' }).waitFor();

    const second = await browser.newPage();
    await second.goto(url);
    await second.getByRole('button', { name: /^Ada/ }).click();
    const badges = () => Promise.all([page, second].map((p) => talk(p, 'Buddy').locator('.badge').textContent()));
    await talk(second, 'Buddy').waitFor();
    await until('unread in both tabs', async () => (await badges()).join() === '1,1');
    await talk(page, 'Buddy').click(); // that in the first tab reads it in the second
    await until('read in both tabs', async () => (await badges()).join() === ',');
    await say(page, 'Hello!');
    await page.locator('.message.in').nth(1).waitFor();
    const took = Date.now() - began;
    assert.ok(took < 60_000, `all of it took ${took} ms from the start of the command, want a minute at most`);
    console.log(`from the start of the command: ${took} ms`);

    await talk(page, 'Lounge').click();
    await said(page, 'seen the lighthouse?').waitFor();
    await accessible(page, 'a room of today');
    await picture(page, 'today');
    await pictures(page, 'today');
  }));
