// What the lists of devices, webhooks and push messages have in common: a row with facts and a state.
import { h, set, text } from './dom.js';

const states = { active: 'Active', retrying: 'Retrying', disabled: 'Disabled' };

/** The facts of a row; those without a value are left out. @param {Element} e @param {[string, string][]} facts */
export function drawFacts(e, facts) {
  const rows = facts.filter(([, value]) => value).flatMap(([k, v]) => [h('dt', {}, k), h('dd', {}, v)]);
  e.querySelector('dl')?.replaceChildren(...rows);
}

/** The head of a row: its name, and what is beside it. @param {string} id of the name @param {string} name @param {...import('./dom.js').Child} more */
export const head = (id, name, ...more) => h('div', { class: 'row wrap' }, h('strong', { class: 'name', id }, name), ...more);

/** @param {Element} e @param {keyof typeof states} state */
export function drawReaderState(e, state) {
  const badge = /** @type {Element} */ (e.querySelector('.badge'));
  text(badge, states[state]);
  set(badge, 'data-state', state);
}
