// What the stories of docs/examples/chat-app share.
export const site = process.env.PERCH_SITE;

/** Opens the application, at an address, and signs in by a token. */
export async function open(browser, token, at = site) {
  const page = await browser.newPage();
  await page.addInitScript(() => (window.renders = {}));
  await page.goto(at);
  await page.getByText('With a token').click();
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  await page.getByRole('navigation', { name: 'Chats' }).waitFor();
  return page;
}

/** The row of a chat. */
export const row = (page, name) => page.getByRole('navigation').getByRole('button', { name }).first();

/** A message in the chat that is open. */
export const said = (page, text) => page.getByRole('log').getByRole('listitem').filter({ hasText: text }).first();

export async function say(page, text) {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.getByLabel('Message', { exact: true }).press('Enter');
}

/** What was rendered while f ran, by name. */
export async function rendered(page, f) {
  await page.evaluate(() => (window.renders = {}));
  await f();
  return page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(window.renders)))));
}
