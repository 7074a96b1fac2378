// The console: one account, or two side by side (/?split). It uses perch.js and nothing
// else, so every front end can show the same.
import { h, note, set } from './dom.js';
import { accounts } from './services.js';
import { returned, signIn } from './signin.js';
import { storage } from './storage.js';

const main = /** @type {HTMLElement} */ (document.getElementById('main'));
const split = new URLSearchParams(location.search).has('split');
const slots = split ? ['left', 'right'] : ['one'];

/** What shows an account is not needed to sign in. */
const account = () => import('./pane.js');
/** What it needs, and the browser would know of only after several answers. */
const needed = ['/perch.js', '/perch/outbox.js'];

/** @type {Map<string, import('./pane.js').Pane>} */
const panes = new Map();

/** Shows one account, or the sign-in when there is none. @param {string} slot @param {HTMLElement} place */
async function show(slot, place) {
  const store = storage(slot);
  const token = store.token() ?? (split ? first(slot) : '');
  if (!token) {
    /** @param {string} t @param {string} [upstream] */
    const enter = (t, upstream = '') => (store.signIn(t, upstream), void show(slot, place).then(() => head(place)));
    place.replaceChildren(signIn(slot, enter));
    return;
  }
  store.signIn(token, store.upstream());
  document.head.append(...needed.splice(0).map((href) => h('link', { rel: 'modulepreload', href })));
  try {
    const { Pane } = await account();
    open(new Pane(token, store, () => leave(slot, place)), slot, place);
  } catch {
    note('The console could not be loaded: reload the page.', 'bad');
  }
}

/** @param {import('./pane.js').Pane} pane @param {string} slot @param {HTMLElement} place */
function open(pane, slot, place) {
  panes.set(slot, pane);
  place.replaceChildren(pane.element);
  pane.open();
  if (split) void meet();
}

/** Another page is there: what is at its head has the focus, for those who do not see it. @param {HTMLElement} place */
const head = (place) => place.querySelector('h1')?.focus();

/** Back to the sign-in. @param {string} slot @param {HTMLElement} place */
function leave(slot, place) {
  const pane = panes.get(slot);
  pane?.perch.discardPending();
  pane?.close();
  panes.delete(slot);
  storage(slot).forget();
  if (split) sessionStorage.setItem(`perch:${slot}:left`, '1');
  void show(slot, place).then(() => head(place));
}

/** Side by side, the first two published accounts are there at once. @param {string} slot */
function first(slot) {
  return sessionStorage.getItem(`perch:${slot}:left`) || accounts.length < 2 ? '' : (accounts[slots.indexOf(slot)]?.token ?? '');
}

/** Two accounts side by side open their conversation, unless another one was picked. */
async function meet() {
  const [a, b] = [panes.get('left'), panes.get('right')];
  if (!a || !b) return;
  const [one, two] = await Promise.all([a.known, b.known]);
  a.suggest(two);
  b.suggest(one);
}

const problem = returned((slot, ...of) => storage(slot).signIn(...of));
document.body.classList.toggle('split', split);
for (const a of document.querySelectorAll('[data-page]'))
  set(a, 'aria-current', a.getAttribute('data-page') === (split ? 'split' : 'one') ? 'page' : null);
main.replaceChildren();
if (problem) main.append(h('p', { class: 'banner bad', role: 'alert' }, problem));
for (const slot of slots) {
  const place = h('div', { class: 'place' });
  main.append(place);
  void show(slot, place);
}
// Whoever reads the first page will want the rest: it is on its way when they have signed in.
requestAnimationFrame(() => setTimeout(() => void account().catch(() => {}))); // show says so
