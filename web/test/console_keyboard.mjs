// The console by keyboard alone: what has the focus is seen, what opens takes it, and what closes gives it back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse } from './browser.mjs';
import { StandIn } from './standin.mjs';

const services = JSON.stringify([{ upstream: 'office', label: 'Office', password: true }]);
const card = { full_name: 'Alice Example' };

/** What has the focus, as it is read out, and whether it can be seen that it has. */
const focused = (page) =>
  page.evaluate(() => {
    const e = document.activeElement;
    const s = getComputedStyle(e);
    const text = e === document.body ? '' : [...e.childNodes].filter((c) => c.ariaHidden !== 'true').map((c) => c.textContent);
    const label = e.getAttribute('aria-label') ?? e.labels?.[0]?.textContent ?? [text].flat().join(' ');
    const name = label.trim().replace(/\s+/g, ' ');
    return { name, role: e.getAttribute('role') ?? e.localName, seen: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1 };
  });

/** Goes on by Tab until something has the focus; all that it comes by can be seen to have it. */
async function tabTo(page, wanted, { back = false, most = 80 } = {}) {
  const came = [];
  for (let n = 0; n < most; n++) {
    const at = await focused(page);
    if (!['body', 'main', 'h1', 'h2'].includes(at.role)) assert.ok(at.seen, `nobody sees that ${at.role} “${at.name}” has the focus`);
    if (wanted.test(at.name)) return at;
    came.push(at.name);
    await page.keyboard.press(back ? 'Shift+Tab' : 'Tab');
  }
  return assert.fail(`Tab never came to ${wanted}, but to ${came.join(' | ')}`);
}

/** What has the focus is what is wanted. */
async function has(page, wanted) {
  const end = Date.now() + 10_000;
  for (;;) {
    const { name } = await focused(page);
    if (wanted.test(name)) return;
    if (Date.now() > end) assert.fail(`“${name}” has the focus, want ${wanted}`);
    await new Promise((done) => setTimeout(done, 30));
  }
}

async function gatewayOf() {
  const gateway = new StandIn({ buddies: ['bob@example.net', 'carol@example.net'] });
  gateway.services = services;
  gateway.more = ['roster-edit', 'vcard-store'];
  await gateway.listen();
  gateway.receive('carol@example.net', 'Good morning');
  return gateway;
}

test('signing in, choosing, writing, changing, menus and dialogs', async () => {
  const gateway = await gatewayOf();
  try {
    await browse({}, async (browser) => {
      const page = await browser.newPage();
      const { keyboard } = page;
      await page.route('**/v1/vcards/me*', (r) => r.fulfill({ json: card }));
      await page.route('**/v1/vcards/*/photo*', (r) =>
        r.fulfill({ status: 404, json: { status: 404, code: 'item-not-found', title: 'no' } }),
      );
      await page.goto(gateway.url);
      await page.getByLabel('JID').waitFor();

      await keyboard.press('Tab');
      await has(page, /^Skip to the content/);
      const refused = { status: 401, code: 'invalid-token', title: 'Refused', detail: 'that is not the password' };
      const signIn = (r) =>
        r.fulfill(
          r.request().postDataJSON().password === 'right'
            ? { status: 201, json: { token: 'perch_token', session: {} } }
            : { status: 401, json: refused },
        );
      await page.route('**/v1/session', (r) => (r.request().method() === 'POST' ? signIn(r) : r.continue()));
      await tabTo(page, /^JID$/);
      await keyboard.type('alice@example.net');
      await keyboard.press('Tab');
      await keyboard.type('wrong');
      await keyboard.press('Enter');
      await page.getByRole('alert').getByText('That is not the password').waitFor();
      await has(page, /^Password$/);
      assert.equal(await page.locator(':focus').getAttribute('aria-invalid'), 'true');
      await keyboard.press('Control+a');
      await keyboard.type('right');
      await keyboard.press('Enter');
      await page.getByText('Online', { exact: true }).first().waitFor();
      await has(page, /^alice@example.net$/);

      await tabTo(page, /^Carol/);
      await keyboard.press('Enter');
      await has(page, /^Message$/);
      await keyboard.type('by keyboard');
      await keyboard.press('Enter');
      await page.locator('.message.out', { hasText: 'by keyboard' }).waitFor();
      await page.locator('.message.out[data-status="acked"]').waitFor();
      await keyboard.press('ArrowUp');
      await page.getByText('Editing: by keyboard').waitFor();
      await keyboard.press('End');
      await keyboard.type(' alone');
      await keyboard.press('Enter');
      await page.locator('.message.out', { hasText: 'by keyboard alone' }).waitFor();

      await tabTo(page, /^Messages$/, { back: true });
      await keyboard.press('ArrowUp');
      await has(page, /by keyboard alone/);
      await keyboard.press('Enter');
      await has(page, /^React with/);
      await keyboard.press('Escape');
      await has(page, /by keyboard alone/);

      await tabTo(page, /^More$/, { back: true });
      const expanded = () => page.locator('.with-menu:has(:focus) > button').getAttribute('aria-expanded');
      assert.equal(await expanded(), 'false', 'aria-expanded of More before it opens');
      await keyboard.press('Enter');
      await has(page, /^Card$/);
      assert.equal(await expanded(), 'true', 'aria-expanded of More while its menu is open');
      await keyboard.press('ArrowDown');
      await has(page, /^Name and groups$/);
      await keyboard.press('ArrowUp');
      await keyboard.press('ArrowUp');
      await has(page, /^Pin$/);
      for (const modifier of ['ctrlKey', 'metaKey', 'altKey']) {
        await page.locator(':focus').dispatchEvent('keydown', { key: 'n', [modifier]: true, bubbles: true });
        assert.equal((await focused(page)).name, 'Pin', `${modifier} with a letter is a shortcut, and no search`);
      }
      await keyboard.press('n');
      await has(page, /^Name and groups$/);
      await keyboard.press('Escape');
      await has(page, /^More$/);
      assert.equal(await page.getByRole('menu').isVisible(), false);
      assert.equal(await expanded(), 'false', 'aria-expanded of More after it was closed');
      await keyboard.press('Enter');
      await has(page, /^Card$/);
      await keyboard.press('ArrowDown');
      await keyboard.press('Enter');
      await page.getByRole('dialog').waitFor();
      await has(page, /^Name$/);
      await keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await has(page, /^More$/);

      await tabTo(page, /^Copy as curl$/, { back: true });
      await keyboard.press('Space');
      await has(page, /^Send a message$/);
      await keyboard.press('End');
      await has(page, /webhooks$/);
      await keyboard.press('Escape');
      await has(page, /^Copy as curl$/);

      await tabTo(page, /^Your card$/, { back: true });
      await keyboard.press('Enter');
      await page.getByRole('dialog').getByLabel('Full name').waitFor();
      await keyboard.press('Escape');
      await has(page, /^Your card$/);
      await tabTo(page, /^Add a buddy$/);
      await keyboard.press('Enter');
      await tabTo(page, /^Whom \(JID\)$/);
    });
  } finally {
    await gateway.close();
  }
});
