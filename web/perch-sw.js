/**
 * The service worker that shows push messages of a Perch gateway. It is a classic script: register it as it
 * is, or begin a worker of your own with importScripts('/perch-sw.js') and change what perchPush has.
 *
 * One notification stands for a conversation; a newer message takes its place. The page is told, too: its
 * navigator.serviceWorker gets { type: 'perch.push', push }, { type: 'perch.open', push } for a click, and
 * { type: 'perch.push.changed' } when the browser has made another subscription.
 */
{
  const worker = /** @type {any} */ (self);
  const windows = () => worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const tagOf = (push) => `perch ${push.account ?? ''} ${push.conversation ?? push.type}`;
  const isMessage = (push) => push.type === 'message.received' || push.type === 'message.sent' || push.type === 'message.edited';

  /** What a push message stands for, in words: the first line of its notification, and the rest. */
  const words = {
    test: 'Push messages arrive on this device.',
    reset: 'There is more than was pushed.',
    'invitation.received': 'wants to see when you are online',
    'room.invited': 'You are invited to a room.',
  };
  const textOf = (push) => {
    if (!isMessage(push)) return words[push.type] ?? 'Something has happened.';
    const more = push.count > 1 ? ` (${push.count} new)` : '';
    if (!push.body) return push.count > 1 ? `${push.count} new messages` : 'New message';
    return `${push.from ? `${push.from}: ` : ''}${push.body}${more}`;
  };

  /** What an app may replace. */
  const perchPush = {
    /** The title. */
    title: (push) => push.name || push.conversation || 'Perch',
    /** The options of showNotification; null shows nothing, which browsers allow only now and then. */
    options: (push) => ({ body: textOf(push), tag: tagOf(push), renotify: isMessage(push), data: push }),
    /** The address that a click opens, when no page is open. */
    address: (push) => `./${push.conversation ? `#${encodeURIComponent(push.conversation)}` : ''}`,
    /** Whether a page shows the message already: then there is no notification. */
    seen: (push, pages) => pages.some((page) => page.focused),
  };
  worker.perchPush = perchPush;

  const show = async (push) => {
    const pages = await windows();
    for (const page of pages) page.postMessage({ type: 'perch.push', push });
    if (push.type === 'conversation.read') {
      for (const shown of await worker.registration.getNotifications({ tag: tagOf(push) })) shown.close();
      return;
    }
    const options = perchPush.options(push);
    if (!options || perchPush.seen(push, pages)) return;
    await worker.registration.showNotification(perchPush.title(push), options);
  };

  const open = async (push) => {
    const page = (await windows()).find((client) => client.url.startsWith(worker.registration.scope));
    if (!page) return worker.clients.openWindow(new URL(perchPush.address(push), worker.registration.scope).href);
    page.postMessage({ type: 'perch.open', push });
    return page.focus();
  };

  /** Subscribes with the key of before; the page tells the gateway, which knows it by its token. */
  const subscribe = async (before) => {
    const { applicationServerKey } = before?.options ?? {};
    if (applicationServerKey) await worker.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
    for (const page of await windows()) page.postMessage({ type: 'perch.push.changed' });
  };

  /** Null: it is not of a gateway. */
  const read = (data) => {
    try {
      const push = data.json();
      return typeof push?.type === 'string' ? push : null;
    } catch {
      return null;
    }
  };

  worker.addEventListener('push', (event) => {
    const push = read(event.data);
    if (push) event.waitUntil(show(push));
  });
  worker.addEventListener('notificationclick', (event) => {
    if (!event.notification.tag.startsWith('perch ')) return;
    event.notification.close();
    event.waitUntil(open(event.notification.data));
  });
  worker.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(subscribe(event.oldSubscription)));
  worker.addEventListener('install', () => worker.skipWaiting());
  worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()));
}
