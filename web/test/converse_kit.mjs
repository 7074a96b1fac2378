// What the tests with converse.js share: its page, served on loopback, and what a person does there.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';

const dist = new URL('../node_modules/converse.js/dist/', import.meta.url);
const types = { '.css': 'text/css', '.html': 'text/html', '.js': 'text/javascript', '.json': 'application/json', '.svg': 'image/svg+xml' };

/** What converse.js is told: one account, one room, and nothing of other hosts. */
const settings = ({ jid, password }, room, nick) => ({
  assets_path: '/',
  authentication: 'login',
  auto_login: true,
  auto_join_rooms: [{ jid: room, nick }],
  discover_connection_methods: false,
  jid,
  loglevel: 'error',
  muc_show_logs_before_join: false,
  muc_subscribe_to_rai: false,
  password,
  persistent_store: 'sessionStorage',
  play_sounds: false,
  show_desktop_notifications: false,
  view_mode: 'fullscreen',
  websocket_url: process.env.PERCH_WEBSOCKET,
});
const page = (told) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>converse.js</title>
<link rel="stylesheet" href="/converse.min.css"><body class="converse-fullscreen">
<script type="module" src="/converse.min.js"></script><script type="module">converse.initialize(${JSON.stringify(told)});</script></body></html>`;

/** Serves converse.js, as npm has it, to f on loopback: for one account, in one room. */
export async function served(account, room, nick, f) {
  const html = page(settings(account, room, nick));
  const server = createServer(async (req, res) => {
    const { pathname } = new URL(req.url, 'http://localhost');
    try {
      const body = pathname === '/' ? html : await readFile(new URL(`.${pathname}`, dist));
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
export const message = (p, text) => p.locator('converse-chat-message', { hasText: text });
export const write = async (p, text) => {
  await p.locator('.chat-textarea').fill(text);
  await p.locator('.chat-textarea').press('Enter');
};

/** Takes one of the things that may be done with a message; their menu opens on hover, and moves. */
export const act = (p, text, what) =>
  message(p, text)
    .locator(`.chat-msg__action-${what}`)
    .first()
    .evaluate((e) => e.click());
export const react = async (p, text) => {
  await act(p, text, 'reaction');
  await message(p, text)
    .locator('.reaction-item', { hasText: '😂' })
    .evaluate((e) => e.click());
};
export const retract = async (p, text) => {
  await act(p, text, 'retract');
  await p.locator('#converse-modals .modal button[type=submit]').click();
};

/** Keeps a browser from hosts of elsewhere, such as those of converse.js's sponsors. */
export const alone = (browser) =>
  browser.route(
    (u) => !loopback.has(u.hostname),
    (r) => r.abort(),
  );
