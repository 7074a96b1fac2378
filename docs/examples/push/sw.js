/* global importScripts */
// The service worker: that of the gateway, and what this app does in another way.
const gateway = new URL(self.location).searchParams.get('gateway') ?? 'http://127.0.0.1:8080';
importScripts(`${gateway}/perch-sw.js`);

self.perchPush.title = (push) => `${push.name || push.conversation || 'Perch'} (example)`;
self.perchPush.address = (push) =>
  `./?gateway=${encodeURIComponent(gateway)}${push.conversation ? `#${encodeURIComponent(push.conversation)}` : ''}`;
