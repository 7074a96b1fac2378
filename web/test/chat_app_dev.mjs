// The example application from Vite's own server: its proxy has the API on the page's origin.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { browse } from './browser.mjs';
import { open, row, said, say, site } from './chat_app_kit.mjs';
import { until } from './kit.mjs';

const app = fileURLToPath(new URL('../../docs/examples/chat-app/', import.meta.url));

/** Signs in at an address of Vite, and has Echo answer over a socket of that address. */
async function talks(browser, at, text) {
  const sockets = [];
  const listen = (page) => page.on('websocket', (s) => sockets.push(s.url()));
  browser.on('page', listen);
  const page = await open(browser, 'demo-alice', at);
  browser.off('page', listen);
  await row(page, 'Echo').click();
  await say(page, text);
  await said(page, `You said: ${text}`).waitFor();
  assert.ok(
    sockets.some((s) => s.startsWith(`${at.replace('http', 'ws')}/v1/events/ws`)),
    `got ${sockets}, want one of the API on ${at}`,
  );
}

const serves = (address) =>
  until(
    `${address} serves`,
    () =>
      fetch(address)
        .then((r) => r.ok)
        .catch(() => false),
    60_000,
  );

test('a socket through the proxy of the development server, by each name of this machine', async () => {
  await serves(site);
  await browse({}, async (browser) => {
    await talks(browser, site, 'Hello from Vite');
    await talks(browser, site.replace('127.0.0.1', 'localhost'), 'Hello by another name');
  });
});

test('a proxy that changes Host: REST goes on, a socket is refused, unless --origin names the page', async () => {
  const { createServer } = await import(new URL('node_modules/vite/dist/node/index.js', `file://${app}`));
  const cacheDir = mkdtempSync(join(tmpdir(), 'perch-vite-'));
  const named = process.env.PERCH_NAMED;
  const proxy = { '/v1': { target: process.env.PERCH_URL, ws: true, changeOrigin: true } };
  const { hostname: host, port } = new URL(named);
  const vite = await createServer({
    root: app,
    cacheDir,
    logLevel: 'error',
    server: { host, port: Number(port), strictPort: true, proxy },
  });
  await vite.listen();
  try {
    await browse({}, async (browser) => {
      const foreign = named.replace('127.0.0.1', 'localhost');
      const page = await open(browser, 'demo-bob', foreign);
      await page.getByRole('status').getByText(`the origin ${foreign} is not its own`).waitFor();
      const status = await page.evaluate(
        async () => (await fetch('/v1/buddies', { headers: { Authorization: 'Bearer demo-bob' } })).status,
      );
      assert.equal(status, 200, 'REST of the same page goes on');
      await talks(browser, named, 'Hello by --origin');
    });
  } finally {
    await vite.close();
    rmSync(cacheDir, { recursive: true, force: true });
  }
});
