// Files in the console over a real XMPP server, whose upload service is another host to the page: Alice
// attaches some in Chromium, Bob has them; Bob sends a picture, Alice looks at it. The policy of the page is that
// of the gateway.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Perch } from '../perch.js';
import { browse, picture, signIn } from './browser.mjs';
import { live, until, url } from './kit.mjs';

const [alice, bob] = JSON.parse(process.env.PERCH_ACCOUNTS);
const { PERCH_WAY: way, PERCH_EMPTY: empty } = process.env;
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const folder = mkdtempSync(join(tmpdir(), 'perch-files-'));
after(() => rmSync(folder, { recursive: true }));

const files = {
  'tea & cats.png': Buffer.from(png, 'base64'),
  'large.bin': Buffer.alloc(900_000, 7),
  ...(empty && { 'nothing.txt': Buffer.alloc(0) }),
};

/** What there is at an address. */
const bytesOf = async (address) => Buffer.from(await (await fetch(address)).arrayBuffer());

test(`files go ${way}, and come`, async () => {
  const b = new Perch({ url, token: (await Perch.signIn(bob, { url })).token });
  const received = [];
  b.on('message.received', (e) => received.push(...(e.data.attachments ?? [])));
  b.connect();
  await live(b);
  await b.send(alice.jid, 'Have you the pictures?');
  await browse({}, async (browser, requests) => {
    const page = await browser.newPage();
    await signIn(page, url, (await Perch.signIn(alice, { url })).token);
    await page.getByText('Have you the pictures?').first().click();
    const chooser = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Attach files' }).click();
    const paths = Object.entries(files).map(([name, bytes]) => (writeFileSync(join(folder, name), bytes), join(folder, name)));
    await (await chooser).setFiles(paths);
    const chosen = page.getByRole('list', { name: 'Files of the message' });
    await until(
      async () => `uploaded: ${await chosen.textContent()}`,
      async () => (await chosen.getByRole('progressbar').count()) === 0,
    );
    assert.deepEqual(await chosen.locator('.bad').allTextContents(), []);
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await until('Bob has them', () => received.length === paths.length);
    for (const [i, [name, bytes]] of Object.entries(files).entries()) {
      const got = received.find((a) => a.name === name);
      assert.equal(got?.name, name, `file ${i} of ${JSON.stringify(received)}`);
      assert.ok((await bytesOf(got.url)).equals(bytes), `${name} came as other bytes`);
    }
    const elsewhere = requests.filter((r) => !r.startsWith(url));
    const passed = requests.filter((r) => r.includes('/v1/uploads/'));
    const want = way === 'straight' ? [paths.length, 0] : [1, paths.length]; // the service is tried once
    assert.deepEqual(
      [elsewhere.length, passed.length],
      want,
      `${elsewhere.length} requests to others, ${passed.length} through the gateway`,
    );

    await b.sendFile(alice.jid, new File([files['tea & cats.png']], 'from Bob.png', { type: 'image/png' }));
    const message = page.locator('.message.in', { hasText: 'from Bob.png' });
    await message.getByRole('button', { name: 'Show picture' }).click();
    const img = message.getByRole('img', { name: 'from Bob.png' });
    await until('the picture', () => img.evaluate((e) => e.complete && e.naturalWidth === 1));
    await picture(page, `files-over-a-server-${way.replaceAll(' ', '-')}`);
  });
  b.disconnect();
});
