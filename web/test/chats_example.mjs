// The example with the list of conversations, on an origin of its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse } from './browser.mjs';
import { until } from './kit.mjs';
import { StandIn } from './standin.mjs';

const bob = 'bob@example.net';

test('the 100 lines: list, unread, edit, answer, react, delete', async () => {
  const gateway = await new StandIn().listen();
  try {
    await browse({}, async (browser) => {
      gateway.receive(bob, '<b>Hello</b> Alice');
      gateway.receive(bob, 'Croquet at four?');
      const page = await browser.newPage();
      await page.goto(`${process.env.PERCH_SITE}/?gateway=${encodeURIComponent(gateway.url)}`);
      const chats = page.getByRole('list', { name: 'Chats' });
      await chats.getByRole('button', { name: 'Bob (2): Croquet at four?' }).click();
      const message = (text) => page.getByRole('log').getByRole('listitem').filter({ hasText: text });
      await message('<b>Hello</b> Alice').waitFor();
      assert.equal(await page.locator('#messages b').count(), 0);
      await chats.getByRole('button', { name: 'Bob: Croquet at four?' }).waitFor();
      assert.equal(gateway.conversation(bob).read.ref, 'im2');
      await message('Croquet').getByRole('button', { name: 'Reply' }).click();
      await page.getByText('Replying to: Croquet at four?').waitFor();
      await page.getByLabel('Message', { exact: true }).fill('With flamingoes.');
      await page.keyboard.press('Enter');
      await message('You: With flamingoes.').getByText('Croquet at four?').waitFor();
      await message('You: With flamingoes.').getByRole('button', { name: 'Edit' }).click();
      await page.getByLabel('Message', { exact: true }).fill('With flamingos.');
      await page.keyboard.press('Enter');
      await message('You: With flamingos. (edited)').waitFor();
      await message('Bob: Croquet').getByRole('button', { name: '👍', exact: true }).click();
      await message('Bob: Croquet').getByRole('button', { name: '👍 1' }).waitFor();
      await message('You: With flamingos.').getByRole('button', { name: 'Delete' }).click();
      await message('You: deleted').waitFor();
      await until('all of it at the gateway', () => {
        const [, asked, answer] = [...gateway.messages.values()];
        return asked.reactions?.[0]?.own && answer.retracted && answer.reply_to.ref === 'im2';
      });
      await chats.getByRole('button', { name: 'Bob: deleted' }).waitFor();
    });
  } finally {
    await gateway.close();
  }
});
