// The blocks of docs/frontend.md that name a file, run as they stand as far as that can be done here.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { test } from 'node:test';
import vm from 'node:vm';
import { Perch } from '../perch.js';
import { messages, select } from '../slices.js';
import { browse } from './browser.mjs';
import { sleep, until, url } from './kit.mjs';
import { memory } from './offline.mjs';
import { frame, own } from './rooms_kit.mjs';

const guide = readFileSync(new URL('../../docs/frontend.md', import.meta.url), 'utf8');

/** The block of a file, without the blanks that a list puts before it. */
function block(name) {
  const found = [...guide.matchAll(/^( *)```\w+\n([\s\S]*?)^ *```$/gm)].find(([, , text]) => text.trimStart().startsWith(`// ${name}\n`));
  assert.ok(found, `docs/frontend.md has no block of ${name}`);
  return found[2].replaceAll(new RegExp(`^${found[1]}`, 'gm'), '');
}

/** What a script declares, with its imports left to the caller. */
const run = (text, names, around) =>
  new Function(...Object.keys(around), `${text.replaceAll(/^import .*$/gm, '').replaceAll(/^export /gm, '')}\nreturn { ${names} };`)(
    ...Object.values(around),
  );

const present = (jid, show) => ({ jid, available: true, show, status: '', priority: 0, resources: [], updated_at: null, stale: false });

test('the proxy of the guide is that of the example', () => {
  const config = readFileSync(new URL('../../docs/examples/chat-app/vite.config.ts', import.meta.url), 'utf8');
  const has = new Set(config.split('\n').map((line) => line.trim()));
  for (const line of block('vite.config.ts').split('\n').slice(1)) assert.ok(has.has(line.trim()), `vite.config.ts has no line ${line}`);
});

test('a page without a token: the server of the guide gives tickets, and the page sends', async () => {
  const page = createServer((_, res) => res.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>page</title>'));
  const [, port] = process.env.PERCH_SITE.match(/:(\d+)$/);
  await new Promise((done) => page.listen(Number(port), '127.0.0.1', done));
  const free = createServer();
  await new Promise((done) => free.listen(0, '127.0.0.1', done));
  const PORT = String(free.address().port);
  await new Promise((done) => free.close(done));
  const env = { ...process.env, PERCH_TOKEN: 'demo-bob', PORT, PAGE: process.env.PERCH_SITE };
  const server = spawn(process.execPath, ['--input-type=module', '-e', block('tickets.mjs')], { env, stdio: 'inherit' });
  try {
    await until('tickets', () =>
      fetch(`http://127.0.0.1:${PORT}`).then(
        (r) => r.ok,
        () => false,
      ),
    );
    await browse({}, async (browser) => {
      const tab = await browser.newPage();
      await tab.goto(process.env.PERCH_SITE);
      const answer = await tab.evaluate(
        async ([gateway, tickets, text]) => {
          const { Perch: Client } = await import(`${gateway}/perch.js`);
          const made = new Function('Perch', 'gateway', 'tickets', `${text}\nreturn perch;`)(Client, gateway, tickets);
          await new Promise((done) => made.on('live', done));
          const echo = [...made.store.buddies.values()].find((b) => b.name === 'Echo').jid;
          const answered = new Promise((done) => made.on('message.received', (f) => done(f.data.body)));
          await made.send(echo, 'by a ticket');
          return answered;
        },
        [url, `http://127.0.0.1:${PORT}`, block('page.js')],
      );
      assert.equal(answer, 'You said: by a ticket');
    });
  } finally {
    server.kill();
    page.closeAllConnections();
    page.close();
  }
});

test('a service worker lets the API pass, and answers for the files of the page', async () => {
  const listeners = {};
  const kept = new Map();
  const cache = { match: async (r) => kept.get(r.url), put: async (r, answer) => void kept.set(r.url, answer) };
  const fetches = [];
  const fetched = async (r) => (fetches.push(r.url), new Response('file'));
  const self = { addEventListener: (type, f) => (listeners[type] = f), location: { origin: 'https://page.example' } };
  vm.runInNewContext(block('sw.js'), { self, URL, fetch: fetched, caches: { open: async () => cache } });
  const ask = (path, method = 'GET') => {
    let answer;
    listeners.fetch({ request: { url: new URL(path, 'https://page.example').href, method }, respondWith: (a) => (answer = a) });
    return answer;
  };
  for (const path of ['/v1/events', '/v1/session', 'https://elsewhere.example/a.js']) assert.equal(ask(path), undefined, path);
  assert.equal(ask('/assets/a.js', 'POST'), undefined);
  assert.equal(await (await ask('/assets/a.js')).text(), 'file');
  await ask('/assets/a.js');
  assert.deepEqual(fetches, ['https://page.example/assets/a.js']);
});

test('a slice as a reference, and its end', () => {
  const ends = [];
  const around = { select, shallowRef: (value) => ({ value }), readonly: (r) => r, onScopeDispose: (f) => ends.push(f) };
  const { useSlice } = run(block('vue.js'), 'useSlice', around);
  const perch = new Perch({ url: 'http://gateway', storage: null });
  const ref = useSlice(perch, messages('bo@x'));
  const message = (n) =>
    frame('message.received', { id: `m${n}`, ref: `r${n}`, from: 'bo@x/phone', to: own, kind: 'chat', body: `text ${n}` }, n);
  perch.store.apply(message(1));
  assert.deepEqual(
    ref.value.map((m) => m.body),
    ['text 1'],
  );
  ends.forEach((end) => end());
  perch.store.apply(message(2));
  assert.equal(ref.value.length, 1);
});

test('a server renders the saved state, and connects nothing', () => {
  const earlier = new Perch({ url: 'http://gateway', storage: null });
  earlier.store.apply(frame('presence', present('bo@x', 'away')));
  const seen = [];
  const around = {
    ...{ Perch, gateway: 'http://gateway', PerchProvider: 'provider', App: 'app' },
    ...{ createElement: (what, props, child) => ({ what, props, child }), renderToString: (e) => (seen.push(e), 'html') },
  };
  const { render } = run(block('render.jsx'), 'render', around);
  assert.equal(render('t', JSON.parse(JSON.stringify(earlier.save()))), 'html');
  const { perch } = seen[0].props;
  assert.deepEqual([perch.store.presence.get('bo@x').show, perch.connection.state], ['away', 'idle']);
});

test('a store of an app keeps the outbox over a restart', async () => {
  const web = memory();
  const kept = {
    ...{ getAllKeys: () => [...web.items.keys()], getString: (k) => web.items.get(k), set: (k, v) => web.items.set(k, v) },
    delete: (k) => web.items.delete(k),
  };
  const states = [];
  const AppState = { addEventListener: (_, f) => states.push(f) };
  class Silent {
    close() {}
  }
  class Client extends Perch {
    constructor(options) {
      super({ ...options, WebSocket: Silent, fetch: () => new Promise(() => {}) });
    }
  }
  const { client } = run(block('native.js'), 'client', { Perch: Client, gateway: 'http://gateway', AppState });
  const hello = frame('hello', { session: { jid: own, state: 'online' }, resumed: false });
  const first = client('t', kept);
  first.restore({ ...first.save(), session: hello.data.session, cursor: 'e-1' });
  first.connect();
  void first.send('bo@x', 'before the restart').catch(() => {});
  await sleep(0);
  assert.equal(web.items.size, 1);
  const second = client('t', kept);
  second.restore({ ...second.save(), session: hello.data.session, cursor: 'e-1' });
  second.connect();
  assert.equal(second.outbox.pending, 1);
  assert.equal(second.store.conversations.get('bo@x').messages[0].body, 'before the restart');
  states.forEach((f) => f('active'));
  for (const perch of [first, second]) perch.disconnect();
});
