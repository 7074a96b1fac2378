// The example application with a real XMPP server: signed in by password, in a room with others, messages that
// are edited, reacted to and taken back, and files.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessible, browse, pictures } from './browser.mjs';
import { row, said, say, site } from './chat_app_kit.mjs';
import { until } from './kit.mjs';
import { Foreign } from './rooms_foreign.mjs';

const { alice, bob } = JSON.parse(process.env.PERCH_ACCOUNTS);
const room = `tea-${Date.now()}@${process.env.PERCH_ROOMS}`;
const bo = new Foreign('bob', bob.jid);

async function signIn(page, { jid, password }) {
  await page.goto(site);
  await page.getByLabel('JID').fill(jid);
  await page.getByLabel('Password').fill(password);
  await page.keyboard.press('Enter');
}

test('a room, edits, reactions, what is taken back, and a file', () =>
  browse({}, async (browser) => {
    const page = await browser.newPage();
    await signIn(page, { ...alice, password: 'wrong' });
    await page.getByRole('alert').waitFor();
    await signIn(page, alice);
    await page.getByLabel('Room', { exact: true }).fill(room);
    await page.getByLabel('Nickname').fill('Alice');
    await page.keyboard.press('Enter');
    await page.getByText('1 here').waitFor();
    await bo.join(room, 'Bo');
    await page.getByText('2 here').waitFor();

    await say(page, 'Croquet at fuor?');
    await said(page, 'Croquet at fuor?').getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Message', { exact: true }).fill('Croquet at four?');
    await page.keyboard.press('Enter');
    await said(page, 'Croquet at four?').getByText('(edited)').waitFor();
    const id = await bo.say(room, 'With flamingoes.');
    await said(page, 'Bo With flamingoes.').waitFor();
    await bo.edit(room, id, 'With flamingos.');
    await said(page, 'With flamingos.').getByText('(edited)').waitFor();
    await said(page, 'With flamingos.').getByRole('button', { name: 'Like' }).click();
    await said(page, 'With flamingos.').getByRole('button', { name: '👍 1', pressed: true }).waitFor();
    await say(page, 'Nonsense');
    await said(page, 'Nonsense').getByRole('button', { name: 'Delete' }).click();
    await said(page, 'deleted').waitFor();
    await accessible(page, 'room');
    await pictures(page, 'chat-app-room');

    await page.getByLabel('Files').setInputFiles({ name: 'hedgehog.txt', mimeType: 'text/plain', buffer: Buffer.from('a hedgehog') });
    const link = said(page, 'hedgehog.txt').getByRole('link');
    await link.waitFor();
    const address = await link.getAttribute('href');
    await until('the file', async () => (await (await browser.request.get(address, { ignoreHTTPSErrors: true })).text()) === 'a hedgehog');

    await page.reload();
    await row(page, room.split('@')[0]).click(); // a server may have named the room
    await said(page, 'Croquet at four?').getByText('(edited)').waitFor();
    await said(page, 'With flamingos.').getByRole('button', { name: '👍 1', pressed: true }).waitFor();
    assert.equal(await page.getByRole('log').getByText('Croquet at four?').count(), 1);
    await page.getByRole('button', { name: 'Leave' }).click();
    await page.getByText('Choose a chat.').waitFor();
  }));
