// The console in a real browser, in whole stories, on a service that can be moved.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessible, browse, buddy, choose, offers, picture, pictures, said, say, signIn } from './browser.mjs';
import { client, stage, until, url } from './kit.mjs';

const jidOf = (user) => stage('jid', { user });

test('sign in, presence by itself, a conversation, and a reload without a new login', () =>
  browse({}, async (browser, requests) => {
    const page = await browser.newPage();
    await signIn(page, url, 'demo-alice');
    for (const name of ['Blocked', 'Search messages'])
      assert.equal(await page.getByRole('button', { name, exact: true }).isVisible(), false, `${name} is offered by a service that cannot`);
    await accessible(page, 'people');
    await stage('presence', { user: 'echo', show: 'dnd', status: 'A storm is coming' });
    await buddy(page, 'Echo\\W+do not disturb').getByText('A storm is coming').waitFor();
    await buddy(page, 'Echo').click();
    assert.equal(await offers(page, 'Block'), false, 'blocking is offered by a service that cannot');
    await say(page, 'Hello, is this kept?');
    await said(page, 'You said: Hello, is this kept?').waitFor();
    await accessible(page, 'conversation');
    const messages = () => page.locator('.message').evaluateAll((all) => all.map((e) => e.querySelector('.body').textContent));
    const before = await messages();
    const logins = await stage('logins', { user: 'alice' });
    await page.reload();
    await page.getByText('Online', { exact: true }).waitFor();
    await said(page, 'You said: Hello, is this kept?').waitFor();
    await until('the same messages', async () => JSON.stringify(await messages()) === JSON.stringify(before));
    assert.equal(await page.evaluate(() => sessionStorage.length > 0 && localStorage.length), 0, 'nothing outlives the tab');
    assert.equal(await stage('logins', { user: 'alice' }), logins, 'a reload has signed in again');
    assert.equal(logins, 1, 'one login for everything');
    assert.deepEqual(
      requests.filter((r) => !r.startsWith(url) && !r.startsWith(`blob:${url}`)),
      [],
      'a request has left the host',
    );
  }));

test('everything works by keyboard', () =>
  browse({}, async (browser) => {
    const page = await browser.newPage();
    await signIn(page, url, 'demo-alice');
    const focus = async (name, most = 60) => {
      for (let n = 0; n < most; n++) {
        const at = await page.evaluate(() =>
          document.activeElement?.matches('button')
            ? `${document.activeElement.getAttribute('aria-label') ?? ''} ${document.activeElement.textContent}`
            : '',
        );
        if (at.includes(name)) return;
        await page.keyboard.press('Tab');
      }
      assert.fail(`Tab never came to ${name}`);
    };
    await focus('Echo');
    await page.keyboard.press('Enter');
    await page.keyboard.type('by keyboard');
    await page.keyboard.press('Enter');
    await said(page, 'You said: by keyboard').waitFor();
    await page.evaluate(() => document.activeElement.blur());
    await focus('Events');
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'Event monitor' }).waitFor();
    for (const role of ['banner', 'main']) assert.equal(await page.getByRole(role).count(), 1, `one ${role}`);
  }));

test('the network is cut and restored: what was missed is there', () =>
  browse({}, async (browser) => {
    const page = await browser.newPage();
    await signIn(page, url, 'demo-alice');
    await buddy(page, 'Bob').click();
    await stage('down');
    await page.getByText('No connection').waitFor();
    await stage('deliver', { from: 'bob', to: 'alice', body: 'while you were away' });
    await stage('up');
    await page.getByText('Online', { exact: true }).waitFor();
    await said(page, 'while you were away').waitFor();
    assert.equal(await said(page, 'while you were away').count(), 1);
    assert.equal(await stage('logins', { user: 'alice' }), 1);
  }));

test('the token has expired: the page says so and works again with a fresh one', () =>
  browse({}, async (browser) => {
    const page = await browser.newPage();
    const token = await stage('issue', { user: 'carol' });
    await signIn(page, url, token);
    await stage('revoke', { token });
    await stage('drop', { user: 'carol' });
    await page.getByText('The token has expired').waitFor();
    await buddy(page, 'Wanda').waitFor(); // what was known can be read
    await accessible(page, 'expired');
    await picture(page, 'expired');
    await page.getByLabel('Fresh token').fill(await stage('issue', { user: 'carol' }));
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('Online', { exact: true }).waitFor();
    await page.reload();
    await page.getByText('Online', { exact: true }).waitFor();
  }));

test('an invitation is accepted, another one declined, and a buddy added by its account', () =>
  browse({}, async (browser) => {
    const page = await browser.newPage();
    await signIn(page, url, 'demo-alice');
    const of = (name) => page.locator('.invitation', { hasText: name });
    await of('Mary from accounting').getByText('shall we keep in touch?').waitFor();
    await of('Mary from accounting').getByRole('button', { name: 'Accept', exact: true }).click();
    await of('Mary from accounting').waitFor({ state: 'detached' });
    await buddy(page, 'Mary from accounting').waitFor();
    await of('Nick').getByRole('button', { name: 'Decline' }).click();
    await of('Nick').waitFor({ state: 'detached' });
    await page.getByText('Add a buddy').click();
    await page.getByLabel('Whom').fill('dora@contoso.com');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.locator('.buddy', { hasText: 'The door is open' }).waitFor();
    await page.getByLabel('Your presence', { exact: true }).selectOption('away');
    await page.getByLabel('Your status', { exact: true }).fill('At the tea party');
    await page.getByLabel('Your status', { exact: true }).press('Enter');
    await until('the own presence', async () => (await client().getOwnPresence()).status === 'At the tea party');
  }));

test('what strangers write is text: nick, group, status, message and card', () =>
  browse({}, async (browser) => {
    const page = await browser.newPage();
    await signIn(page, url, 'demo-alice');
    const nasty = '<img src=x onerror="document.title=\'owned by body\'"><script>document.title=1</script>';
    await stage('invite', { from: 'carol', to: 'alice', nick: nasty, message: nasty });
    await stage('deliver', { from: 'mallory', to: 'alice', body: nasty });
    await page.locator('.invitation .name', { hasText: '<img src=x' }).waitFor();
    const mallory = page.locator(`.buddy[data-jid="${await jidOf('mallory')}"]`);
    await mallory.getByText('owned by status').waitFor();
    await mallory.click();
    await page.locator('.message .body', { hasText: 'owned by body' }).waitFor();
    await choose(page, 'Card');
    await page.getByRole('dialog').getByText('owned by about').waitFor();
    await page.getByRole('dialog').getByText('javascript:alert(1)').waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: 'Events', exact: true }).click();
    await page.locator('.frames summary', { hasText: 'presence.snapshot' }).first().click();
    assert.equal(await page.locator('main img[src="x"], main script').count(), 0);
    assert.equal(await page.title(), 'Perch console');
    await accessible(page, 'hostile');
  }));

test('the monitor filters, and every action is a curl command', () =>
  browse({ permissions: ['clipboard-read', 'clipboard-write'] }, async (browser) => {
    const page = await browser.newPage();
    await signIn(page, url, 'demo-alice');
    await buddy(page, 'Echo').click();
    await page.getByRole('button', { name: 'Events', exact: true }).click();
    await page.locator('.frames li[data-type="hello"]').first().waitFor();
    await page.locator('.filter[data-type="hello"]').click();
    assert.equal(await page.locator('.frames li[data-type="hello"]:visible').count(), 0);
    await page.getByLabel('Message', { exact: true }).fill("it's copied");
    const copies = page.getByRole('button', { name: /curl/i });
    assert.equal(await copies.count(), 1, 'one button for all that can be copied');
    await copies.click();
    const labels = await page.getByRole('menuitem').allTextContents();
    for (const what of ['List buddies', 'Set your presence', 'Read the archive', 'Accept an invitation', 'Add a buddy', 'The event stream'])
      assert.ok(labels.includes(what), `no curl for: ${what}, got ${labels}`);
    assert.equal(labels.includes('Block'), false, 'what the service cannot do is offered');
    await page.getByRole('menuitem', { name: 'Send a message' }).click();
    await page.getByText('Copied: the same').waitFor();
    const command = await page.evaluate(() => navigator.clipboard.readText());
    const { execFileSync } = await import('node:child_process');
    assert.equal(command.includes('demo-alice'), false, 'a token that the service has not published is in the clipboard');
    const env = { ...process.env, TOKEN: 'demo-alice' };
    assert.match(execFileSync('bash', ['-c', `${command} -s`], { encoding: 'utf8', env }), /"status":"accepted"/);
    await said(page, "You said: it's copied").waitFor();
  }));

test('two tabs share one stream, and the second takes over when the first is closed', () =>
  browse({}, async (browser) => {
    const [one, two] = [await browser.newPage(), await browser.newPage()];
    await signIn(one, url, 'demo-bob');
    await signIn(two, url, 'demo-bob');
    const bob = client({ token: 'demo-bob' });
    await until('one stream', async () => (await bob.getSession()).streams === 1);
    for (const page of [one, two]) await buddy(page, 'Echo').click();
    await say(two, 'from the second tab');
    await said(one, 'You said: from the second tab').waitFor();
    await said(two, 'You said: from the second tab').waitFor();
    await one.close();
    await stage('deliver', { from: 'echo', to: 'bob', body: 'to the tab that is left' });
    await said(two, 'to the tab that is left').waitFor();
    assert.equal(await said(two, 'You said: from the second tab').count(), 1);
    assert.equal((await bob.getSession()).streams, 1);
  }));

test('messages that are written without a connection wait, are sent in order, and one that is refused can be sent again', () =>
  browse({}, async (browser) => {
    const page = await browser.newPage();
    await signIn(page, url, 'demo-alice');
    await buddy(page, 'Echo').click();
    await stage('down');
    await page.getByText('No connection').waitFor();
    const texts = ['first of the outage', 'second of the outage', 'third of the outage', 'taken back'];
    for (const text of texts) await say(page, text);
    const message = (text) => page.locator('.message.out', { hasText: text });
    await message(texts[0]).getByText('Waits for the connection').waitFor();
    await message('taken back').getByRole('button', { name: 'Cancel' }).click();
    await message('taken back').waitFor({ state: 'detached' });
    await accessible(page, 'pending');
    await pictures(page, 'pending');
    await stage('up');
    await said(page, 'You said: third of the outage').waitFor();
    const echoes = () => page.locator('.message.in .body', { hasText: 'of the outage' }).allTextContents();
    assert.deepEqual(
      await echoes(),
      texts.slice(0, 3).map((t) => `You said: ${t}`),
    );
    assert.equal(
      await page.evaluate(() => Object.keys(sessionStorage).filter((k) => k.startsWith('perch:outbox:')).length),
      0,
      'what was sent is still kept',
    );

    let refuse = true;
    await page.route('**/v1/messages', (route) =>
      refuse
        ? route.fulfill({
            status: 403,
            contentType: 'application/problem+json',
            body: JSON.stringify({ code: 'forbidden', status: 403, title: 'Forbidden', detail: 'you may not write to this account' }),
          })
        : route.continue(),
    );
    await say(page, 'refused at first');
    await message('refused at first').getByText('Not sent: you may not write to this account').waitFor();
    await accessible(page, 'failed');
    await pictures(page, 'failed');
    refuse = false;
    await message('refused at first').getByRole('button', { name: 'Try again' }).click();
    await said(page, 'You said: refused at first').waitFor();
    assert.equal(await message('refused at first').count(), 1);
  }));

test('a tab with messages that wait is reloaded, or closed beside another one: they are sent', () =>
  browse({}, async (browser) => {
    const [one, two] = [await browser.newPage(), await browser.newPage()];
    for (const page of [one, two]) {
      await signIn(page, url, 'demo-alice');
      await buddy(page, 'Echo').click();
    }
    let posts = 0;
    let blocked = true;
    await browser.route('**/v1/messages', (route) => (blocked ? (posts++, route.abort()) : route.continue()));
    await say(one, 'written before the reload');
    await one.locator('.message.out', { hasText: 'written before the reload' }).getByText('Waits to try again').waitFor();
    await two.locator('.message.out', { hasText: 'written before the reload' }).waitFor();
    await two.reload();
    await two.locator('.message.out', { hasText: 'written before the reload' }).waitFor();
    await say(two, 'written after the reload');
    await one.close();
    blocked = false;
    await said(two, 'You said: written after the reload').waitFor();
    assert.deepEqual(await two.locator('.message.in .body', { hasText: 'the reload' }).allTextContents(), [
      'You said: written before the reload',
      'You said: written after the reload',
    ]);
    assert.equal(await two.locator('.message.out', { hasText: 'the reload' }).count(), 2);
    assert.ok(posts > 0 && posts < 30, `${posts} refused requests`);
  }));

test('on a phone: people, a conversation, and back; dark; without motion', () =>
  browse({ viewport: { width: 390, height: 780 }, colorScheme: 'dark', reducedMotion: 'reduce' }, async (browser) => {
    const page = await browser.newPage();
    await signIn(page, url, 'demo-alice');
    await accessible(page, 'phone');
    await buddy(page, 'Echo').click();
    await buddy(page, 'Echo').waitFor({ state: 'hidden' });
    await say(page, 'from a phone');
    await said(page, 'You said: from a phone').waitFor();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page scrolls sideways');
    assert.equal(
      await page
        .locator('.message')
        .last()
        .evaluate((e) => getComputedStyle(e).animationName),
      'none',
    );
    await accessible(page, 'phone conversation');
    await picture(page, 'phone');
    await page.getByRole('button', { name: 'Back to the people' }).click();
    await buddy(page, 'Echo').waitFor();
  }));
