// What stories about push messages do in a real browser. Its own push service cannot be reached: subscriptions are
// faked, and messages are delivered by the protocol of the developer tools.
import { until } from './kit.mjs';

/** Gives a page the subscriptions of its browser, which would ask a push service of its vendor, one after the other. */
export function fakeSubscriptions(made) {
  const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0)).buffer;
  const known = () => JSON.parse(localStorage.getItem('fake-subscription'));
  const subscription = ({ key, n }) => ({
    options: { applicationServerKey: bytes(key), userVisibleOnly: true },
    toJSON: () => ({ ...made[n - 1], expirationTime: null }),
    unsubscribe: async () => (localStorage.removeItem('fake-subscription'), true),
  });
  Object.assign(PushManager.prototype, {
    getSubscription: async () => (known() ? subscription(known()) : null),
    subscribe: async ({ userVisibleOnly, applicationServerKey: key }) => {
      if (!userVisibleOnly) throw new DOMException('no', 'NotAllowedError');
      if (known()) throw new DOMException('another key', 'InvalidStateError');
      const n = Number(localStorage.getItem('fake-count')) + 1;
      localStorage.setItem('fake-count', n);
      localStorage.setItem('fake-subscription', JSON.stringify({ key, n }));
      return subscription({ key, n });
    },
  });
}

/** Delivers a text as the browser does what it has decrypted, once there is a worker for it. */
export async function courier(browser, page) {
  const tools = await browser.newCDPSession(page);
  let registrationId = '';
  tools.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
    registrationId = versions.find((v) => v.status === 'activated')?.registrationId ?? registrationId;
  });
  await tools.send('ServiceWorker.enable');
  return async (data) => {
    await until('a worker that is active', () => registrationId);
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    await tools.send('ServiceWorker.deliverPushMessage', { origin: new URL(page.url()).origin, registrationId, data: text });
  };
}

/** The notifications that are shown. */
export const shown = (page) =>
  page.evaluate(async () =>
    (await (await navigator.serviceWorker.getRegistration()).getNotifications()).map(({ title, body, tag, data }) => ({
      title,
      body,
      tag,
      id: data.id,
    })),
  );

/** No page has the eye of the user: a browser shows what one already does. Counts what is shown: asked for too
 * early, the browser would forget a notification that the system has not shown yet. */
export const unseen = (browser) =>
  browser.serviceWorkers()[0].evaluate(() => {
    const { showNotification } = ServiceWorkerRegistration.prototype;
    self.shows = 0;
    self.perchPush.seen = () => false;
    ServiceWorkerRegistration.prototype.showNotification = async function (...args) {
      await showNotification.apply(this, args);
      self.shows++;
    };
  });
export const shows = (browser, n) =>
  until(`${n} notifications`, async () => (await browser.serviceWorkers()[0].evaluate(() => self.shows)) === n);
