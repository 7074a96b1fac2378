// The console in eight states, each in four widths, light and dark: pictures to look at, and nothing that
// axe-core calls serious. On the stand-in, where every state can be had.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessible, browse, choose, fillToken, pictures, resize } from './browser.mjs';
import { StandIn, own } from './standin.mjs';

const bob = 'bob@example.net';
const services = JSON.stringify([
  { upstream: 'office', label: 'Office', password: true },
  { upstream: 'home', label: 'Home', password: true },
]);
const card = { full_name: 'Alice Example', nickname: 'Alice', emails: ['alice@example.net'], description: 'Down the rabbit hole.' };
const photo = Buffer.from('of another device');
const rich = `Look at https://example.net/wiki/Tea_(drink), and run \`make tea\`:
\`\`\`
kettle := Boil(water)
fmt.Println(Pour(kettle, leaves)) // a long line that is wider than any telephone is, and scrolls by itself
\`\`\`
See you at four.`;

/** Answers what the stand-in has not. */
async function more(page) {
  const fresh = (r) => r.request().url().endsWith('?refresh=1');
  const none = { status: 404, json: { status: 404, code: 'item-not-found', title: 'none' } };
  // Another device has changed the card since the gateway read it.
  await page.route('**/v1/vcards/me*', (r) =>
    r.fulfill(r.request().method() === 'PUT' ? { status: 204 } : { json: fresh(r) ? card : { full_name: 'Alice of before' } }),
  );
  await page.route('**/v1/vcards/*/photo*', (r) => r.fulfill(fresh(r) ? { contentType: 'image/png', body: photo } : none));
}

/** Pictures of a state, and what axe-core has to say, in both colour schemes. */
async function looks(page, name) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await accessible(page, `${name}, ${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await pictures(page, `state-${name}`);
}

/** A gateway on which something was said. */
async function gatewayOf() {
  const gateway = new StandIn({ buddies: ['bob', 'carol', 'dora', 'erik', 'fay', 'gil'].map((n) => `${n}@example.net`) });
  gateway.services = services;
  gateway.more = ['roster-edit', 'vcard-store'];
  gateway.away = new Set(['dora@example.net', 'gil@example.net']);
  gateway.buddies[0].groups = ['Friends'];
  gateway.buddies[1].groups = ['Friends', 'Work'];
  gateway.buddies[2].name = 'דורה כהן';
  await gateway.listen();
  gateway.receive('carol@example.net', 'Is the tea ready?');
  gateway.receive(bob, 'Good morning');
  gateway.receive(bob, rich);
  gateway.receive(bob, 'שלום https://example.net/a עולם');
  gateway.react('im3', bob, ['🎉']);
  return gateway;
}

test('eight states look right and are accessible', async () => {
  const gateway = await gatewayOf();
  try {
    await browse({}, async (browser) => {
      const page = await browser.newPage();
      await more(page);
      await page.goto(gateway.url);
      await page.getByLabel('JID').waitFor();
      await looks(page, '1-signin');

      const problem = { status: 401, code: 'invalid-token', title: 'Refused', detail: 'the XMPP server does not accept this password' };
      await page.route('**/v1/session', (r) =>
        r.request().method() === 'POST' ? r.fulfill({ status: 401, json: problem }) : r.continue(),
      );
      await page.getByLabel('JID').fill(own);
      await page.getByLabel('Password').fill('not this one');
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
      await page.getByRole('alert').getByText('does not accept').waitFor();
      await looks(page, '2-refused');

      await fillToken(page, 'Bearer a-token-of-älice');
      await page.keyboard.press('Enter');
      await page.getByRole('alert').getByText('A token has no spaces').waitFor();
      await page.getByLabel('Bearer token').fill('a-token-of-alice');
      await page.keyboard.press('Enter');
      await page.getByText('Online', { exact: true }).first().waitFor();
      await page.getByText('Online · 4').waitFor();
      await page.getByText('Add a buddy').click();
      await page.getByLabel('Whom (JID)').waitFor();
      await looks(page, '3-people');
      for (const width of [320, 390, 768]) {
        await resize(page, { width, height: 720 });
        const pixels = await page.locator('.own select').evaluate((e) => e.offsetWidth);
        assert.ok(pixels >= 80, `at ${width} the own presence has ${pixels} pixels, want 80 or more`);
      }
      await resize(page, { width: 1180, height: 760 });
      await page.getByText('Add a buddy').click();

      await page.locator(`.talk[data-jid="${bob}"]`).click();
      await page.locator('.message pre').waitFor();
      assert.deepEqual(
        await page.locator('.message .body a').evaluateAll((all) => all.map((a) => [a.textContent, a.href, a.rel, a.target])),
        [
          ['https://example.net/wiki/Tea_(drink)', 'https://example.net/wiki/Tea_(drink)', 'noopener noreferrer', '_blank'],
          ['https://example.net/a', 'https://example.net/a', 'noopener noreferrer', '_blank'],
        ],
      );
      await looks(page, '4-conversation');

      await page.getByRole('button', { name: 'Copy as curl' }).click();
      await page.getByRole('menuitem', { name: 'Send a message' }).waitFor();
      await accessible(page, 'menu');
      await pictures(page, 'state-5-menu');
      await page.keyboard.press('Escape');

      await choose(page, 'Name and groups');
      await page.getByRole('dialog').getByLabel('Name').waitFor();
      await looks(page, '6-buddy');
      await page.getByRole('button', { name: 'Cancel' }).click();

      await page.getByRole('button', { name: 'Your card' }).click();
      await page.getByRole('dialog').getByLabel('Full name').waitFor();
      await looks(page, '7-card');
      await page.getByRole('dialog').getByLabel('Full name').fill('Alice Liddell');
      const put = page.waitForRequest((r) => r.method() === 'PUT' && r.url().endsWith('/v1/vcards/me'));
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByRole('dialog').getByText('Your card is saved.').waitFor();
      const want = { ...card, full_name: 'Alice Liddell', photo: { data: photo.toString('base64') } };
      assert.deepEqual((await put).postDataJSON(), want, 'what another device has set is written over');
      await page.getByRole('button', { name: 'Close' }).click();

      const invalid = {
        ...{ status: 422, code: 'validation', title: 'Invalid', detail: '/jid: must be a bare JID, without a resource' },
        errors: [{ pointer: '/jid', detail: 'must be a bare JID, without a resource' }],
      };
      await page.route('**/v1/buddies', (r) => r.fulfill({ status: 422, json: invalid }));
      await resize(page, { width: 1180, height: 760 });
      await page.getByRole('button', { name: 'Online' }).click();
      await page.getByText('Last stanza').waitFor();
      await page.getByText('Add a buddy').click();
      await page.getByLabel('Whom (JID)').fill('fay@example.net/phone');
      await page.getByRole('button', { name: 'Add', exact: true }).click();
      const note = page.locator('.note', { hasText: 'The address must be a bare JID' });
      await note.waitFor();
      assert.equal((await note.textContent()).includes('/jid'), false, 'a pointer is shown to people');
      await coversNothing(page, note);
      await looks(page, '8-session');
    });
  } finally {
    await gateway.close();
  }
});

/** Whether what is written to can be reached while a short message is shown. */
async function coversNothing(page, note) {
  const of = async (what) => (await what.boundingBox()) ?? assert.fail(`no ${what}`);
  const [a, main] = [await of(note), await of(page.locator('main'))];
  assert.ok(a.y + a.height <= main.y, `the message ends at ${a.y + a.height}, the page begins at ${main.y}`);
}

test('at 320 pixels a message can be written and sent, also above a keyboard', async () => {
  const gateway = await gatewayOf();
  try {
    await browse({ viewport: { width: 320, height: 360 } }, async (browser) => {
      const page = await browser.newPage();
      await more(page);
      await page.goto(gateway.url);
      await fillToken(page, 'a-token-of-alice');
      await page.keyboard.press('Enter');
      await page.locator(`.talk[data-jid="${bob}"]`).click();
      await page.getByLabel('Message', { exact: true }).fill('from a small page, with a text that needs more than one line');
      const send = page.getByRole('button', { name: 'Send', exact: true });
      const box = await send.boundingBox();
      assert.ok(
        box.x >= 0 && box.x + box.width <= 320 && box.y + box.height <= 360,
        `Send is at ${JSON.stringify(box)}, want it inside of 320 by 360`,
      );
      await send.click();
      await page.locator('.message.out', { hasText: 'from a small page' }).waitFor();
    });
  } finally {
    await gateway.close();
  }
});
