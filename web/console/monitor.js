// The event monitor: the frames as they come, and every REST call as a curl command.
import { copy } from './curl.js';
import { h, set, text } from './dom.js';
import { second, showTime } from './times.js';

/** How many lines are kept. */
const most = 300;

export class Monitor {
  #pane;
  #paused = false;
  /** @type {Map<string, number>} */ #counts = new Map();
  /** @type {Set<string>} */ #hidden = new Set();

  /** @param {import('./pane.js').Pane} pane */
  constructor(pane) {
    this.#pane = pane;
    this.list = h('ol', { class: 'frames', tabindex: 0, 'aria-label': 'Frames, newest first' });
    this.types = h('div', { class: 'types', role: 'group', 'aria-label': 'Types to show' });
    const pause = h(
      'button',
      { class: 'quiet', 'aria-pressed': 'false', onclick: () => set(pause, 'aria-pressed', String((this.#paused = !this.#paused))) },
      'Pause',
    );
    const clear = h('button', { class: 'quiet', onclick: () => this.list.replaceChildren() }, 'Clear');
    this.element = h(
      'section',
      { class: 'monitor', id: `${pane.id}-monitor`, 'aria-label': 'Event monitor', hidden: true },
      h('header', {}, h('h2', {}, 'Events'), pause, clear),
      this.types,
      this.list,
    );
    pane.perch.on('*', (f) => this.#add(f.type, f.time, f.id ?? '', f));
    pane.perch.on('error', (f) => this.#add('error', f.time, '', f));
    pane.perch.on('request', (c) => this.#add('REST', new Date().toISOString(), `${c.method} ${c.path} ${c.status}`, c.body, c));
  }

  /** @param {boolean} on */
  show(on) {
    this.element.hidden = !on;
  }

  /** @param {string} type @param {string} time @param {string} id @param {unknown} value @param {import('./curl.js').Call} [call] */
  #add(type, time, id, value, call) {
    this.#count(type);
    if (this.#paused) return;
    const when = h('time', {});
    showTime(when, time, second);
    const line = h('summary', {}, when, h('b', { class: `t-${type.split('.')[0]}` }, type), h('span', { class: 'mono' }, id));
    const entry = h(
      'li',
      { 'data-type': type, hidden: this.#hidden.has(type) },
      h('details', { ontoggle: (/** @type {Event} */ e) => this.#unfold(/** @type {HTMLDetailsElement} */ (e.target), value, call) }, line),
    );
    this.list.prepend(entry);
    while (this.list.childElementCount > most) this.list.lastElementChild?.remove();
  }

  /** What a frame says is made when it is unfolded. @param {HTMLDetailsElement} e @param {unknown} value @param {import('./curl.js').Call} [call] */
  #unfold(e, value, call) {
    if (!e.open || e.childElementCount > 1) return;
    e.append(h('pre', { tabindex: 0 }, value === undefined ? 'no body' : JSON.stringify(value, null, 2)));
    if (call) e.append(h('button', { class: 'link', onclick: () => copy(call, this.#pane.token) }, 'Copy as curl'));
  }

  /** @param {string} type */
  #count(type) {
    const n = (this.#counts.get(type) ?? 0) + 1;
    this.#counts.set(type, n);
    const known = [...this.types.children].find((e) => e.getAttribute('data-type') === type);
    const label = `${type} ${n}`;
    if (known) return text(known, label);
    const button = h(
      'button',
      { class: 'filter', 'data-type': type, 'aria-pressed': 'true', onclick: () => this.#filter(button, type) },
      label,
    );
    this.types.append(button);
  }

  /** @param {Element} button @param {string} type */
  #filter(button, type) {
    const show = this.#hidden.delete(type);
    if (!show) this.#hidden.add(type);
    set(button, 'aria-pressed', String(show));
    for (const e of this.list.children) if (e.getAttribute('data-type') === type) set(e, 'hidden', !show);
  }
}
