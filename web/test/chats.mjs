// Chats as people use them today, in a real browser: the list, edits, replies, reactions, retractions,
// files, drafts, and a page that nobody looks at. On the stand-in, where the other side can do it all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessible, acts, browse, choose, message, offers, pictures, say, signIn, talk } from './browser.mjs';
import { until } from './kit.mjs';
import { StandIn, own } from './standin.mjs';

const bob = 'bob@example.net';
const carol = 'carol@example.net';

/** A story on a gateway of its own. */
const story = (options, play) => async () => {
  const gateway = await new StandIn(options).listen();
  try {
    await browse({}, (browser, requests) => play(gateway, browser, requests));
  } finally {
    await gateway.close();
  }
};
const open = async (browser, gateway) => {
  const page = await browser.newPage();
  await signIn(page, gateway.url, 'demo-alice');
  return page;
};
const talks = (page) =>
  page
    .locator('.talk')
    .evaluateAll((all) => all.map((e) => `${e.querySelector('.name').textContent} ${e.querySelector('.badge').textContent}`.trim()));
const writes = (gateway) => gateway.requests.filter((r) => !r.what.startsWith('GET')).map((r) => r.what);

test(
  'the list: by activity, with preview and unread that survive a reload; what is opened is read',
  story({}, async (gateway, browser) => {
    gateway.receive(bob, 'first of Bob');
    gateway.receive(carol, 'Carol was here');
    gateway.receive(bob, 'second of Bob');
    const page = await open(browser, gateway);
    await talk(page, 'Bob').getByText('second of Bob').waitFor();
    assert.deepEqual(await talks(page), ['Bob 2', 'Carol 1']);
    gateway.receive(carol, 'a newer one');
    await until('the order', async () => (await talks(page)).join() === 'Carol 2,Bob 2');
    await accessible(page, 'chats');
    await pictures(page, 'chats');
    await page.reload();
    await talk(page, 'Carol').getByText('a newer one').waitFor();
    assert.deepEqual(await talks(page), ['Carol 2', 'Bob 2']);
    await talk(page, 'Carol').click();
    await message(page, 'a newer one').waitFor();
    await until('read', async () => (await talks(page)).join() === 'Carol,Bob 2');
    assert.deepEqual(
      writes(gateway).filter((w) => w.includes('read')),
      [`PUT /v1/conversations/${carol}/read`],
    );
    await choose(page, 'Pin');
    gateway.receive(bob, 'not above a pinned one');
    await until('pinned first', async () => (await talks(page)).join() === 'Carol,Bob 3');
    gateway.conversation(bob).unread = 0;
    gateway.event('conversation.read', { jid: bob, read: { ref: 'im5', time: gateway.messages.get('im5').time }, unread: 0, mentions: 0 });
    await until('read elsewhere', async () => (await talks(page)).join() === 'Carol,Bob');
  }),
);

test(
  'by pointer: edit, reply, react, retract; and what the other side does',
  story({}, async (gateway, browser) => {
    const asked = gateway.receive(bob, 'Croquet at four?');
    const page = await open(browser, gateway);
    await talk(page, 'Bob').click();
    await say(page, 'With flamingoes.');
    await acts(page, 'With flamingoes.', 'Edit');
    await page.getByLabel('Message', { exact: true }).fill('With flamingos.');
    await page.getByRole('button', { name: 'Save' }).click();
    await message(page, 'With flamingos.').getByText('edited').waitFor();
    await acts(page, 'Croquet at four?', 'React with 👍');
    const reaction = message(page, 'Croquet at four?').getByRole('button', { name: '👍 by you' });
    await reaction.waitFor();
    gateway.react(asked, bob, ['👍', '🎉']);
    await message(page, 'Croquet at four?')
      .getByRole('button', { name: /👍 by .*Bob/ })
      .getByText('2')
      .waitFor();
    await acts(page, 'Croquet at four?', 'Reply');
    await page.getByText('Replying to: Croquet at four?').waitFor();
    await say(page, 'Yes, gladly.');
    await message(page, 'Yes, gladly.').getByRole('button', { name: 'Bob: Croquet at four?' }).click();
    assert.match(await page.evaluate(() => document.activeElement.textContent), /Croquet at four\?/);
    await accessible(page, 'relations');
    await pictures(page, 'relations');
    await message(page, 'Croquet at four?').getByRole('button', { name: /👍/ }).first().click(); // taken back
    await message(page, 'Croquet at four?').getByRole('button', { name: '👍 by Bob' }).waitFor();
    await acts(page, 'With flamingos.', 'Delete');
    await page.getByRole('button', { name: 'Delete for both?' }).click();
    await page.locator('.message.out', { hasText: 'Message deleted' }).waitFor();
    gateway.edit(asked, 'Croquet at five?');
    await message(page, 'Croquet at five?').getByText('edited').waitFor();
    gateway.retract(asked, bob, 'no time');
    await page.locator('.message.in', { hasText: 'Message deleted' }).waitFor();
    await message(page, 'Yes, gladly.').getByRole('button', { name: 'Bob: Message deleted' }).waitFor();
    gateway.readBy(bob, [...gateway.messages.keys()].at(-1));
    await message(page, 'Yes, gladly.').getByRole('img', { name: 'seen' }).waitFor();
    await page.reload();
    await message(page, 'Yes, gladly.').waitFor();
    assert.equal(await page.locator('.message .body', { hasText: 'Message deleted' }).count(), 2);
    assert.deepEqual(
      writes(gateway)
        .filter((w) => w.includes('/messages/'))
        .map((w) => w.split(' ')[0]),
      ['PATCH', 'PUT', 'PUT', 'DELETE'],
    );
  }),
);

test(
  'by keyboard: arrows go through the messages, Enter shows what can be done, Escape goes back',
  story({}, async (gateway, browser) => {
    gateway.receive(bob, 'Shall we?');
    const page = await open(browser, gateway);
    await talk(page, 'Bob').press('Enter');
    const { keyboard } = page;
    await keyboard.type('Sure.');
    await keyboard.press('Enter');
    await message(page, 'Sure.').waitFor();
    await until('its handle', () => gateway.messages.size === 2);
    await until('the actions', () => message(page, 'Sure.').locator('.acts').isVisible());
    await keyboard.press('ArrowUp'); // the field is empty: the last own message
    await keyboard.press('End');
    await keyboard.type(' Thing');
    await keyboard.press('Enter');
    await message(page, 'Sure. Thing').waitFor();
    await page.getByRole('log').focus();
    await keyboard.press('ArrowDown');
    await keyboard.press('ArrowUp');
    assert.match(await page.evaluate(() => document.activeElement.textContent), /Shall we\?/);
    await keyboard.press('Enter');
    await page.getByRole('toolbar', { name: /^Actions/ }).waitFor();
    await accessible(page, 'actions');
    await pictures(page, 'actions');
    await keyboard.press('ArrowRight');
    await keyboard.press('Enter');
    await message(page, 'Shall we?').getByRole('button', { name: '❤️ by you' }).waitFor();
    assert.match(await page.evaluate(() => document.activeElement.className), /message/, 'the focus stays in the list');
    await keyboard.press('r');
    await page.getByText('Replying to: Shall we?').waitFor();
    await keyboard.press('Escape');
    await page.getByText('Replying to: Shall we?').waitFor({ state: 'hidden' });
    await page.getByRole('log').focus();
    await keyboard.press('ArrowDown');
    await keyboard.press('Enter');
    await keyboard.press('End');
    await keyboard.press('Enter');
    await keyboard.press('Enter');
    await page.locator('.message.out', { hasText: 'Message deleted' }).waitFor();
    await keyboard.press('Escape');
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Message');
  }),
);

test(
  'files are links: nothing is loaded, and what is no address of the web is no link',
  story({}, async (gateway, browser, requests) => {
    gateway.receive(bob, 'https://files.example/cat.png', {
      attachments: [
        { url: 'https://files.example/cat.png', name: 'cat.png', type: 'image/png', size: 70_123 },
        { url: 'javascript:alert(1)', name: 'nasty' },
      ],
    });
    gateway.receive(bob, 'the end', { spoiler: { hint: 'the film' } });
    gateway.receive(bob, '', { encryption: { method: 'omemo' }, fallback: 'You cannot read this.' });
    const page = await open(browser, gateway);
    await talk(page, 'Bob').click();
    const link = page.getByRole('link', { name: 'cat.png' });
    await link.waitFor();
    assert.deepEqual(await link.evaluate((a) => [a.getAttribute('href'), a.rel, a.target]), [
      'https://files.example/cat.png',
      'noopener noreferrer',
      '_blank',
    ]);
    await page.getByText('image/png, 70 kB').waitFor();
    assert.equal(await page.getByRole('link', { name: 'nasty' }).count(), 0);
    assert.equal(await page.locator('.message img').count(), 0);
    await page.locator('.message .body').getByText('You cannot read this.').waitFor();
    assert.equal(await page.getByText('the end').isVisible(), false);
    await page.getByText('the film', { exact: true }).click();
    assert.equal(await page.getByText('the end').isVisible(), true);
    assert.deepEqual(
      requests.filter((r) => r.includes('files.example')),
      [],
    );
    await accessible(page, 'files');
    await pictures(page, 'files');
  }),
);

test(
  'drafts are kept for each chat, over a reload, and come from other devices',
  story({}, async (gateway, browser) => {
    gateway.receive(bob, 'hi');
    gateway.receive(carol, 'ho');
    const page = await open(browser, gateway);
    const field = page.getByLabel('Message', { exact: true });
    await talk(page, 'Bob').click();
    await field.pressSequentially('Dear Bo');
    await talk(page, 'Carol').click();
    assert.equal(await field.inputValue(), '');
    await talk(page, 'Bob').getByText('Draft: Dear Bo').waitFor();
    await until('the gateway has it', () => gateway.conversation(bob).draft === 'Dear Bo');
    await page.reload();
    await talk(page, 'Bob').click();
    assert.equal(await field.inputValue(), 'Dear Bo');
    await field.press('Enter');
    await message(page, 'Dear Bo').waitFor();
    await until('no draft', () => gateway.conversation(bob).draft === null);
    await talk(page, 'Carol').click();
    await field.blur();
    gateway.conversation(carol).draft = 'from the phone';
    gateway.event('conversation.changed', { ...gateway.conversation(carol), last_message: undefined }, false);
    await until('the draft of the phone', async () => (await field.inputValue()) === 'from the phone');
  }),
);

test(
  'a page that nobody looks at counts in its title, and notifies only if that was asked for',
  story({}, async (gateway, browser) => {
    await browser.addInitScript(() => {
      window.asked = 0;
      window.notes = [];
      window.Notification = class {
        static permission = 'default';
        static requestPermission = async () => (window.asked++, (Notification.permission = 'granted'));
        constructor(title, options) {
          window.notes.push(`${title}: ${options.body}`);
        }
      };
      let hidden = false;
      Object.defineProperty(document, 'hidden', { get: () => hidden });
      window.look = (on) => ((hidden = !on), document.dispatchEvent(new Event('visibilitychange')));
    });
    gateway.receive(bob, 'before');
    const page = await open(browser, gateway);
    await talk(page, 'Bob').click();
    await until('what is opened to be read', async () => (await talks(page)).join() === 'Bob');
    await page.evaluate(() => window.look(false));
    gateway.receive(bob, 'nobody looks');
    await page.waitForFunction(() => document.title === '(1) Perch console');
    assert.deepEqual(await page.evaluate(() => [window.asked, window.notes]), [0, []]);
    await page.evaluate(() => window.look(true));
    await page.waitForFunction(() => document.title === 'Perch console');
    await page.getByRole('button', { name: 'Online' }).click();
    await page.getByRole('button', { name: 'Notify me of messages' }).click();
    await page.getByRole('button', { name: 'Notify me of messages' }).waitFor({ state: 'hidden' });
    await page.evaluate(() => window.look(false));
    gateway.receive(carol, 'look here');
    await page.waitForFunction(() => window.notes.length === 1);
    gateway.conversation(carol).notify = 'none';
    gateway.event('conversation.changed', { ...gateway.conversation(carol), last_message: undefined }, false);
    gateway.receive(carol, 'and not here');
    gateway.receive(bob, 'but here');
    await page.waitForFunction(() => window.notes.length > 1);
    assert.deepEqual(await page.evaluate(() => [window.asked, window.notes]), [1, ['Carol: look here', 'Bob: but here']]);
    Object.assign(gateway.conversation(carol), { notify: 'mentions', mentions: 1 });
    gateway.event('conversation.changed', { ...gateway.conversation(carol), last_message: undefined }, false);
    gateway.receive(carol, 'Alice, look', { mentions: [{ jid: own, begin: 0, end: 5 }] });
    gateway.receive(carol, 'for nobody');
    gateway.receive(bob, 'the last');
    await page.waitForFunction(() => window.notes.some((n) => n.endsWith('the last')));
    assert.deepEqual(await page.evaluate(() => window.notes.slice(2)), ['Carol: Alice, look', 'Bob: the last']);
  }),
);

test(
  'two tabs: what one does the other shows, and a change that waits survives the tab',
  story({}, async (gateway, browser) => {
    gateway.receive(bob, 'for both');
    const [one, two] = [await open(browser, gateway), await open(browser, gateway)];
    for (const page of [one, two]) await talk(page, 'Bob').click();
    await until('one stream', () => gateway.streams === 1);
    await acts(two, 'for both', 'React with 🎉');
    await message(one, 'for both').getByRole('button', { name: '🎉 by you' }).waitFor();
    gateway.refuses = 503;
    await acts(one, 'for both', 'React with 👍');
    await message(two, 'for both').getByRole('button', { name: '👍 by you' }).waitFor();
    await one.close();
    gateway.refuses = 0;
    await until('the other tab sends it', () => gateway.messages.get('im1').sets?.[own]?.includes('👍'));
    await until('confirmed', () => message(two, 'for both').getByText('Waits').isHidden());
  }),
);

test(
  'a change that is refused says why, and can be dismissed',
  story({}, async (gateway, browser) => {
    gateway.receive(bob, 'untouchable');
    const page = await open(browser, gateway);
    await talk(page, 'Bob').click();
    gateway.refuses = 403;
    await acts(page, 'untouchable', 'React with 👍');
    await message(page, 'untouchable').getByText('Not changed: the stand-in refuses').waitFor();
    assert.equal(await message(page, 'untouchable').locator('.reaction').count(), 0);
    await accessible(page, 'refused change');
    await message(page, 'untouchable').getByRole('button', { name: 'Dismiss' }).click();
    await message(page, 'untouchable').getByText('Not changed').waitFor({ state: 'hidden' });
  }),
);

test(
  'an older gateway: chats of what was seen here, and nothing that it cannot do',
  story({ features: null }, async (gateway, browser) => {
    const page = await open(browser, gateway);
    gateway.receive(bob, 'plain as ever');
    await talk(page, 'Bob').getByText('plain as ever').waitFor();
    assert.deepEqual(await talks(page), ['Bob 1']);
    await page.reload();
    await until('after the reload', async () => (await talks(page)).join() === 'Bob 1');
    await talk(page, 'Bob').click();
    await say(page, 'and back');
    await message(page, 'and back').waitFor();
    await until('read', async () => (await talks(page)).join() === 'Bob');
    assert.equal(await page.getByRole('button', { name: /^Actions/ }).count(), 0);
    assert.equal(await offers(page, 'Pin'), false);
    assert.deepEqual(
      writes(gateway).filter((w) => w.includes('conversations')),
      [],
    );
  }),
);
