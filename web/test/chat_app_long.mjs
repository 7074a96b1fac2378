// The example application with 300 buddies and a chat of 5,000 messages: a handful of them is in the page, wherever
// it is scrolled to.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessible, browse, pictures } from './browser.mjs';
import { rendered, row, said, say } from './chat_app_kit.mjs';
import { until } from './kit.mjs';
import { StandIn } from './standin.mjs';

const buddies = Array.from({ length: 300 }, (_, i) => `buddy-${String(i).padStart(3, '0')}@example.net`);
const long = buddies[7];
const most = 60; // rows of a list that are in the page

/** A gateway with that many messages in one chat, which serves the application, and a page of it in that chat. */
async function chat(browser, messages) {
  const gateway = await new StandIn({ buddies }).listen();
  Object.assign(gateway, { site: process.env.PERCH_APP, pageSize: messages });
  for (let i = 1; i <= messages; i++) gateway.receive(long, `Message ${i}${i % 7 ? '' : ', which is a good deal longer '.repeat(8)}`);
  const page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  await page.addInitScript(() => (window.renders = {}));
  await page.goto(gateway.url);
  await page.getByText('With a token').click();
  await page.getByLabel('Token').fill('token');
  await page.keyboard.press('Enter');
  await row(page, 'buddy-007').click();
  await said(page, `Message ${messages}`).waitFor();
  return { gateway, page };
}

const rows = (page, label) => page.locator(`[aria-label="${label}"] li`);

/** Scrolls a list as a wheel does for three seconds. Gives the frames per second, how long the page has worked for
 * each of them in ms, and the most rows that the list had. */
async function scrolled(page, label, up) {
  const trace = await page.context().newCDPSession(page);
  await trace.send('Performance.enable');
  const worked = async () => (await trace.send('Performance.getMetrics')).metrics.find((m) => m.name === 'TaskDuration').value;
  const before = await worked();
  const { frames, took, seen } = await page.evaluate(
    async ([name, step]) => {
      const list = document.querySelector(`[aria-label="${name}"]`);
      const begin = performance.now();
      const got = { frames: 0, took: 0, seen: 0 };
      while (got.took < 3000) {
        list.scrollBy(0, step);
        got.took = (await new Promise((done) => requestAnimationFrame(done))) - begin;
        got.frames++;
        got.seen = Math.max(got.seen, list.querySelectorAll('li').length);
      }
      return got;
    },
    [label, up ? -240 : 240],
  );
  const work = (((await worked()) - before) * 1000) / frames;
  console.log(
    `${label}: ${Math.round((frames * 1000) / took)} frames a second, ${work.toFixed(1)} ms of work for each, ${seen} rows at most`,
  );
  return seen;
}

test('300 buddies and 5,000 messages: what is in the page is what is in view', () =>
  browse({}, async (browser, _requests) => {
    const { gateway, page } = await chat(browser, 5000);
    try {
      for (const [label, up, count] of [
        ['Messages', true, 5000],
        ['Conversations and people', false, 300],
      ]) {
        const size = await rows(page, label).first().getAttribute('aria-setsize');
        assert.ok(Math.abs(Number(size) - count) <= 1, `${label}: got ${size} rows, want ${count}`);
        const seen = await scrolled(page, label, up);
        assert.ok(seen > 5 && seen <= most, `${label}: got ${seen} rows in the page, want at most ${most}`);
      }
      const nodes = await page.evaluate(() => document.querySelectorAll('*').length);
      assert.ok(nodes < 900, `got ${nodes} elements, want less than 900`);
      await accessible(page, 'long lists');
    } finally {
      await gateway.close();
    }
  }));

test('who reads what is older stays there; who is at the end, or writes, follows', () =>
  browse({}, async (browser) => {
    const { gateway, page } = await chat(browser, 500);
    try {
      const log = page.getByRole('log');
      gateway.receive(long, 'One more');
      await said(page, 'One more').waitFor();
      await log.evaluate((e) => e.scrollTo(0, e.scrollHeight / 2));
      await until('rows of the middle', async () => (await rows(page, 'Messages').getByText('One more').count()) === 0);
      const place = () => log.evaluate((e) => e.scrollTop);
      let before = -1;
      await until('rows are measured', async () => before === (before = await place()));
      const redrawn = await rendered(page, async () => {
        gateway.receive(long, 'While you read');
        await page.getByText('While you read').first().waitFor({ state: 'attached' });
      });
      assert.ok(Math.abs((await place()) - before) < 2, `got ${await place()}, want ${before}: nothing moves`);
      const messages = Object.keys(redrawn).filter((key) => /^i?m\d+$/.test(key));
      assert.deepEqual(messages, [], 'no message that is in the page is rendered again');
      await say(page, 'My own');
      await said(page, 'My own').waitFor();
      assert.ok((await said(page, 'My own').boundingBox()).y < 760, 'what is written is in view');
    } finally {
      await gateway.close();
    }
  }));

test('by keyboard alone: a chat is found, opened, written to and left', () =>
  browse({ viewport: { width: 390, height: 720 } }, async (browser) => {
    const gateway = await new StandIn({ buddies }).listen();
    gateway.site = process.env.PERCH_APP;
    const page = await browser.newPage();
    const press = async (key, times = 1) => {
      for (let i = 0; i < times; i++) await page.keyboard.press(key);
    };
    const focused = () => page.evaluate(() => document.activeElement.textContent || document.activeElement.getAttribute('aria-label'));
    try {
      await page.goto(gateway.url);
      await pictures(page, 'chat-app-sign-in');
      await press('Tab', 3);
      await press('Enter');
      await press('Tab');
      await page.keyboard.type('token');
      await press('Enter');
      await row(page, 'buddy-000').waitFor();
      await pictures(page, 'chat-app-list');
      await page.evaluate(() => document.body.focus());
      for (let i = 0; i < 50 && !/buddy-030/i.test(await focused()); i++) await press('Tab');
      assert.match(await focused(), /buddy-030/i, 'the rows come into the page as they get the focus');
      await press('Enter');
      await page.getByRole('heading', { name: 'buddy-030' }).waitFor();
      assert.equal(await focused(), 'Message', 'a chat begins where one writes');
      await page.keyboard.type('By keyboard');
      await press('Enter');
      await said(page, 'By keyboard').waitFor();
      await accessible(page, 'a chat on a telephone');
      await pictures(page, 'chat-app-chat');
      await page.setViewportSize({ width: 1180, height: 720 });
      await until('the list is whole beside the chat', async () => (await rows(page, 'Conversations and people').count()) > 14);
      await page.setViewportSize({ width: 390, height: 720 });
      for (let i = 0; i < 20 && (await focused()) !== 'Back'; i++) await press('Shift+Tab');
      await press('Enter');
      await until('the list has the focus', () => page.evaluate(() => document.activeElement.tagName === 'NAV'));
      await press('Tab');
      await press('Home');
      await row(page, 'buddy-030').waitFor();
    } finally {
      await gateway.close();
    }
  }));
