// A room with the console on one side and converse.js on the other, each in its own page of one browser:
// they see of each other what is said, corrected and reacted to, and what converse.js retracts. It looks for a
// retracted message by the id that its author gave, and a gateway names it by that of the room (XEP-0424, 4).
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { test } from 'node:test';
import { Perch } from '../perch.js';
import { browse, picture, said, say, signIn } from './browser.mjs';
import { until, url } from './kit.mjs';

const { alice, bob } = JSON.parse(process.env.PERCH_ACCOUNTS);
const room = `garden@${process.env.PERCH_ROOMS}`;
const dist = new URL('../node_modules/converse.js/dist/', import.meta.url);
const types = { '.css': 'text/css', '.html': 'text/html', '.js': 'text/javascript', '.json': 'application/json', '.svg': 'image/svg+xml' };

/** What converse.js is told: one account, one room, and nothing of other hosts. */
const settings = {
  assets_path: '/',
  authentication: 'login',
  auto_login: true,
  auto_join_rooms: [{ jid: room, nick: 'Bo' }],
  discover_connection_methods: false,
  jid: bob.jid,
  loglevel: 'error',
  muc_show_logs_before_join: false,
  muc_subscribe_to_rai: false,
  password: bob.password,
  persistent_store: 'sessionStorage',
  play_sounds: false,
  show_desktop_notifications: false,
  view_mode: 'fullscreen',
  websocket_url: process.env.PERCH_XMPP,
};
const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>converse.js</title>
<link rel="stylesheet" href="/converse.min.css"><body class="converse-fullscreen">
<script type="module" src="/converse.min.js"></script><script type="module">converse.initialize(${JSON.stringify(settings)});</script></body></html>`;

/** Serves converse.js, as npm has it, to f on loopback. */
async function served(f) {
  const server = createServer(async (req, res) => {
    const { pathname } = new URL(req.url, 'http://localhost');
    try {
      const body = pathname === '/' ? page : await readFile(new URL(`.${pathname}`, dist));
      res.writeHead(200, { 'Content-Type': types[pathname === '/' ? '.html' : extname(pathname)] ?? 'application/octet-stream' }).end(body);
    } catch {
      res.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  try {
    await f(`http://127.0.0.1:${server.address().port}/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const loopback = new Set(['127.0.0.1', 'localhost']);
const message = (p, text) => p.locator('converse-chat-message', { hasText: text });
const write = async (p, text) => {
  await p.locator('.chat-textarea').fill(text);
  await p.locator('.chat-textarea').press('Enter');
};

/** Takes one of the things that may be done with a message; their menu opens on hover, and moves. */
const act = (p, text, what) =>
  message(p, text)
    .locator(`.chat-msg__action-${what}`)
    .first()
    .evaluate((e) => e.click());
const react = async (p, text) => {
  await act(p, text, 'reaction');
  await message(p, text)
    .locator('.reaction-item', { hasText: '😂' })
    .evaluate((e) => e.click());
};
const retract = async (p, text) => {
  await act(p, text, 'retract');
  await p.locator('#converse-modals .modal button[type=submit]').click();
};

/** A picture of both pages, if PERCH_PICTURES names a folder. */
async function beside(browser, ...pages) {
  const images = [];
  for (const p of pages) {
    await p.mouse.move(0, 0);
    images.push(`data:image/png;base64,${(await p.screenshot()).toString('base64')}`);
  }
  const both = await browser.newPage();
  const { width, height } = pages.map((p) => p.viewportSize()).reduce((a, b) => ({ width: a.width + b.width, height: a.height }));
  await both.setViewportSize({ width, height });
  await both.setContent(`<body style="margin:0;display:flex">${images.map((src) => `<img alt="" src="${src}">`).join('')}</body>`);
  await picture(both, 'converse');
  await both.close();
}

test('the console and converse.js in one room', () =>
  served((site) =>
    browse({ viewport: { width: 600, height: 480 } }, async (browser) => {
      const { token } = await Perch.signIn(alice, { url });
      const perch = new Perch({ url, token, storage: null });
      await perch.joinRoom(room, { nick: 'Alice', config: { name: 'Garden', public: true } });
      const [own, other] = [await browser.newPage(), await browser.newPage()];
      await other.setViewportSize({ width: 840, height: 480 });
      await signIn(own, url, token);
      await own
        .getByRole('region', { name: 'Chats' })
        .getByRole('button', { name: /^Garden/ })
        .click();
      await browser.route(
        (u) => !loopback.has(u.hostname),
        (r) => r.abort(),
      ); // such as logos of its sponsors
      await other.goto(site);
      await other.locator('.chat-textarea').waitFor();

      await say(own, 'Who has seen the cat?');
      await message(other, 'Who has seen the cat?').waitFor();
      await write(other, 'Which one?');
      await said(own, 'Which one?').waitFor();
      const [mine, theirs] = await until('both messages', async () => {
        const { items } = await perch.listMessages(room);
        return items.length === 2 && items.map((m) => m.ref);
      });

      await perch.patchMessage(room, mine, { body: 'Who has seen my cat?' });
      await message(other, 'Who has seen my cat?').locator('.chat-msg__edit-modal').waitFor();
      await other.locator('.chat-textarea').press('ArrowUp');
      await write(other, 'Which one of them?');
      await said(own, 'Which one of them?').waitFor();

      await perch.putReactions(room, theirs, ['😺']);
      await message(other, 'Which one of them?').locator('converse-reactions', { hasText: '😺' }).waitFor();
      await react(other, 'Who has seen my cat?');
      await own.locator('.message', { hasText: 'Who has seen my cat?' }).getByText('😂').waitFor();
      await beside(browser, own, other);

      await write(other, 'Not this');
      await said(own, 'Not this').waitFor();
      await retract(other, 'Not this');
      await said(own, 'Not this').waitFor({ state: 'detached' });
    }),
  ));
