// Push messages (RFC 8030) to this browser: the subscription of its service worker, and what the gateway knows
// of it.

import { PerchError, localError } from './errors.js';
import { defaultStorage } from './outbox_storage.js';

/** @import { PushOptions, PushState, PushSubscription as Subscription } from '../types.d.ts' */
/** @import { Rest } from './rest.js' */

/** Where the id of this browser is kept: it is the same for whatever subscription the browser makes. */
const place = 'perch-push-id';
/** The service worker that a gateway serves. */
const script = '/perch-sw.js';

/** The push messages of one account. */
export class Push {
  #rest;
  /** What it was begun with last; null: it has ended, or was not begun. @type {PushOptions | null} */ #begun = null;

  /** @param {Rest} rest */
  constructor(rest) {
    this.#rest = rest;
  }

  /** @param {PushOptions} o @returns {Promise<Subscription>} */
  async begin(o) {
    if (!possible()) throw localError('push-unsupported', 'This browser has no push messages, or not for this page');
    // First, while the click counts that has asked for it.
    if ((await Notification.requestPermission()) !== 'granted')
      throw localError('push-denied', 'The user, or the browser, allows no notifications');
    const registration = await active(o.registration ?? (await register(o.worker ?? script)));
    const { application_server_key: key } = await this.#rest.listPush();
    if (!key) throw localError('push-unsupported', 'The gateway has no key for push messages just now');
    const { endpoint, keys } = (await subscribe(registration, key)).toJSON();
    const { types, conversations, include } = o;
    const made = await this.#rest.putPush(o.id ?? idOf(), { endpoint, keys: /** @type {any} */ (keys), types, conversations, include });
    this.#begun = { ...o, registration };
    navigator.serviceWorker.addEventListener('message', this.#changed); // once, however often it is begun
    return made;
  }

  /** Takes it up again when the browser has made another subscription, while the page is open. @param {MessageEvent} event */
  #changed = ({ data }) => {
    if (data?.type === 'perch.push.changed' && this.#begun) void this.begin(this.#begun).catch(() => {}); // with the next call
  };

  /** @param {PushOptions} o */
  async end(o) {
    this.#begun = null;
    globalThis.navigator?.serviceWorker?.removeEventListener('message', this.#changed);
    try {
      await this.#rest.removePush(o.id ?? idOf());
    } catch (e) {
      if (!(e instanceof PerchError && e.status === 404)) throw e;
    }
    if (possible()) await (await subscriptionOf(o))?.unsubscribe();
  }

  /** @param {PushOptions} o @returns {Promise<PushState>} */
  async state(o) {
    if (!possible()) return 'unsupported';
    if (Notification.permission === 'denied') return 'denied';
    if (!(await subscriptionOf(o))) return 'off';
    const id = o.id ?? idOf();
    const here = (await this.#rest.listPush()).items.find((x) => x.id === id);
    return here && here.state !== 'disabled' ? 'on' : 'off';
  }
}

/** Whether this browser has what it takes: a page over https, or of this machine. */
const possible = () =>
  Boolean(globalThis.PushManager && globalThis.Notification && globalThis.navigator?.serviceWorker && globalThis.isSecureContext !== false);

/** @param {PushOptions} o */
async function subscriptionOf(o) {
  const registration = o.registration ?? (await navigator.serviceWorker.getRegistration(o.worker ?? script));
  return registration?.pushManager.getSubscription();
}

/** The id by which the gateway knows this browser; a page that may keep nothing has another one each time. */
function idOf() {
  const fresh = `web-${crypto.randomUUID().slice(0, 13)}`;
  try {
    const storage = defaultStorage(true);
    const known = storage?.getItem(place);
    if (!known) storage?.setItem(place, fresh);
    return known || fresh;
  } catch {
    return fresh;
  }
}

/** Pages that turn no text into scripts (Trusted Types) name the policy perch-worker, which allows a service
 * worker of the own host alone. @param {string} address */
async function register(address) {
  /** @type {any} */ let url = address;
  const createScriptURL = (/** @type {string} */ text) => {
    if (new URL(text, location.href).origin !== location.origin) throw new TypeError('a service worker is of the own host');
    return text;
  };
  policy ??= /** @type {any} */ (globalThis).trustedTypes?.createPolicy('perch-worker', { createScriptURL });
  if (policy) url = policy.createScriptURL(address);
  return navigator.serviceWorker.register(url);
}
/** Is made once. @type {any} */ let policy = null;

/** Waits for the worker of a registration: only then it can subscribe. @param {ServiceWorkerRegistration} registration */
async function active(registration) {
  const worker = registration.active ?? registration.waiting ?? registration.installing;
  if (!registration.active && worker) {
    await new Promise((done, fail) => {
      const look = () => {
        if (registration.active || worker.state === 'activated') done(undefined);
        if (worker.state === 'redundant') fail(localError('push-unsupported', 'The service worker cannot be started'));
      };
      worker.addEventListener('statechange', look);
      look();
    });
  }
  return registration;
}

/** The subscription with the key of the gateway; one with another key could not be written to.
 * @param {ServiceWorkerRegistration} registration @param {string} key */
async function subscribe({ pushManager }, key) {
  const known = await pushManager.getSubscription();
  const bytes = known?.options.applicationServerKey;
  if (known && bytes && text64(bytes) === key) return known;
  await known?.unsubscribe();
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

/** Base64url without padding. @param {ArrayBuffer} bytes */
function text64(bytes) {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
