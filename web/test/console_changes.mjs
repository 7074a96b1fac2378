// What changes under a page that is open: the credential of the session, photos, and what is said of a message. And
// which service a token is of, which a page has to keep.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse, fillToken, resize, signIn } from './browser.mjs';
import { Shown } from '../console/shown.js';
import { until } from './kit.mjs';
import { StandIn, own } from './standin.mjs';

const bob = 'bob@example.net';
const pixel = Buffer.from('R0lGODlhAQABAIAAAP///wAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==', 'base64');

/** A story on a gateway of its own, which tells the first page of services. */
const story = (services, play) => async () => {
  const gateway = new StandIn();
  gateway.services = JSON.stringify(services);
  await gateway.listen();
  try {
    await browse({}, async (browser) => play(gateway, await browser.newPage()));
  } finally {
    await gateway.close();
  }
};

const state = (gateway, of, reason) =>
  gateway.event('session.state', { state: of, reason, retry_at: null, since: new Date().toISOString(), upstream: 'stand-in' });

/** Signs in by a token, has the service refuse the credential, and gives a fresh one: what was sent, and what is kept. */
async function renewed(gateway, page, { token, label, fresh }) {
  await signIn(page, gateway.url, token);
  state(gateway, 'suspended', 'credentials');
  const field = page.getByLabel(label, { exact: true });
  await field.fill(fresh);
  for (const width of [320, 1180]) {
    await resize(page, { width, height: 760 });
    const pixels = await field.evaluate((e) => e.offsetWidth);
    assert.ok(pixels >= 120, `at ${width} the field has ${pixels} pixels, want 120 or more`);
  }
  const put = page.waitForRequest((r) => r.method() === 'PUT' && r.url().endsWith('/v1/session/credentials'));
  await page.getByRole('button', { name: 'Continue' }).click();
  const sent = (await put).postDataJSON();
  await page.getByText('The session continues.').waitFor();
  const kept = await page.evaluate(() => sessionStorage.getItem('perch:one:token'));
  state(gateway, 'online', '');
  await page.getByText('Online', { exact: true }).first().waitFor();
  const asked = page.waitForRequest((r) => r.url().includes('/v1/conversations'));
  await page.reload();
  return { sent, kept, bearer: (await (await asked).allHeaders()).authorization };
}

const byPassword = [{ upstream: 'stand-in', label: 'Office', password: true }];
const byToken = [{ upstream: 'stand-in', label: 'Office' }];

test(
  'a session that was opened with a password takes another password, and its token stays',
  story(byPassword, async (gateway, page) => {
    const got = await renewed(gateway, page, { token: 'perch_minted', label: 'Password', fresh: ' a password ' });
    assert.deepEqual(got, { sent: { password: ' a password ' }, kept: 'perch_minted', bearer: 'Bearer perch_minted' });
  }),
);

test(
  'one that was opened with an access token takes another one, which is its token from then on',
  story(byPassword, async (gateway, page) => {
    const got = await renewed(gateway, page, { token: 'an-access-token', label: 'Fresh token', fresh: 'a-fresh-token' });
    assert.deepEqual(got, { sent: { token: 'a-fresh-token' }, kept: 'a-fresh-token', bearer: 'Bearer a-fresh-token' });
  }),
);

test(
  'a token that the gateway has made is not replaced by an access token',
  story(byToken, async (gateway, page) => {
    const got = await renewed(gateway, page, { token: 'perch_minted', label: 'Fresh token', fresh: 'a-fresh-token' });
    assert.deepEqual(got, { sent: { token: 'a-fresh-token' }, kept: 'perch_minted', bearer: 'Bearer perch_minted' });
  }),
);

test(
  'a photo that is gone gives way to initials, and one that could not be fetched stays',
  story(null, async (gateway, page) => {
    let status = 200;
    await page.route('**/v1/vcards/*/photo*', (r) =>
      status === 200
        ? r.fulfill({ contentType: 'image/gif', body: pixel })
        : r.fulfill({ status, json: { status, code: 'x', title: 'no' } }),
    );
    await signIn(page, gateway.url, 'a-token-of-alice');
    const faces = () =>
      page.locator('.face .avatar, .buddy .avatar').evaluateAll((all) => all.map((e) => (e.firstElementChild ? 'photo' : e.textContent)));
    const become = async (what, want) => {
      for (const jid of [own, bob, 'carol@example.net']) gateway.event('vcard.changed', { jid });
      await until(
        async () => `${what}: got ${await faces()}, want ${want}`,
        async () => (await faces()).join() === want.join(),
        10_000,
      );
    };
    await become('photos', ['photo', 'photo', 'photo']);
    status = 503;
    let failed = 0;
    page.on('response', (r) => (failed += Number(r.status() === 503)));
    await become('photos while they cannot be fetched', ['photo', 'photo', 'photo']);
    await until('three failures', () => failed >= 3);
    await page.evaluate(() => new Promise((done) => setTimeout(done, 100)));
    assert.deepEqual(await faces(), ['photo', 'photo', 'photo'], 'after three failures');
    status = 404;
    await become('photos that are gone', ['A', 'B', 'C']);
    status = 200;
    await become('photos that are there again', ['photo', 'photo', 'photo']);
  }),
);

test(
  'a reaction leaves the text as it was: a spoiler open, a selection selected; an edit does not',
  story(null, async (gateway, page) => {
    const ref = gateway.receive(bob, 'the butler did it', { spoiler: { hint: 'the end' } });
    await signIn(page, gateway.url, 'a-token-of-alice');
    await page.locator(`.talk[data-jid="${bob}"]`).click();
    await page.locator('.message summary').click();
    await page.locator('.message details span').evaluate((e) => getSelection().selectAllChildren(e));
    gateway.react(ref, bob, ['🎉']);
    await page.locator('.message .reaction').waitFor();
    assert.equal(await page.locator('.message details').evaluate((e) => e.open), true, 'the spoiler is closed again');
    assert.equal(await page.evaluate(() => String(getSelection())), 'the butler did it');
    gateway.edit(ref, 'the gardener did it');
    await page.locator('.message details span', { hasText: 'the gardener did it' }).waitFor({ state: 'attached' });
  }),
);

const several = [
  { upstream: 'office', label: 'Office' },
  { upstream: 'home.net', label: 'Home', sign_in: '/consent' },
];

test(
  'a token is of the service that was chosen, by hand or on its page, also after a reload',
  story(several, async (gateway, page) => {
    const named = [];
    page.on('request', (r) => {
      const url = new URL(r.url());
      if (url.pathname.startsWith('/v1/')) named.push(`${url.pathname} ${url.searchParams.get('upstream')}`);
    });
    const allOf = async (want) => {
      await page.getByText('Online', { exact: true }).first().waitFor();
      await until('the stream', () => named.includes(`/v1/events ${want}`));
      assert.deepEqual(
        named.filter((n) => !n.endsWith(` ${want}`)),
        [],
      );
      named.length = 0;
    };
    await page.goto(gateway.url);
    await fillToken(page, 'a-token-of-alice');
    await page.getByLabel('Service of the token').selectOption('home.net');
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await allOf('home.net');
    await page.reload();
    await allOf('home.net');
    await page.getByRole('button', { name: 'Online' }).click();
    await page.getByRole('button', { name: 'Leave (stay online)' }).click();
    await page.route('**/consent?*', (r) => {
      const query = new URL(r.request().url()).searchParams;
      const answer = new URLSearchParams({ access_token: 'of-the-page', state: query.get('state') });
      return r.fulfill({ status: 302, headers: { Location: `${query.get('redirect_uri')}#${answer}` } });
    });
    await page.getByRole('button', { name: /own page/ }).waitFor();
    named.length = 0;
    await page.getByRole('button', { name: /own page/ }).click();
    await allOf('home.net');
    await page.reload();
    await allOf('home.net');
  }),
);

test('which messages have elements is asked without changing it', () => {
  const all = Array.from({ length: 500 }, (_, i) => ({ key: `m${i}` }));
  globalThis.innerHeight = 760;
  const shown = new Shown();
  shown.around(all, 'm100');
  const before = shown.range(all);
  assert.deepEqual(shown.range([]), { from: 0, to: 0 }, 'while there are none');
  assert.equal(shown.follows([]), true, 'while there are none');
  assert.deepEqual(shown.range(all), before, 'when they are there again');
  assert.equal(shown.follows(all), false, 'when they are there again');
});
