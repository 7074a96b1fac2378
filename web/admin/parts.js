// What the sections have in common.
import { attempt, h, set, sure, sync, text } from '../console/dom.js';

/** How long ago something was. @param {string | null | undefined} at */
export function age(at) {
  if (!at) return '–';
  const s = Math.max(0, Math.round((Date.now() - Date.parse(at)) / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 172_800) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
  return `${Math.floor(s / 86_400)} days`;
}

/** A state with its colour. */
export const stateOf = () => h('span', { class: 'state' }, h('span', { class: 'dot' }), h('span', {}));

/** @param {Element} e @param {string} state */
export function showState(e, state) {
  set(e, 'data-state', state);
  if (e.lastElementChild) text(e.lastElementChild, state);
}

/** Facts, each with its name. @param {HTMLElement} dl @param {[string, string][]} list */
export function facts(dl, list) {
  sync(
    dl,
    list.flatMap(([name, value], i) => [
      { key: `${i} ${name}`, tag: 'dt', value: name },
      { key: `${i} ${name} is`, tag: 'dd', value },
    ]),
    (x) => x.key,
    (x) => h(/** @type {'dt' | 'dd'} */ (x.tag)),
    (e, x) => text(e, x.value),
  );
}

/** What operators call something, as key=value. @param {Record<string, string> | undefined} labels */
export const labelled = (labels) =>
  Object.entries(labels ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join(', ') || '–';

/** A button that does something that must be meant: it asks once more, in place, and forgets that
 * it has asked. @param {string} label @param {string} question @param {() => Promise<unknown>} f */
export function meant(label, question, f) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */ let timer;
  const calm = () => {
    clearTimeout(timer);
    delete button.dataset.sure;
    button.className = 'quiet';
    text(button, label);
  };
  const button = sure(label, question, async () => {
    calm();
    button.disabled = true;
    await attempt(f);
    button.disabled = false;
  });
  button.addEventListener('click', () => {
    if (button.dataset.sure) timer = setTimeout(calm, 5000); // it has asked just now
  });
  return button;
}

/** What is missing in a list. @param {{ node: string, detail: string }[]} lost */
export const missing = (lost) => lost.map((n) => `${n.node} is missing: ${n.detail}`).join(' ');
