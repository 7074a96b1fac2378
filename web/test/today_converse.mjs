// converse.js in Chromium on the embedded service of today, and @xmpp/client on the other side.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { xml } from '@xmpp/client';
import { browse, picture } from './browser.mjs';
import { alone, message, react, served, write } from './converse_kit.mjs';
import { ann, ben, enter, message as stanza, ns, rooms, signIn, tcp, text } from './today_people.mjs';

const room = `orchard@${rooms}`;

test('converse.js signs in, talks, edits, reacts, and reads what was said before', () =>
  served(ben, room, 'Ben', (site) =>
    browse({ viewport: { width: 840, height: 600 } }, async (browser) => {
      const a = await signIn(`xmpp://${tcp}`, ann);
      await enter(a, room, 'Ann', true);
      const say = (id, ...content) => a.xmpp.send(stanza({ to: room, type: 'groupchat', id }, ...content));
      await say('o0', text('before anybody came'));
      await alone(browser);
      const page = await browser.newPage();
      await page.goto(site);
      await page.locator('.chat-textarea').waitFor();
      await message(page, 'before anybody came').waitFor();

      await say('o1', text('Who has seen the cat?'));
      await message(page, 'Who has seen the cat?').waitFor();
      await write(page, 'Which one?');
      const asked = await a.body('Which one?');
      assert.equal(asked.attrs.from, `${room}/Ben`);
      await say('o2', text('Who has seen my cat?'), xml('replace', { xmlns: ns.correct, id: 'o1' }));
      await message(page, 'Who has seen my cat?').locator('.chat-msg__edit-modal').waitFor();
      await page.locator('.chat-textarea').press('ArrowUp');
      await write(page, 'Which one of them?');
      assert.equal((await a.body('Which one of them?')).getChild('replace', ns.correct).attrs.id, asked.attrs.id);

      const id = asked.getChild('stanza-id', ns.sid).attrs.id;
      await say('o3', xml('reactions', { xmlns: ns.react, id }, xml('reaction', {}, '😺')));
      await message(page, 'Which one of them?').locator('converse-reactions', { hasText: '😺' }).waitFor();
      await react(page, 'Who has seen my cat?');
      await a.find('the reaction', (s) => s.getChild('reactions', ns.react)?.getChildText('reaction') === '😂');
      await picture(page, 'today-converse');

      const file = { name: 'note.txt', mimeType: 'text/plain', buffer: Buffer.from('from a page') };
      await page.locator('.fileupload').first().setInputFiles(file);
      const sent = await a.find('the file', (s) => s.getChild('x', 'jabber:x:oob'));
      assert.equal(await (await fetch(sent.getChild('x', 'jabber:x:oob').getChildText('url'))).text(), 'from a page');

      await a.xmpp.send(stanza({ to: ben.jid, type: 'chat', id: 'o4' }, text('just for you')));
      await page.locator('.list-item', { hasText: 'ann' }).first().click();
      await message(page, 'just for you').waitFor();
      await write(page, 'thank you');
      await a.body('thank you');
      await a.xmpp.stop();
    }),
  ));
