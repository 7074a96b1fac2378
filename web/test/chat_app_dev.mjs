// The example application from Vite's own server: its proxy has the API on the page's origin.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse } from './browser.mjs';
import { open, row, said, say, site } from './chat_app_kit.mjs';
import { until } from './kit.mjs';

test('a socket through the proxy of the development server', async () => {
  await until(
    'vite serves',
    () =>
      fetch(site)
        .then((r) => r.ok)
        .catch(() => false),
    60_000,
  );
  await browse({}, async (browser) => {
    const sockets = [];
    browser.on('page', (page) => page.on('websocket', (s) => sockets.push(s.url())));
    const page = await open(browser, 'demo-alice');
    await row(page, 'Echo').click();
    await say(page, 'Hello from Vite');
    await said(page, 'You said: Hello from Vite').waitFor();
    assert.ok(
      sockets.some((s) => s.startsWith(`${site.replace('http', 'ws')}/v1/events/ws`)),
      `got ${sockets}, want one of the API on ${site}`,
    );
  });
});
