// What a newcomer sees: one command, one tab, and a conversation within a minute.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessible, browse, buddy, picture, said, say } from './browser.mjs';
import { url } from './kit.mjs';

test('one tab, one click, a conversation with the buddy that answers', () =>
  browse({}, async (browser) => {
    const began = Date.now();
    const page = await browser.newPage();
    await page.goto(url);
    await accessible(page, 'sign-in');
    await picture(page, 'signin');
    await page.getByRole('button', { name: /Alice/ }).click();
    await buddy(page, 'Echo').click();
    await say(page, 'Hello from the console!');
    await said(page, 'You said: Hello from the console!').waitFor();
    assert.ok(Date.now() - began < 60_000);
    await page.getByRole('button', { name: 'Events', exact: true }).click();
    await accessible(page, 'monitor');
    await picture(page, 'console');
  }));

test('side by side: presence, typing, messages and their status; then the XMPP link is cut', () =>
  browse({}, async (browser) => {
    const page = await browser.newPage();
    await page.goto(`${url}/?split`);
    const [alice, bob] = [page.getByRole('region', { name: 'Alice' }), page.getByRole('region', { name: 'Bob' })];
    await alice.getByText('Online', { exact: true }).waitFor();
    await bob.getByText('Online', { exact: true }).waitFor();
    await say(alice, 'Croquet at four?');
    await said(bob, 'Croquet at four?').waitFor();
    await say(bob, 'With flamingos, of course.');
    await said(alice, 'With flamingos, of course.').waitFor();
    await alice.getByLabel('Message', { exact: true }).pressSequentially('Shall I bring');
    await bob.getByText('Alice is writing…').waitFor();
    await accessible(page, 'side by side');
    await picture(page, 'split');
    await page.emulateMedia({ colorScheme: 'dark' });
    await accessible(page, 'dark');
    await picture(page, 'dark');
    await alice.getByLabel('Your presence', { exact: true }).selectOption('dnd');
    await buddy(bob, 'Alice\\W+do not disturb').waitFor();
    await alice.getByRole('button', { name: 'Online' }).click();
    await accessible(page, 'session');
    await alice.getByRole('button', { name: 'Events', exact: true }).click();
    await alice.getByRole('button', { name: 'Cut the XMPP link' }).click();
    await alice.locator('.frames summary', { hasText: 'session.state' }).first().waitFor();
    await alice.getByText('Online', { exact: true }).first().waitFor();
    await say(alice, 'Still here.');
    await said(bob, 'Still here.').waitFor();
  }));

test('the first page: what is fetched before it is painted, and nothing of the API', () =>
  browse({}, async (browser) => {
    const page = await browser.newPage();
    await page.goto(url);
    await page.getByRole('button', { name: /Alice/ }).waitFor();
    const { painted, loaded } = await page.evaluate(async () => {
      const paint = await new Promise((done) =>
        new PerformanceObserver((list) => done(list.getEntries()[0].startTime)).observe({ type: 'paint', buffered: true }),
      );
      const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
      return {
        painted: all.filter((e) => e.startTime <= paint).map((e) => [new URL(e.name).pathname, e.encodedBodySize]),
        loaded: all.map((e) => new URL(e.name).pathname),
      };
    });
    const bytes = painted.reduce((n, [, size]) => n + size, 0);
    assert.ok(
      painted.length <= 12 && bytes <= 15_000,
      `${painted.length} requests, ${bytes} bytes: ${painted}; want 12 and 15,000 at most`,
    );
    assert.deepEqual(
      loaded.filter((path) => path.startsWith('/v1/')),
      [],
    );
  }));

test('signing out ends the session, leaving does not', () =>
  browse({}, async (browser) => {
    const page = await browser.newPage();
    await page.goto(url);
    await page.getByRole('button', { name: /Carol/ }).click();
    await page.getByRole('button', { name: 'Online' }).click();
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByText('Who are you today?').waitFor();
  }));

test('the sign-in of the service: its page, yes, and back with a token that is not in the address', () =>
  browse({}, async (browser) => {
    const page = await browser.newPage();
    await page.goto(url);
    await page.getByRole('button', { name: /own page/ }).click();
    await page.getByRole('radio', { name: /Bob/ }).check();
    await page.getByRole('button', { name: 'Yes' }).click();
    await page.getByText('Online', { exact: true }).waitFor();
    await buddy(page, 'Echo').waitFor();
    assert.equal(new URL(page.url()).hash, '', 'the token stayed in the address');
    await page.reload();
    await page.getByText('Online', { exact: true }).waitFor();
    await page.goto(`${url}/#access_token=stolen&state=made.up`);
    await page.reload();
    await page.goto('about:blank');
    await page.goto(`${url}/#access_token=stolen&state=made.up`);
    await page.getByRole('alert').getByText('was not started here').waitFor();
  }));
