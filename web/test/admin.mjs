// The page of operators on a gateway of two nodes.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { accessible, browse, pictures } from './browser.mjs';
import { until, url } from './kit.mjs';

const { PERCH_ADMIN: admin, PERCH_OTHER: other, PERCH_ADMIN_TOKEN: secret } = process.env;

/** The state of a demo account's session at a node, which opens it. */
const open = (at, name) => fetch(`${at}/v1/session`, { headers: { Authorization: `Bearer demo-${name}` } }).then((r) => r.json());

/** Asks the API as the page does. */
const ask = (path) => fetch(`${admin}/admin/v1/${path}`, { headers: { Authorization: `Bearer ${secret}` } }).then((r) => r.json());

/** The page, signed in. */
async function enter(browser) {
  const page = await browser.newPage();
  await page.goto(admin);
  await page.getByLabel('Admin token').fill(secret);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Sessions' }).waitFor();
  return page;
}

before(async () => {
  await open(url, 'alice');
  await open(other, 'bob');
  await open(other, 'carol');
  await until('both nodes know each other', async () => (await ask('sessions')).items.length === 3);
});

test('the token is asked for, refused when it is wrong, and in no address', () =>
  browse({}, async (browser, requests) => {
    const page = await browser.newPage();
    await page.goto(admin);
    await page.getByLabel('Admin token').waitFor();
    await accessible(page, 'sign-in of operators');
    await pictures(page, 'admin-signin');
    await page.getByLabel('Admin token').fill('not-the-token-of-this-gateway-at-all');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('not the admin token').waitFor();
    await page.getByLabel('Admin token').fill(secret);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Nodes' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Nodes' }).waitFor();
    assert.ok(!requests.some((r) => r.includes(secret)), 'the token is in an address');
    assert.ok(
      requests.every((r) => r.startsWith(admin)),
      `something went to another host: ${requests}`,
    );
    await page.getByRole('button', { name: 'Forget the token' }).click();
    await page.getByLabel('Admin token').waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length), 0, 'the token is still in the tab');
  }));

test('nodes, upstreams and sessions of all nodes, in every width', () =>
  browse({}, async (browser) => {
    const page = await enter(browser);
    const nodes = page.getByRole('region', { name: 'Nodes' });
    await nodes.getByRole('heading', { name: 'left' }).waitFor();
    await nodes.getByRole('heading', { name: 'right' }).waitFor();
    await nodes.getByText('rack=7, region=eu').waitFor();
    const upstreams = page.getByRole('region', { name: 'Upstreams' });
    for (const name of ['messenger', 'today']) await upstreams.getByRole('heading', { name }).waitFor();
    const limits = upstreams.getByText('sessions-per-account 10, account-rate 10, logins 64');
    await until('the limits of both', async () => (await limits.count()) === 2);
    const rows = page.getByRole('region', { name: 'Sessions' }).locator('details');
    await rows.nth(2).waitFor();
    assert.equal(await rows.count(), 3);
    await rows.first().locator('summary').click();
    await rows.first().getByText('(credential)').waitFor();
    await accessible(page, 'operators');
    await page.emulateMedia({ colorScheme: 'dark' });
    await accessible(page, 'operators, dark');
    await pictures(page, 'admin');
    await rows.first().evaluate((e) => e.scrollIntoView());
    await pictures(page, 'admin-sessions');
  }));

test('an answer that is no JSON is named by its status, and what is open out of sight is not asked for', () =>
  browse({ viewport: { width: 900, height: 500 } }, async (browser) => {
    const page = await enter(browser);
    const rows = page.getByRole('region', { name: 'Sessions' }).locator('details');
    await rows.nth(2).waitFor();
    const details = (r) => /\/admin\/v1\/sessions\/\w+$/.test(r.url());
    await rows.first().locator('summary').click();
    await rows.first().getByText('(credential)').waitFor();
    const again = () => page.waitForRequest(details, { timeout: 5000 });
    await again(); // while it is in sight
    await page.evaluate(() => (document.body.style.paddingBottom = '3000px'));
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    const list = () => page.waitForResponse((r) => r.url().includes('/admin/v1/sessions?'));
    await list(); // what was under way
    const asked = [];
    page.on('request', (r) => details(r) && asked.push(r.url()));
    await list();
    await list();
    assert.deepEqual(asked, []);
    await page.evaluate(() => scrollTo(0, 0));
    await rows.first().scrollIntoViewIfNeeded();
    await again();
    await page.route('**/admin/v1/nodes', (r) => r.fulfill({ status: 502, contentType: 'text/html', body: '<html>Bad gateway' }));
    await page.getByRole('alert').getByText('status 502').waitFor();
    await page.unroute('**/admin/v1/nodes');
    await page.route('**/admin/v1/nodes', (r) => r.fulfill({ status: 200, contentType: 'text/html', body: '<html>Sign in' }));
    await page.getByRole('alert').getByText('no admin API of Perch').waitFor();
  }));

test('a filter that nothing passes, one that is refused, and one that finds', () =>
  browse({}, async (browser) => {
    const page = await enter(browser);
    const sessions = page.getByRole('region', { name: 'Sessions' });
    await sessions.locator('details').nth(2).waitFor();
    await sessions.getByLabel('State').selectOption('suspended');
    await sessions.getByText('No session is like this.').waitFor();
    await sessions.getByLabel('State').selectOption('');
    await sessions.getByLabel('Node').fill('nowhere');
    await sessions.getByRole('button', { name: 'Find' }).click();
    await sessions.getByRole('alert').getByText('there is no node').waitFor();
    await sessions.getByLabel('Node').fill('left');
    await sessions.getByRole('button', { name: 'Find' }).click();
    await until('one session', async () => (await sessions.locator('details').count()) === 1);
  }));

test('a filter is that of the form when it is sent, and an answer to an older one is not shown', () =>
  browse({}, async (browser) => {
    const page = await enter(browser);
    const sessions = page.getByRole('region', { name: 'Sessions' });
    await sessions.locator('details').nth(2).waitFor();
    const filtered = (u) => u.pathname === '/admin/v1/sessions' && u.searchParams.size > 1;
    const plain = (r) => r.url().endsWith('/admin/v1/sessions?limit=50');
    await sessions.getByLabel('Node').pressSequentially('nowh');
    const next = await page.waitForRequest((r) => r.url().includes('/admin/v1/sessions?'));
    assert.ok(plain(next), `what is being written is asked for: ${next.url()}`);
    await sessions.getByLabel('Node').clear();

    let release;
    const released = new Promise((done) => (release = done));
    await page.route(filtered, async (r) => (await released, r.continue()));
    const asked = page.waitForRequest((r) => filtered(new URL(r.url())));
    await sessions.getByLabel('State').selectOption('suspended');
    const older = await asked;
    const answered = page.waitForResponse(plain);
    await sessions.getByLabel('State').selectOption('');
    await answered;
    await sessions.evaluate((e) => {
      const note = () => (window.emptied ||= e.innerText.includes('No session is like this.'));
      new MutationObserver(note).observe(e, { subtree: true, childList: true, characterData: true });
    });
    release();
    await (await older.response()).finished();
    await page.waitForResponse(plain); // by then that answer was taken
    assert.equal(await page.evaluate(() => Boolean(window.emptied)), false, 'an answer to an older filter is shown');
  }));

test('what is done to a session and a node is asked once more, and then seen', () =>
  browse({}, async (browser) => {
    const page = await enter(browser);
    const sessions = page.getByRole('region', { name: 'Sessions' });
    await sessions.getByLabel('Node').fill('right');
    await sessions.getByRole('button', { name: 'Find' }).click();
    await until('two sessions', async () => (await sessions.locator('details').count()) === 2);
    await sessions.locator('summary').first().click();
    const out = sessions.locator('details[open]').getByRole('button');
    await out.filter({ hasText: 'Sign out' }).click();
    await page.getByRole('button', { name: 'End it, with its log?' }).click();
    await page.getByText('The session has ended').waitFor();
    await until('one session', async () => (await sessions.locator('details').count()) === 1);
    const right = page.getByRole('region', { name: 'Nodes' }).getByRole('listitem').filter({ hasText: 'right' }).first();
    await right.getByRole('button', { name: 'Drain' }).click();
    await right.getByRole('button', { name: 'Drain it now?' }).click();
    await right.getByText('draining').waitFor();
    await until('nothing is left', async () => (await ask('nodes')).items.find((n) => n.name === 'right').owned === 0);
    await right.getByRole('button', { name: 'End the drain' }).click();
    await right.getByRole('button', { name: 'Take sessions again?' }).click();
    await right.getByText('up', { exact: true }).waitFor();
    await page.getByLabel('Log level of all nodes').selectOption('debug');
    await page.getByText('All nodes log from debug on').waitFor();
  }));

test('a session that no node has is shown as stored, and can only be signed out', () =>
  browse({}, async (browser) => {
    const page = await enter(browser); // the node on the right was drained: its session waits for its client
    const sessions = page.getByRole('region', { name: 'Sessions' });
    await sessions.getByLabel('State').selectOption('stored');
    await until('the stored session', async () => (await sessions.locator('details').count()) === 1);
    await sessions.locator('summary').first().click();
    await sessions.getByText('No node has it. The next request of its client opens it').waitFor();
    await sessions.getByText('(credential)').waitFor();
    const buttons = sessions.locator('details[open]').getByRole('button');
    assert.deepEqual(await buttons.allInnerTexts(), ['Sign out']);
    await accessible(page, 'a stored session');
    await pictures(page, 'admin-stored');
    await buttons.first().click();
    await page.getByRole('button', { name: 'End it, with its log?' }).click();
    await page.getByText('The session has ended').waitFor();
    await sessions.getByText('No session is like this.').waitFor();
  }));
