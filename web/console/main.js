// The console: one account, or two side by side (/?split). It uses perch.js and nothing
// else, so every front end can show the same.
import { h, set } from './dom.js';
import { Pane } from './pane.js';
import { returned, signIn } from './signin.js';
import { storage } from './storage.js';

const main = /** @type {HTMLElement} */ (document.getElementById('main'));
const split = new URLSearchParams(location.search).has('split');
const accounts = (document.documentElement.dataset.accounts ?? '').split(' ').filter(Boolean);
const slots = split ? ['left', 'right'] : ['one'];

/** @type {Map<string, Pane>} */
const panes = new Map();

/** Shows one account, or the sign-in when there is none. @param {string} slot @param {HTMLElement} place */
async function show(slot, place) {
  const store = storage(slot);
  const token = store.token() ?? (split ? first(slot) : '');
  if (!token) {
    const enter = (/** @type {string} */ t) => (store.signIn(t), void show(slot, place));
    place.replaceChildren(signIn(slot, accounts, enter));
    return;
  }
  store.signIn(token);
  const pane = new Pane(token, store, () => {
    pane.perch.discardPending();
    pane.close();
    panes.delete(slot);
    store.forget();
    if (split) sessionStorage.setItem(`perch:${slot}:left`, '1');
    void show(slot, place);
  });
  panes.set(slot, pane);
  place.replaceChildren(pane.element);
  pane.open();
  if (split) void meet();
}

/** Side by side, the first two demo accounts are there at once. @param {string} slot */
function first(slot) {
  return sessionStorage.getItem(`perch:${slot}:left`) ? '' : accounts.length > 1 ? `demo-${accounts[slots.indexOf(slot)]}` : '';
}

/** Two accounts side by side open their conversation, unless another one was picked. */
async function meet() {
  const [a, b] = [panes.get('left'), panes.get('right')];
  if (!a || !b) return;
  const [one, two] = await Promise.all([a.known, b.known]);
  a.suggest(two);
  b.suggest(one);
}

const problem = returned((slot, token) => storage(slot).signIn(token));
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
