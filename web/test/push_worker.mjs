// Push messages in a real browser: the service worker, its notifications, what a click opens, and perch.push(). The
// browser's own push service cannot be reached: its subscriptions are faked, and messages are delivered by the
// protocol of the developer tools. On the stand-in.
/* global Clients, ExtendableEvent, NotificationEvent, WindowClient */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse } from './browser.mjs';
import { until } from './kit.mjs';
import { courier, fakeSubscriptions, shown, shows, unseen } from './push_browser.mjs';
import { StandIn } from './standin.mjs';

const push = { type: 'message.received', conversation: 'bob@example.net', id: 'e1-7', count: 1, account: 'alice@example.net' };

/** What a push service makes. */
const endpoints = [1, 2, 3].map((n) => ({ endpoint: `https://push.example.net/${n}`, keys: { p256dh: 'BPoint', auth: 'secret' } }));

/** A page of the gateway with a client, and the means to deliver what a push service would. */
const story =
  (play, { allowed = true } = {}) =>
  async () => {
    const gateway = await new StandIn().listen();
    try {
      await browse({}, async (browser) => {
        if (allowed) await browser.grantPermissions(['notifications'], { origin: gateway.url });
        await browser.addInitScript(fakeSubscriptions, endpoints);
        const page = await browser.newPage();
        await page.goto(`${gateway.url}/`);
        await page.evaluate(async () => {
          const { Perch } = await import('/perch.js');
          Object.assign(window, { perch: new Perch({ token: 'demo-alice' }), told: [] });
          navigator.serviceWorker.addEventListener('message', (e) => window.told.push(e.data));
          navigator.serviceWorker.startMessages();
        });
        await play({ gateway, browser, page, deliver: await courier(browser, page) });
      });
    } finally {
      await gateway.close();
    }
  };

const subscribe = (page, o = {}) =>
  page.evaluate(
    (options) =>
      window.perch.push(options).then(
        (s) => s,
        (e) => ({ error: e.code ?? String(e) }),
      ),
    o,
  );
const titles = async (page) => (await shown(page)).map(({ title, body }) => `${title}: ${body}`);
const told = (page) => page.evaluate(() => window.told.map(({ type, push: p }) => `${type} ${p?.id ?? ''}`.trim()));
test(
  'subscribe: asks, registers the worker, tells the gateway once, and says how it is',
  story(async ({ gateway, page }) => {
    const state = () => page.evaluate(() => window.perch.pushState());
    assert.equal(await state(), 'off');
    const made = await subscribe(page, { include: 'ids', conversations: ['bob@example.net'] });
    assert.equal(made.host, 'push.example.net', JSON.stringify(made));
    const [id] = gateway.push.keys();
    assert.match(id, /^web-[0-9a-f-]{13}$/);
    const { body } = gateway.requests.find((r) => r.what === `PUT /v1/push/${id}`);
    assert.deepEqual(body, {
      ...{ endpoint: 'https://push.example.net/1', keys: { p256dh: 'BPoint', auth: 'secret' } },
      ...{ conversations: ['bob@example.net'], include: 'ids' },
    });
    assert.equal(await state(), 'on');
    await page.reload();
    await page.evaluate(async () => {
      const { Perch } = await import('/perch.js');
      window.perch = new Perch({ token: 'demo-alice' });
    });
    await subscribe(page);
    assert.deepEqual([...gateway.push.keys()], [id], 'the same browser has the same id');
    assert.equal(gateway.push.get(id).endpoint, 'https://push.example.net/1');
    gateway.pushKey = `${gateway.pushKey.slice(0, -1)}A`;
    await subscribe(page);
    assert.equal(gateway.push.get(id).endpoint, 'https://push.example.net/2', 'another key of the gateway makes another subscription');
    gateway.push.get(id).state = 'disabled';
    assert.equal(await state(), 'off');
    await page.evaluate(() => window.perch.endPush());
    await page.evaluate(() => window.perch.endPush());
    assert.equal(gateway.push.size, 0);
    assert.equal(await page.evaluate(() => localStorage.getItem('fake-subscription')), null);
    assert.equal(await state(), 'off');
    gateway.pushKey = '';
    assert.deepEqual(await subscribe(page), { error: 'push-unsupported' });
  }),
);

test(
  'refused: what the user does not allow is an error with a name',
  story(
    async ({ gateway, page }) => {
      assert.equal((await subscribe(page)).error, 'push-denied');
      assert.equal(await page.evaluate(() => window.perch.pushState()), 'denied');
      assert.equal(gateway.push.size, 0);
    },
    { allowed: false },
  ),
);

test(
  'notifications: one for each conversation, a newer one in its place, in words',
  story(async ({ browser, page, deliver }) => {
    await subscribe(page);
    await unseen(browser);
    await deliver({ ...push, name: 'Bob', body: '<b>Tea?</b>' });
    await shows(browser, 1);
    assert.deepEqual(await shown(page), [
      { title: 'Bob', body: '<b>Tea?</b>', tag: 'perch alice@example.net bob@example.net', id: 'e1-7' },
    ]);
    await deliver({ ...push, id: 'e1-9', name: 'Bob', body: 'Or coffee?', count: 2 });
    await shows(browser, 2);
    assert.deepEqual(await titles(page), ['Bob: Or coffee? (2 new)']);
    await deliver({ ...push, conversation: 'tea@rooms.example.net', name: 'Tea room', from: 'Ann', body: 'Hello' });
    await deliver({ ...push, conversation: 'carol@example.net', count: 3 });
    await deliver({ ...push, conversation: 'dave@example.net' });
    await deliver({ type: 'test', id: 't1', count: 0 });
    await deliver({ ...push, type: 'invitation.received', conversation: 'eve@example.net' });
    await deliver({ ...push, type: 'a.new.type', conversation: undefined });
    const want = [
      'Bob: Or coffee? (2 new)',
      'Tea room: Ann: Hello',
      'carol@example.net: 3 new messages',
      'dave@example.net: New message',
      'eve@example.net: wants to see when you are online',
      'Perch: Push messages arrive on this device.',
      'Perch: Something has happened.',
    ];
    await shows(browser, 8);
    assert.deepEqual((await titles(page)).sort(), want.sort());
    await deliver({ ...push, type: 'conversation.read' });
    await until('what was read is taken away', async () => !(await titles(page)).join().includes('coffee'));
  }),
);

test(
  'what is no message of a gateway, and what a page shows already, makes no notification',
  story(async ({ browser, page, deliver }) => {
    await subscribe(page);
    await browser.serviceWorkers()[0].evaluate(() => (self.perchPush.seen = () => true));
    for (const text of ['', 'x', 'null', '[]', '7', '{}', '{"type":7}']) await deliver(text);
    await deliver({ ...push, body: 'seen' });
    await until('the page is told', async () => (await told(page)).length > 0);
    assert.deepEqual(await told(page), ['perch.push e1-7']);
    assert.deepEqual(await shown(page), []);
  }),
);

test(
  'a click brings the page to the front, or opens one at the conversation; an app may say where',
  story(async ({ browser, page, deliver }) => {
    await subscribe(page);
    await unseen(browser);
    await deliver({ ...push, body: 'Tea?' });
    await shows(browser, 1);
    const worker = browser.serviceWorkers()[0];
    await worker.evaluate(() => {
      self.opened = [];
      WindowClient.prototype.focus = async function () {
        self.opened.push(`focus ${new URL(this.url).pathname}`);
      };
      Clients.prototype.openWindow = async (address) => void self.opened.push(address);
    });
    /** As the browser does; the system that shows notifications is not there. */
    const click = () =>
      worker.evaluate(async () => {
        const [notification] = await self.registration.getNotifications();
        self.dispatchEvent(new NotificationEvent('notificationclick', { notification }));
      });
    const opened = () => worker.evaluate(() => self.opened);
    await click();
    await until('the page has the focus', async () => (await opened()).join() === 'focus /');
    assert.deepEqual(await shown(page), [], 'a notification that was clicked is gone');
    await until('the page is told where', async () => (await told(page)).includes('perch.open e1-7'));
    await deliver({ ...push, body: 'Tea?' });
    await shows(browser, 2);
    await page.goto('about:blank');
    await click();
    await until('a page', async () => (await opened()).length === 2);
    assert.match((await opened())[1], /\/#bob%40example\.net$/);
    await worker.evaluate(async () => {
      self.perchPush.address = (p) => `./chat?with=${p.conversation}`;
      await self.registration.showNotification('x', { tag: 'perch x', data: { conversation: 'bob@example.net' } });
    });
    await click();
    await until('a page of the app', async () => (await opened())[2]?.endsWith('/chat?with=bob@example.net'));
  }),
);

test(
  'another subscription of the browser: the page tells the gateway, under the same id',
  story(async ({ browser, gateway, page }) => {
    await subscribe(page, { include: 'ids' });
    const [id] = gateway.push.keys();
    await page.evaluate(() => localStorage.removeItem('fake-subscription'));
    await browser.serviceWorkers()[0].evaluate(() => self.dispatchEvent(new ExtendableEvent('pushsubscriptionchange')));
    await until('the gateway knows', () => gateway.push.get(id)?.endpoint === 'https://push.example.net/2');
    assert.equal(gateway.push.get(id).include, 'ids');
    assert.equal(gateway.push.size, 1);
  }),
);
