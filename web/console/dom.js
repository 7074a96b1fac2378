// The only place where elements are made. Text becomes text nodes, never markup.
import { explain } from './explain.js';

/** @typedef {Node | string | null | false | undefined} Child */

/**
 * Makes an element: on... are listeners, class and other words attributes; true is an
 * attribute without value, false and null leave it out.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {Record<string, any>} [props] @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, props = {}, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(props)) {
    if (k.startsWith('on')) e.addEventListener(k.slice(2), v);
    else set(e, k, v);
  }
  e.append(
    ...children
      .flat()
      .filter((c) => c !== null && c !== false && c !== undefined)
      .map((c) => /** @type {Node | string} */ (c)),
  );
  return e;
}

/** A state of WAI-ARIA is "true" or "false" (6.3): without a value it counts as false, and without the attribute as
 * no state at all. @param {Element} e @param {string} name @param {unknown} value */
export function set(e, name, value) {
  const plain = typeof value === 'boolean' && !name.startsWith('aria-');
  if (value === null || value === undefined || (plain && !value)) return e.removeAttribute(name);
  const said = plain ? '' : String(value);
  if (e.getAttribute(name) !== said) e.setAttribute(name, said);
}

/** Changes the text only when it is another one, so that nothing is read out twice.
 * @param {Element} e @param {string} t */
export function text(e, t) {
  if (e.textContent !== t) e.textContent = t;
}

/** @type {WeakMap<Element, Map<string, Element>>} */
const kept = new WeakMap();

/**
 * Makes the children of parent those of a list, in its order. An element lives as long as
 * its key is in the list, so focus, scroll and selection stay where they are.
 * @template T
 * @param {Element} parent @param {Iterable<T>} items @param {(item: T) => string} key
 * @param {(item: T) => Element} make @param {(e: any, item: T) => void} update
 */
export function sync(parent, items, key, make, update) {
  const old = kept.get(parent) ?? new Map();
  const now = new Map();
  const all = Array.from(items);
  for (const item of all) now.set(key(item), old.get(key(item)) ?? make(item));
  // Those that are gone go first: whatever stood before one that stays would have it moved, which makes it anew.
  for (const [k, e] of old) if (!now.has(k)) e.remove();
  /** @type {Element | null} */ let at = parent.firstElementChild;
  for (const item of all) {
    const e = now.get(key(item));
    update(e, item);
    if (e === at) at = e.nextElementSibling;
    else parent.insertBefore(e, at);
  }
  kept.set(parent, now);
}

/** Calls f soon, once, however often it is asked for. @param {() => void} f @param {number} [ms] */
export function soon(f, ms = 16) {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    setTimeout(() => ((due = false), f()), ms);
  };
}

/** Where short messages are: what is outside of a modal dialog is neither seen in front of it nor read out. They
 * have a place of their own, so they cover nothing. @param {Element | undefined} dialog */
function notes(dialog) {
  if (!dialog) return document.getElementById('notes');
  const there = dialog.querySelector('.notes');
  if (there) return there;
  const made = h('div', { class: 'notes', role: 'status', 'aria-live': 'polite' });
  const head = dialog.querySelector('header');
  if (head) head.after(made);
  else dialog.prepend(made);
  return made;
}

/** Shows a short message for some seconds. @param {string} message @param {'info' | 'bad'} [kind] */
export function note(message, kind = 'info') {
  const away = h('button', { type: 'button', class: 'link', 'aria-label': 'Dismiss', onclick: () => e.remove() }, '✕');
  const e = h('p', { class: `note ${kind}` }, h('span', { dir: 'auto' }, message), away);
  const place = notes([...document.querySelectorAll('dialog[open]')].at(-1));
  const show = () => (place?.append(e), e.scrollIntoView({ block: 'nearest' }));
  setTimeout(show, 20); // what comes into a place that was there before is read out
  setTimeout(() => e.remove(), kind === 'bad' ? 9000 : 4000);
}

/** Runs an action and shows its failure. Resolves with whether it succeeded. @param {() => Promise<unknown>} f */
export async function attempt(f) {
  try {
    await f();
    return true;
  } catch (e) {
    note(explain(e), 'bad');
    return false;
  }
}

/** Shows a part of the console that is loaded when it is asked for, as on most pages it never is.
 * @template T @param {() => Promise<T>} load @param {(module: T) => unknown} show */
export function part(load, show) {
  const loaded = async () => {
    try {
      return await load();
    } catch (cause) {
      throw new Error('This part of the console could not be loaded: reload the page.', { cause });
    }
  };
  return () => attempt(async () => show(await loaded()));
}

/** A button that asks once more, in place. @param {string} label @param {string} question @param {() => unknown} f @param {Record<string, any>} [props] */
export function sure(label, question, f, props = {}) {
  const ask = () => {
    if (button.dataset.sure) return f();
    button.dataset.sure = 'true';
    button.className = 'danger';
    button.textContent = question;
  };
  const button = h('button', { type: 'button', class: 'quiet', ...props, onclick: ask }, label);
  return button;
}

/** A field with its label. @param {string} id @param {string} label @param {HTMLElement} input */
export function field(id, label, input) {
  set(input, 'id', id);
  return h('div', { class: 'field' }, h('label', { for: id }, label), input);
}
