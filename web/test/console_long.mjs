// The console with much in it: 300 buddies and a conversation of 5,000 messages. What is counted are elements,
// requests and bytes; how well it scrolls is written down, beside a page without a script, and not held against a clock.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse, buddy, fillToken, resize } from './browser.mjs';
import { sleep, until } from './kit.mjs';
import { scrolled } from './trace.mjs';
import { StandIn } from './standin.mjs';

const bob = 'bob@example.net';
const people = 300;
const texts = 5000;
/** Elements of messages that there may be at once; see shown.js. */
const mostShown = 60;
/** Pixels a second. */
const speed = 4000;

async function gatewayOf() {
  const names = ['bob', ...Array.from({ length: people - 1 }, (_, i) => `buddy${String(i).padStart(3, '0')}`)];
  const gateway = new StandIn({ buddies: names.map((n) => `${n}@example.net`) });
  gateway.away = new Set(names.filter((_, i) => i % 10 !== 0).map((n) => `${n}@example.net`));
  await gateway.listen();
  for (let i = 0; i < texts; i++) {
    const ref = gateway.receive(bob, `message ${i} of many, ${'with some words '.repeat(i % 5)}`);
    gateway.messages.get(ref).time = new Date(Date.now() - (texts - i) * 60_000).toISOString();
  }
  gateway.conversation(bob).unread = 0;
  return gateway;
}

async function open(browser, gateway) {
  const photos = new Set();
  const page = await browser.newPage();
  await page.route('**/v1/vcards/*/photo', (r) => {
    photos.add(decodeURIComponent(r.request().url().split('/').at(-2)));
    return r.fulfill({ status: 404, json: { status: 404, code: 'item-not-found', title: 'none' } });
  });
  await page.goto(gateway.url);
  await fillToken(page, 'a-token-of-alice');
  await page.keyboard.press('Enter');
  await page.getByText(`Online · ${people / 10}`).waitFor();
  return { page, photos };
}

/** As many messages in a page that does nothing at all: what the browser and the machine can give. */
async function scrolledPlain(browser) {
  const page = await browser.newPage();
  const rows = Array.from({ length: texts }, (_, i) => `<p>message ${i} of many, ${'with some words '.repeat(i % 5)}</p>`);
  await page.setContent(`<div class="log" style="height: 90vh; overflow: auto">${rows.join('')}</div>`);
  const figures = await scrolled(page, '.log', speed);
  await page.close();
  return figures;
}

/** Waits until a number stays what it is for a second: an upper bound says nothing of what is still coming. */
async function rested(f) {
  for (let before = NaN; before !== f(); await sleep(1000)) before = f();
}

test('300 buddies: who is online comes first, the last one talked to before all; photos are asked for as they are seen', async (t) => {
  const gateway = await gatewayOf();
  try {
    await browse({ viewport: { width: 1180, height: 700 } }, async (browser) => {
      t.diagnostic(`a page without a script: ${await scrolledPlain(browser)}`);
      const { page, photos } = await open(browser, gateway);
      const names = await page.locator('.buddy .name').allTextContents();
      assert.equal(names.length, people);
      assert.deepEqual(names.slice(0, 3), ['Bob', 'Buddy009', 'Buddy019']);
      assert.equal(names[people / 10], 'Buddy000', 'the first one who is offline');
      await until('the photos of those who are seen', () => photos.size >= 5);
      await rested(() => photos.size);
      assert.ok(photos.size <= 25, `${photos.size} photos were asked for, want those of the people who are seen`);
      t.diagnostic(`photos at once: ${photos.size} of ${people}`);
      t.diagnostic(`the list of buddies: ${await scrolled(page, '.people-list', speed)}`);
      await page.locator('.buddy').last().scrollIntoViewIfNeeded();
      await until('the photo of the last one', () => photos.has('buddy298@example.net'));

      await page.getByLabel('Find a buddy').fill('buddy04');
      await until('the filter', async () => (await page.locator('.buddy').count()) === 10);
      await page.getByLabel('Find a buddy').fill('');
      gateway.away.add(bob);
      const [away] = [{ jid: bob, available: false, show: null, status: '', priority: 0, resources: [], updated_at: null, stale: false }];
      gateway.event('presence', away, false);
      await page.getByText(`Online · ${people / 10 - 1}`).waitFor();
      assert.equal(await page.getByRole('region', { name: 'Offline' }).locator('.name').first().textContent(), 'Bob');
    });
  } finally {
    await gateway.close();
  }
});

test('5,000 messages: few have elements, whichever way they are read', async (t) => {
  const gateway = await gatewayOf();
  try {
    await browse({ viewport: { width: 1180, height: 700 } }, async (browser) => {
      const { page } = await open(browser, gateway);
      await buddy(page, 'Bob').click();
      const log = page.getByRole('log');
      const shown = () => page.locator('.message').count();
      const body = (n) => log.getByText(new RegExp(`^message ${n} of many`));
      await body(texts - 1).waitFor();
      t.diagnostic(`the conversation, upwards through the archive: ${await scrolled(page, '.log', -speed)}`);

      await page.evaluate(async () => {
        // As somebody who holds the key of the page.
        const [box, button] = [document.querySelector('.log'), document.querySelector('.log .older')];
        const end = Date.now() + 120_000;
        while (!button.hidden && Date.now() < end) {
          box.scrollTop = 0;
          await new Promise((done) => setTimeout(done, 5));
        }
      });
      await body(0).waitFor();
      assert.ok((await shown()) <= mostShown, `${await shown()} messages have elements, want at most ${mostShown}`);
      const all = await page.evaluate(() => document.querySelectorAll('*').length);
      assert.ok(all < 9000, `the page has ${all} elements, want less than 9,000`);
      t.diagnostic(`elements of the page: ${all}, messages among them: ${await shown()}`);
      t.diagnostic(`the conversation, downwards: ${await scrolled(page, '.log', speed)}`);
      assert.ok((await shown()) <= mostShown);

      // On a high screen all that has an element is near both ends: what comes at one may not call for the other.
      await resize(page, { width: 1180, height: 3000 });
      const moves = () =>
        log.evaluate(async (e) => {
          let n = 0;
          const seen = new MutationObserver((changes) => (n += changes.length));
          seen.observe(e, { childList: true, subtree: true });
          await new Promise((done) => setTimeout(done, 500));
          return (seen.disconnect(), n);
        });
      await until('nothing is made any more', async () => (await moves()) === 0);
      await resize(page, { width: 1180, height: 700 });

      await page.getByRole('button', { name: 'Newest messages' }).click();
      await body(texts - 1).waitFor();
      gateway.receive(bob, 'and one more');
      await log.getByText('and one more').waitFor();
      const below = () => log.evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight);
      assert.ok((await below()) < 60, `what came is ${await below()} pixels below the end`);
      await resize(page, { width: 1180, height: 420 }); // as with a keyboard that comes up
      await until('the last message is in view', async () => (await below()) < 60);
      await resize(page, { width: 1180, height: 700 });

      // What is read stays in its place when something comes, and when older ones are made.
      await log.evaluate((e) => (e.scrollTop -= 1200));
      const top = () =>
        log.evaluate((e) => {
          const row = [...e.querySelectorAll('.message')].find((m) => m.getBoundingClientRect().bottom > e.getBoundingClientRect().top);
          return [row.dataset.key, Math.round(row.getBoundingClientRect().top)];
        });
      await until('what is above is made', async () => (await shown()) > 30);
      const before = await top();
      gateway.receive(bob, 'which moves nothing');
      await until('it is there', async () => (await page.locator('.message', { hasText: 'which moves nothing' }).count()) === 1);
      assert.deepEqual(await top(), before, 'what is read has moved');
    });
  } finally {
    await gateway.close();
  }
});
