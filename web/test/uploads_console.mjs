// Files in the console, in a real browser: chosen, dropped, pasted; progress, an end at any time, refusals in
// words; and what comes of others, of which nothing is fetched before a click. On the stand-in.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { accessible, browse, pictures, signIn } from './browser.mjs';
import { until } from './kit.mjs';
import { StandIn } from './standin.mjs';
import { Storage } from './storage.mjs';

const bob = 'bob@example.net';
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const folder = mkdtempSync(join(tmpdir(), 'perch-files-'));
after(() => rmSync(folder, { recursive: true }));
/** Files by their paths: large ones take too long on the way to the browser. */
const onDisk = (name, bytes) => (writeFileSync(join(folder, name), bytes), join(folder, name));
const cat = onDisk('cat.png', png);
const large = (name) => onDisk(name, Buffer.alloc(40_000_000, 7));

/** A story on a gateway and an upload service of its own, with the conversation with Bob open. */
const story = (options, play) => async () => {
  const storage = await new Storage().listen();
  const gateway = await new StandIn({ storage, ...options }).listen();
  gateway.receive(bob, 'Hello');
  try {
    await browse({}, async (browser, requests) => {
      const page = await browser.newPage();
      await signIn(page, gateway.url, 'demo-alice');
      await page.getByRole('region', { name: 'Chats' }).getByRole('button', { name: /^Bob/ }).click();
      await page.locator('.message', { hasText: 'Hello' }).waitFor();
      await play({ storage, gateway, page, requests });
    });
  } finally {
    await gateway.close();
    await storage.close();
  }
};
const chosen = (page) => page.getByRole('list', { name: 'Files of the message' });
const choose = async (page, ...files) => {
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Attach files' }).press('Enter');
  await (await chooser).setFiles(files);
};
const field = (page) => page.getByLabel('Message', { exact: true });
const send = (page) => page.getByRole('button', { name: 'Send', exact: true });
const sent = (gateway) => gateway.requests.filter((r) => r.what === 'POST /v1/messages').map(({ body: { id: _, ...m } }) => m);
const puts = (requests) => requests.filter((r) => r.includes('/put/') || r.includes('/v1/uploads/'));

test(
  'chosen by keyboard, uploaded straight with progress, and sent: each file a message of its own, then the text',
  story({}, async ({ storage, gateway, page }) => {
    storage.pausesAfter = 10_000_000;
    await choose(page, large('tea.pdf'), cat);
    const first = chosen(page).getByRole('listitem').filter({ hasText: 'tea.pdf' });
    const bar = first.getByRole('progressbar', { name: 'Upload of tea.pdf' });
    await until('progress', async () => Number(await bar.getAttribute('value')) > 0.1);
    assert.ok(Number(await bar.getAttribute('value')) < 1);
    assert.match(await first.textContent(), /40 MB · \d+ %/);
    assert.ok(await send(page).isDisabled());
    await field(page).fill('Here they are');
    await field(page).press('Enter');
    await page.getByText('A file is still on its way.').waitFor();
    assert.deepEqual(sent(gateway), []);
    await accessible(page, 'uploading');
    await pictures(page, 'uploading');
    storage.resume();
    await until('uploaded', () => send(page).isEnabled());
    await field(page).press('Enter');
    await until('sent', () => sent(gateway).length === 3);
    const file = (n, name, type, size) => ({ url: `${storage.url}/get/${n}/${name}`, name, size, type });
    assert.deepEqual(sent(gateway), [
      { to: bob, body: '', attachments: [file(1, 'tea.pdf', 'application/pdf', 40_000_000)] },
      { to: bob, body: '', attachments: [file(2, 'cat.png', 'image/png', png.length)] },
      { to: bob, body: 'Here they are' },
    ]);
    assert.equal(await chosen(page).getByRole('listitem').count(), 0);
    await page.locator('.message.out', { hasText: 'tea.pdf' }).getByText('application/pdf, 40 MB').waitFor();
    assert.deepEqual(
      [...storage.files.values()].map((f) => f.bytes.length),
      [40_000_000, png.length],
    );
    const url = `${storage.url}/get/7/of%20Bob.png`;
    gateway.receive(bob, url, { attachments: [{ url, name: 'of Bob.png' }] });
    await page.getByRole('region', { name: 'Chats' }).getByText('of Bob.png', { exact: true }).waitFor();
  }),
);

test(
  'taken back while it is under way; another conversation has files of its own',
  story({}, async ({ storage, gateway, page }) => {
    storage.pausesAfter = 10_000_000;
    await choose(page, large('big.pdf'));
    await until('the bytes', () => storage.requests.some((r) => r.startsWith('PUT')));
    await page
      .getByRole('button', { name: /^Carol/ })
      .first()
      .click();
    assert.equal(await chosen(page).getByRole('listitem').count(), 0);
    await page.getByRole('region', { name: 'Chats' }).getByRole('button', { name: /^Bob/ }).click();
    await chosen(page).getByRole('button', { name: 'Remove big.pdf' }).press('Enter');
    assert.equal(await chosen(page).getByRole('listitem').count(), 0);
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Attach files');
    storage.resume();
    await choose(page, cat);
    await until('uploaded', () => send(page).isEnabled());
    assert.deepEqual([...storage.files.keys()], ['/put/2/cat.png']);
    assert.deepEqual(sent(gateway), []);
  }),
);

test(
  'refused: in words, with another try',
  story({}, async ({ storage, gateway, page }) => {
    storage.refuses = 507;
    storage.maxSize = 1_000_000;
    await choose(page, cat, large('big.pdf'));
    await chosen(page).getByText('The upload service answered 507').waitFor();
    await chosen(page).getByText('the file is too large').waitFor();
    await accessible(page, 'not uploaded');
    await pictures(page, 'not-uploaded');
    assert.equal(await chosen(page).getByRole('button', { name: 'Try again' }).count(), 1); // not of what is too large
    await page.getByRole('button', { name: 'Remove big.pdf' }).click();
    await field(page).press('Enter');
    await page.getByText('A file was not uploaded: try again, or remove it.').waitFor();
    storage.refuses = 0;
    await chosen(page).getByRole('button', { name: 'Try again' }).click();
    await until('uploaded', () => send(page).isEnabled());
    await send(page).click();
    await until('sent', () => sent(gateway).length === 1);
  }),
);

test(
  'a service that lets no page in: through the gateway, and the next file at once',
  story({ proxy: 'on' }, async ({ storage, gateway, page, requests }) => {
    storage.cors = false;
    for (const name of ['one.png', 'two.png']) {
      await choose(page, onDisk(name, png));
      await until('uploaded', () => send(page).isEnabled());
      await send(page).click();
    }
    await until('sent', () => sent(gateway).length === 2);
    assert.deepEqual(
      puts(requests).map((r) => new URL(r).pathname),
      ['/put/1/one.png', '/v1/uploads/u1', '/v1/uploads/u2'],
    );
    assert.deepEqual(storage.requests, ['OPTIONS /put/1/one.png']);
    gateway.proxy = 'off';
    await choose(page, cat);
    await chosen(page).getByText('or lets no page of this origin in').waitFor();
  }),
);

test(
  'dropped and pasted',
  story({}, async ({ storage, page }) => {
    const data = await page.evaluateHandle(() => {
      const t = new DataTransfer();
      t.items.add(new File(['x'], 'note.txt', { type: 'text/plain' }));
      return t;
    });
    await page.locator('.log').dispatchEvent('drop', { dataTransfer: data });
    await until('dropped', () => storage.files.size === 1);
    await field(page).evaluate(
      (e, t) => e.dispatchEvent(new ClipboardEvent('paste', { clipboardData: t, bubbles: true, cancelable: true })),
      data,
    );
    await until('pasted', () => storage.files.size === 2);
    assert.equal(await chosen(page).getByText('note.txt').count(), 2);
  }),
);

test(
  'received: a link with name and size, a picture on a click alone',
  story({}, async ({ storage, gateway, page, requests }) => {
    const put = storage.slot('tea.png');
    storage.files.set(new URL(put).pathname, { headers: { 'content-type': 'image/png' }, bytes: png });
    const url = storage.get(put);
    const files = [
      { url, name: 'tea.png', type: 'image/png', size: 70 },
      { url: `${storage.url}/get/9/gone.png` }, // as clients send it that know XEP-0066 alone
      { url: `${storage.url}/get/9/a.pdf`, name: 'a.pdf', type: 'application/pdf', size: 1_234_567 },
      { url: 'javascript:alert(1)', name: 'evil.png', type: 'image/png' },
    ];
    const ref = gateway.receive(bob, 'Four files', { attachments: files });
    const message = page.locator('.message', { hasText: 'Four files' });
    const link = message.getByRole('link', { name: 'tea.png' });
    assert.deepEqual(await link.evaluate((e) => [e.href, e.target, e.rel]), [url, '_blank', 'noopener noreferrer']);
    await message.getByText('image/png, 70 B').waitFor();
    await message.getByText('application/pdf, 1.2 MB').waitFor();
    assert.equal(await message.getByRole('link').count(), 3);
    const show = message.getByRole('button', { name: 'Show picture' });
    assert.equal(await show.count(), 2);
    await accessible(page, 'files');
    await pictures(page, 'files');
    assert.deepEqual(
      requests.filter((r) => r.startsWith(storage.url)),
      [],
    );
    await show.first().press('Enter');
    const img = message.getByRole('img', { name: 'tea.png' });
    await until('the picture', () => img.evaluate((e) => e.complete && e.naturalWidth === 1));
    assert.deepEqual(storage.requests, ['GET /get/1/tea.png']);
    gateway.react(ref, bob, ['👍']);
    await message.getByRole('button', { name: /👍/ }).waitFor();
    await img.waitFor(); // stays while the message changes
    await message.getByRole('button', { name: 'Show picture' }).click();
    await message.getByText('The picture cannot be shown here').waitFor();
    await accessible(page, 'picture');
    await pictures(page, 'picture');
    await message.getByRole('button', { name: 'Hide picture' }).first().click();
    assert.equal(await message.getByRole('img', { name: 'tea.png' }).count(), 0);
  }),
);

test('where the session takes no files nothing is offered', async () => {
  const gateway = await new StandIn().listen();
  gateway.receive(bob, 'Hello');
  try {
    await browse({}, async (browser) => {
      const page = await browser.newPage();
      await signIn(page, gateway.url, 'demo-alice');
      await page.getByRole('region', { name: 'Chats' }).getByRole('button', { name: /^Bob/ }).click();
      await field(page).waitFor();
      assert.equal(await page.getByRole('button', { name: 'Attach files' }).count(), 0);
    });
  } finally {
    await gateway.close();
  }
});
