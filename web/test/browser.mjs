// A real, headless Chromium with everything that would talk to others switched off.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const axe = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Runs a story in a browser of its own. Afterwards nothing of the page's policy may have
 * been violated, nothing may have failed in it, and nothing may have left the host. */
export async function browse(options, story) {
  const profile = mkdtempSync(join(tmpdir(), 'perch-chromium-'));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM,
    headless: true,
    args: flags,
    viewport: { width: 1180, height: 760 },
    ...options,
  });
  const faults = [];
  const requests = [];
  await browser.addInitScript(axe);
  await browser.exposeFunction('reportViolation', (v) => faults.push(`CSP: ${v}`));
  await browser.addInitScript(() =>
    addEventListener('securitypolicyviolation', (e) => window.reportViolation(`${e.violatedDirective} ${e.blockedURI}`)),
  );
  browser.on('page', (page) => {
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (e) => faults.push(`error: ${e.message}`));
    page.on('console', (m) => /Content Security Policy|Trusted/i.test(m.text()) && faults.push(`console: ${m.text()}`));
    page.on('request', (r) => requests.push(r.url()));
  });
  try {
    await story(browser, requests);
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  }
  assert.deepEqual(faults, [], 'the policy was violated, or a script failed');
}

/** Opens the console and signs in by a token. */
export async function signIn(page, base, token) {
  await page.goto(base);
  await fillToken(page, token);
  await page.keyboard.press('Enter');
  await page.getByText('Online', { exact: true }).first().waitFor();
}

/** Writes a token into the form, which is folded away where passwords are wanted. */
export async function fillToken(page, token) {
  const folded = page.getByText('With a token', { exact: true }).and(page.locator('summary'));
  await page.locator('.signin').waitFor();
  if (await folded.count()) await folded.click();
  await page.getByLabel('Bearer token').fill(token);
}

/** Chooses from the menu of the conversation that is open. */
export async function choose(scope, what) {
  await scope.getByRole('button', { name: 'More', exact: true }).click();
  await scope.getByRole('menuitem', { name: what, exact: true }).click();
}

/** Whether the menu of the conversation that is open has something. */
export async function offers(page, what) {
  await page.getByRole('button', { name: 'More', exact: true }).click();
  const items = await page.getByRole('menu', { name: 'More' }).getByRole('menuitem').allTextContents();
  await page.keyboard.press('Escape');
  return items.includes(what);
}

export const buddy = (scope, name) =>
  scope
    .getByRole('navigation', { name: 'People' })
    .getByRole('button', { name: new RegExp(`^${name}`) })
    .first();

export async function say(scope, text) {
  await scope.getByLabel('Message', { exact: true }).fill(text);
  await scope.getByLabel('Message', { exact: true }).press('Enter');
}

/** What was said in the conversation that is open; the list of conversations has the last of it too. */
export const said = (scope, text) => scope.getByRole('log').getByText(text);

/** A conversation in the list, by the beginning of its name. */
export const talk = (page, name) => page.getByRole('region', { name: 'Chats' }).getByRole('button', { name: new RegExp(`^${name}`) });

/** A message of the conversation that is open. */
export const message = (page, text) => page.locator('.message', { hasText: text });

/** Chooses from the actions of a message, by pointer. */
export async function acts(page, text, what) {
  await message(page, text).hover();
  await message(page, text)
    .getByRole('button', { name: /^Actions/ })
    .click();
  await page
    .getByRole('toolbar', { name: /^Actions/ })
    .getByRole('button', { name: what, exact: true })
    .click();
}

/** No finding of axe-core that is serious or worse. */
export async function accessible(page, what) {
  await still(page);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  const bad = violations.filter((v) => v.impact === 'serious' || v.impact === 'critical');
  assert.deepEqual(
    bad.map((v) => `${what}: ${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')}`),
    [],
  );
}

/** Waits for the end of what moves: half a fade has no colour of its own. What is folded away stands still, and
 * never ends. */
const still = (page) =>
  page.evaluate(async () => {
    const seen = document.getAnimations().filter((a) => a.effect.target.checkVisibility());
    await Promise.allSettled(seen.map((a) => a.finished));
  });

/** A screenshot, if PERCH_PICTURES names a folder. */
export async function picture(page, name) {
  if (!process.env.PERCH_PICTURES) return;
  await still(page);
  await page.screenshot({ path: join(process.env.PERCH_PICTURES, `${name}.png`) });
}

/** Gives the page another size, and waits until it is laid out: what scripts do with a size, they do in the frame
 * after it. */
export async function resize(page, size) {
  await page.setViewportSize(size);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

/** Pictures of one moment in every width and both colour schemes; nothing scrolls sideways. */
export async function pictures(page, name) {
  const before = page.viewportSize();
  for (const width of [320, 390, 768, 1280]) {
    await resize(page, { width, height: 720 });
    assert.ok(
      await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
      `${name}: the page scrolls sideways at ${width}`,
    );
    if (!process.env.PERCH_PICTURES) continue;
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await picture(page, `${name}-${width}-${colorScheme}`);
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await resize(page, before);
}
