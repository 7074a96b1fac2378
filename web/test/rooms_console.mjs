// Rooms in the console: made, joined and left by pointer and by keyboard, on a real server, with foreign
// clients as the others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Perch } from '../perch.js';
import { accessible, browse, choose, fillToken, message, pictures, resize, said, say, talk } from './browser.mjs';
import { stage, until, url } from './kit.mjs';
import { Foreign } from './rooms_foreign.mjs';

const { alice, bob, carol } = JSON.parse(process.env.PERCH_ACCOUNTS);
const service = process.env.PERCH_ROOMS;
const [bo, cy] = [new Foreign('bob', bob.jid), new Foreign('carol', carol.jid)];
const run = Date.now().toString(36);

/** The console of Alice. */
async function open(browser) {
  const { token } = await Perch.signIn(alice, { url });
  const page = await browser.newPage();
  await page.goto(url);
  await fillToken(page, token);
  await page.keyboard.press('Enter');
  await page.getByText('Online', { exact: true }).first().waitFor();
  return page;
}
const dialog = (page) => page.getByRole('dialog');
const here = (page, nick) => page.locator(`.here li[data-nick="${nick}"]`);
/** What waits until it is opened. */
const gate = () => {
  let release;
  const passed = new Promise((done) => (release = done));
  return { passed, open: release };
};
const handled = (page, text) => message(page, text).locator('.acts').waitFor({ state: 'attached' });

test('a room is made; others come, speak, and are seen; a moderator removes a message and a person', () =>
  browse({}, async (browser) => {
    const page = await open(browser);
    const room = `garden-${run}@${service}`;
    await page.getByRole('button', { name: 'Join or make a room' }).click();
    await dialog(page).getByText('No public rooms here.').waitFor();
    await dialog(page).getByText('Make a room').click();
    await dialog(page).getByLabel('Name').fill(`Garden ${run}`);
    await until('its service', async () => (await dialog(page).getByLabel('Service').inputValue()) === service);
    await accessible(page, 'make a room');
    await pictures(page, 'room-make');
    await dialog(page).getByRole('button', { name: 'Make', exact: true }).click();
    await page.getByRole('heading', { name: `Garden ${run}` }).waitFor();
    await talk(page, `Garden ${run}`).waitFor();

    await bo.join(room, 'Bo');
    await cy.join(room, 'Cy');
    await page
      .getByText(/^3 here/)
      .first()
      .waitFor();
    await say(page, 'Who has seen the cat?');
    await bo.say(room, 'Which one?');
    await cy.say(room, 'The one with the grin.');
    await message(page, 'Which one?').locator('.from').getByText('Bo').waitFor();
    await bo.writes(room);
    await page.getByText('Bo is writing…').first().waitFor();
    await cy.say(room, 'Buy hedgehogs!');
    await said(page, 'Buy hedgehogs!').waitFor();
    await accessible(page, 'room');
    await pictures(page, 'room');

    await handled(page, 'Buy hedgehogs!');
    await message(page, 'Buy hedgehogs!').hover();
    await message(page, 'Buy hedgehogs!')
      .getByRole('button', { name: /^Actions/ })
      .click();
    await page.getByRole('toolbar').getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByRole('toolbar').getByRole('button', { name: 'Remove for all?' }).click();
    await said(page, 'Removed by a moderator').waitFor();
    await page.getByRole('button', { name: 'People here' }).click();
    await here(page, 'Cy').waitFor();
    await here(page, 'Cy').locator('summary').click();
    await here(page, 'Cy').getByText(carol.jid).waitFor(); // owners see real addresses
    await accessible(page, 'people here');
    await pictures(page, 'room-people');
    const size = page.viewportSize();
    for (const width of [320, 768]) {
      await resize(page, { width, height: 720 });
      const [own, cut] = await page.evaluate(() => [
        document.querySelector('.own select').offsetWidth,
        [...document.querySelectorAll('.people-here .name')].filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.textContent),
      ]);
      const wide = width > 500; // a phone has room for the conversation alone: console_states.mjs looks at its list
      assert.ok((wide ? own >= 80 : own === 0) && !cut.length, `at ${width} the own presence has ${own} pixels, and ${cut} is cut`);
    }
    await resize(page, size);
    await here(page, 'Cy').getByRole('button', { name: 'Remove', exact: true }).click();
    await here(page, 'Cy').getByRole('button', { name: 'Remove Cy?' }).click();
    await here(page, 'Cy').waitFor({ state: 'detached' });
    await bo.leave(room, 'Bo');
    await here(page, 'Bo').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'People here' }).click();
    await page.reload();
    await message(page, 'The one with the grin.').waitFor();
    await message(page, 'The one with the grin.').locator('.from').getByText('Cy').waitFor();
  }));

test('a room that is slow, a list that cannot be read, and a room that has moved', () =>
  browse({}, async (browser) => {
    const { token } = await Perch.signIn(alice, { url });
    const perch = new Perch({ url, token, storage: null });
    const [slow, quick, next] = ['slow', 'quick', 'next'].map((name) => `${name}-${run}@${service}`);
    for (const [room, nick] of [
      [slow, 'Bo'],
      [quick, 'Cy'],
      [next, 'Cy'],
    ]) {
      const who = nick === 'Bo' ? bo : cy;
      await who.join(room, nick);
      await who.open(room);
      if (room !== next) await perch.joinRoom(room, { nick: 'Alice' });
    }
    const page = await open(browser);
    const people = page.getByRole('button', { name: 'People here' });
    const archive = (room) => (u) => u.pathname === '/v1/archive' && u.searchParams.get('with') === room;
    const part = (room, name) => (u) => u.pathname === `/v1/rooms/${encodeURIComponent(room)}/${name}`;
    const [first, second] = [gate(), gate()];
    for (const of of [archive(slow), part(slow, 'occupants')]) await page.route(of, async (r) => (await first.passed, r.continue()));
    await talk(page, 'slow').click();
    await people.click();
    const read = page.waitForRequest((r) => archive(quick)(new URL(r.url())));
    await talk(page, 'quick').click();
    await read;
    await people.click();
    await here(page, 'Cy').waitFor();
    first.open();

    let asked = 0;
    await page.route(
      part(quick, 'occupants'),
      (r) => ((asked += 1), r.fulfill({ status: 503, json: { status: 503, code: 'x', title: 'Not now' } })),
    );
    await stage('cut');
    await page.getByText('Not now').first().waitFor();
    await cy.say(quick, 'Still here');
    await said(page, 'Still here').waitFor(); // and the list was drawn with it, once more
    assert.equal(asked, 1, 'a list that cannot be read is read again and again');

    const admin = "<query xmlns='http://jabber.org/protocol/muc#admin'>";
    await cy.raw(`<iq type='set' to='${quick}' id='o7'>${admin}<item jid='${alice.jid}' affiliation='admin'/></query></iq>`);
    await page.route(part(quick, 'members'), (r) =>
      /owner/.test(r.request().url())
        ? r.fulfill({ status: 403, json: { status: 403, code: 'forbidden', title: 'For owners' } })
        : r.continue(),
    );
    await until('the own rights', async () => {
      await choose(page, 'Room');
      if (await dialog(page).getByText('Members', { exact: true }).count()) return true;
      await dialog(page).getByRole('button', { name: 'Close' }).click();
      return false;
    });
    await dialog(page).getByText('Members', { exact: true }).click();
    await dialog(page).getByLabel('Which list').selectOption('owner');
    await page.getByText('For owners').waitFor();
    await dialog(page).getByRole('button', { name: 'Close' }).click();

    const destroy = `<destroy jid='${next}'/>`;
    await cy.raw(`<iq type='set' to='${quick}' id='o6'><query xmlns='http://jabber.org/protocol/muc#owner'>${destroy}</query></iq>`);
    const joined = new Promise((done) =>
      page.route(`**/v1/rooms/${encodeURIComponent(next)}?*`, async (r) => (await second.passed, await r.continue(), done())),
    );
    await page.getByRole('button', { name: 'Go to its successor' }).click();
    await talk(page, 'slow').click();
    second.open();
    await joined;
    await page.getByRole('heading', { name: /^next/ }).waitFor();
  }));

test('by keyboard: found in the directory, joined, its subject set, left and forgotten', () =>
  browse({ viewport: { width: 390, height: 780 }, colorScheme: 'dark' }, async (browser) => {
    const room = `pond-${run}@${service}`;
    await bo.join(room, 'Bo');
    await bo.open(room);
    const page = await open(browser);
    const { keyboard } = page;
    await page.getByRole('button', { name: 'Join or make a room' }).press('Enter');
    await page.getByRole('dialog').getByLabel('Find a room').waitFor();
    await page.getByLabel('Find a room').focus();
    await keyboard.type(`pond-${run}`);
    await keyboard.press('Enter');
    const join = dialog(page).getByRole('button', { name: new RegExp(`^Join pond-${run}`) });
    await until(
      async () => `the room: ${await dialog(page).innerText()}`,
      () => join.isVisible(),
    );
    await accessible(page, 'directory');
    await join.press('Enter');
    await dialog(page).waitFor({ state: 'detached' });
    await page
      .getByText(/^2 here/)
      .first()
      .waitFor();
    await page.getByLabel('Message', { exact: true }).focus();
    await keyboard.type('What a pond!');
    await keyboard.press('Enter');
    await message(page, 'What a pond!').waitFor();
    await choose(page, 'Room');
    assert.equal(await dialog(page).getByLabel('Subject').count(), 0, 'a participant sets no subject');
    assert.equal(await dialog(page).getByText('Destroy').count(), 0);
    await accessible(page, 'room settings');
    await pictures(page, 'room-settings');
    await dialog(page).getByRole('button', { name: 'Leave', exact: true }).press('Enter');
    await dialog(page).waitFor({ state: 'detached' });
    await page.getByText('You are not in this room.').waitFor();
    assert.equal(await page.getByLabel('Message', { exact: true }).isDisabled(), true);
    await accessible(page, 'left');
    await pictures(page, 'room-left');
    await page.getByRole('button', { name: 'Join', exact: true }).press('Enter');
    await page
      .getByText(/^2 here/)
      .first()
      .waitFor();
    await choose(page, 'Room');
    await dialog(page).getByRole('button', { name: 'Forget' }).press('Enter');
    await dialog(page).getByRole('button', { name: 'Leave and forget it?' }).press('Enter');
    await dialog(page).waitFor({ state: 'detached' });
  }));

test('invitations are accepted and declined; an owner has subject, members and settings; who is banned sees why', () =>
  browse({}, async (browser) => {
    const page = await open(browser);
    const [one, two] = ['hall', 'cellar'].map((name) => `${name}-${run}@${service}`);
    for (const room of [one, two]) {
      await cy.join(room, 'Cy');
      await cy.open(room);
      await cy.invite(room, alice.jid, 'there is <b>cake</b>');
    }
    const invitation = (room) => page.locator(`.invitation[data-jid="${room}"]`);
    await invitation(one).getByText('there is <b>cake</b>').waitFor();
    await accessible(page, 'invited');
    await pictures(page, 'room-invited');
    await invitation(two).getByRole('button', { name: 'Decline' }).click();
    await invitation(two).waitFor({ state: 'detached' });
    await invitation(one).getByRole('button', { name: 'Join', exact: true }).click();
    await invitation(one).waitFor({ state: 'detached' });
    await page
      .getByText(/^2 here/)
      .first()
      .waitFor();
    const admin = "<query xmlns='http://jabber.org/protocol/muc#admin'>";
    await cy.raw(`<iq type='set' to='${one}' id='o9'>${admin}<item jid='${alice.jid}' affiliation='owner'/></query></iq>`);
    await page.getByRole('button', { name: 'People here' }).click();
    await here(page, 'Cy').getByText('owner').waitFor();
    await until('the own rights', async () => {
      await choose(page, 'Room');
      if (await dialog(page).getByLabel('Subject').count()) return true;
      await dialog(page).getByRole('button', { name: 'Close' }).click();
      return false;
    });
    await dialog(page).getByLabel('Subject').fill('Cake & tea');
    await dialog(page).getByRole('button', { name: 'Set subject' }).click();
    await page.getByText('The subject is on its way.').waitFor();
    await dialog(page).getByText('Members', { exact: true }).click();
    await dialog(page).getByLabel('Which list').selectOption('owner');
    await dialog(page).locator('li', { hasText: carol.jid }).waitFor();
    await dialog(page).getByLabel('Which list').selectOption('outcast');
    await dialog(page).getByLabel('Account to add (JID)').fill(bob.jid);
    await dialog(page).getByRole('button', { name: 'Add' }).click();
    await dialog(page).locator('li', { hasText: bob.jid }).waitFor();
    await dialog(page).getByText('Settings', { exact: true }).click();
    await dialog(page).getByLabel('Name').fill('The hall');
    await accessible(page, 'settings of an owner');
    await pictures(page, 'room-owner');
    await dialog(page).getByRole('button', { name: 'Save' }).click();
    await page.getByText('The room has it.').waitFor();
    await dialog(page).getByRole('button', { name: 'Close' }).click();
    await page.getByRole('heading', { name: 'The hall' }).waitFor();
    await page
      .getByText(/Cake & tea/)
      .first()
      .waitFor();
    await cy.raw(
      `<iq type='set' to='${one}' id='o8'>${admin}<item jid='${alice.jid}' affiliation='outcast'><reason>crumbs</reason></item></query></iq>`,
    );
    await page
      .getByText(/You are banned.*“crumbs”/)
      .first()
      .waitFor();
    assert.equal(await page.getByRole('button', { name: 'Join', exact: true }).isVisible(), false);
    await talk(page, 'The hall')
      .getByText(/You are banned/)
      .waitFor();
    await accessible(page, 'banned');
    await pictures(page, 'room-banned');
  }));
