// Another subscription of the browser while the page is open: what the gateway is told then. In a browser that
// stands in, without a gateway.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Perch } from '../perch.js';
import { flushMicrotasks, recorded } from './offline.mjs';

/** What a page has for push messages. */
const worker = Object.assign(new EventTarget(), { register: async () => registration, getRegistration: async () => registration });
const registration = {
  active: {},
  pushManager: {
    getSubscription: async () => null,
    subscribe: async () => ({ toJSON: () => ({ endpoint: 'https://push.example.net/1', keys: {} }) }),
  },
};
Object.defineProperty(globalThis, 'navigator', { value: { serviceWorker: worker }, configurable: true });
Object.assign(globalThis, { PushManager: class {}, Notification: { permission: 'granted', requestPermission: async () => 'granted' } });

const changed = async () => {
  worker.dispatchEvent(new MessageEvent('message', { data: { type: 'perch.push.changed' } }));
  await flushMicrotasks();
};

test('it is told once, and what was asked for last; nothing after the end', async () => {
  const { fetch, requests } = recorded(() => [200, { application_server_key: 'key', items: [] }]);
  const told = () => requests.splice(0).flatMap((r) => (r.method === 'PUT' ? [r.body.include] : []));
  const perch = new Perch({ url: 'http://gateway', token: 't', storage: null, fetch });
  await perch.push({ id: 'laptop', include: 'full' });
  await perch.push({ id: 'laptop', include: 'ids' });
  assert.deepEqual(told(), ['full', 'ids']);
  await changed();
  assert.deepEqual(told(), ['ids']);
  await perch.endPush({ id: 'laptop' });
  await changed();
  assert.deepEqual(told(), []);
  await perch.push({ id: 'laptop', include: 'full' });
  await changed();
  assert.deepEqual(told(), ['full', 'full']);
});
