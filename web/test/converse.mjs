// A room with the console on one side and converse.js on the other, each in its own page of one browser:
// they see of each other what is said, corrected and reacted to, and what converse.js retracts. It looks for a
// retracted message by the id that its author gave, and a gateway names it by that of the room (XEP-0424, 4).
import { test } from 'node:test';
import { Perch } from '../perch.js';
import { browse, picture, said, say, signIn } from './browser.mjs';
import { alone, message, react, retract, served, write } from './converse_kit.mjs';
import { until, url } from './kit.mjs';

const { alice, bob } = JSON.parse(process.env.PERCH_ACCOUNTS);
const room = `garden@${process.env.PERCH_ROOMS}`;

/** A picture of both pages, if PERCH_PICTURES names a folder. */
async function beside(browser, ...pages) {
  const images = [];
  for (const p of pages) {
    await p.mouse.move(0, 0);
    images.push(`data:image/png;base64,${(await p.screenshot()).toString('base64')}`);
  }
  const both = await browser.newPage();
  const { width, height } = pages.map((p) => p.viewportSize()).reduce((a, b) => ({ width: a.width + b.width, height: a.height }));
  await both.setViewportSize({ width, height });
  await both.setContent(`<body style="margin:0;display:flex">${images.map((src) => `<img alt="" src="${src}">`).join('')}</body>`);
  await picture(both, 'converse');
  await both.close();
}

test('the console and converse.js in one room', () =>
  served(bob, room, 'Bo', (site) =>
    browse({ viewport: { width: 600, height: 480 } }, async (browser) => {
      const { token } = await Perch.signIn(alice, { url });
      const perch = new Perch({ url, token, storage: null });
      await perch.joinRoom(room, { nick: 'Alice', config: { name: 'Garden', public: true } });
      const [own, other] = [await browser.newPage(), await browser.newPage()];
      await other.setViewportSize({ width: 840, height: 480 });
      await signIn(own, url, token);
      await own
        .getByRole('region', { name: 'Chats' })
        .getByRole('button', { name: /^Garden/ })
        .click();
      await alone(browser);
      await other.goto(site);
      await other.locator('.chat-textarea').waitFor();

      await say(own, 'Who has seen the cat?');
      await message(other, 'Who has seen the cat?').waitFor();
      await write(other, 'Which one?');
      await said(own, 'Which one?').waitFor();
      const [mine, theirs] = await until('both messages', async () => {
        const { items } = await perch.listMessages(room);
        return items.length === 2 && items.map((m) => m.ref);
      });

      await perch.patchMessage(room, mine, { body: 'Who has seen my cat?' });
      await message(other, 'Who has seen my cat?').locator('.chat-msg__edit-modal').waitFor();
      await other.locator('.chat-textarea').press('ArrowUp');
      await write(other, 'Which one of them?');
      await said(own, 'Which one of them?').waitFor();

      await perch.putReactions(room, theirs, ['😺']);
      await message(other, 'Which one of them?').locator('converse-reactions', { hasText: '😺' }).waitFor();
      await react(other, 'Who has seen my cat?');
      await own.locator('.message', { hasText: 'Who has seen my cat?' }).getByText('😂').waitFor();
      await beside(browser, own, other);

      await write(other, 'Not this');
      await said(own, 'Not this').waitFor();
      await retract(other, 'Not this');
      await said(own, 'Not this').waitFor({ state: 'detached' });
    }),
  ));
