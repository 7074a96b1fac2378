// A menu behind a button (WAI-ARIA, menu button): arrow keys, the first letter, Escape, and the focus comes back.
import { attempt, h, set } from './dom.js';

/** @typedef {{ label: string, run: () => unknown, danger?: boolean }} Item */
/** @typedef {{ heading?: string, items: Item[] }} Group */

/** Between a menu and its button, and the edges of the page, in pixels. */
const gap = 6;

export class Menu {
  #groups;

  /** @param {string} id @param {string} label what it is for @param {string} shown what the button shows @param {() => Group[] | Promise<Group[]>} groups asked for whenever it opens */
  constructor(id, label, shown, groups) {
    this.#groups = groups;
    this.list = h('div', {
      class: 'menu',
      id,
      role: 'menu',
      popover: 'auto',
      'aria-label': label,
      ontoggle: (/** @type {ToggleEvent} */ e) => this.#toggled(e.newState === 'open'),
      onkeydown: (/** @type {KeyboardEvent} */ e) => this.#key(e),
    });
    this.button = h('button', { type: 'button', class: 'quiet more', 'aria-haspopup': 'menu', 'aria-expanded': 'false' }, shown);
    set(this.button, 'title', label);
    if (shown !== label) set(this.button, 'aria-label', label);
    this.button.popoverTargetElement = this.list;
    this.element = h('span', { class: 'with-menu' }, this.button, this.list);
  }

  /** @param {boolean} open */
  #toggled(open) {
    set(this.button, 'aria-expanded', open);
    (open ? addEventListener : removeEventListener)('resize', this.#place);
    if (!open) return this.list.replaceChildren();
    void attempt(async () => {
      const groups = await this.#groups();
      this.list.replaceChildren(...groups.filter((g) => g.items.length).map((g) => this.#group(g)));
      this.#place();
      this.#focus(0);
    });
  }

  /** @param {Group} group */
  #group({ heading, items }) {
    const rows = items.map(({ label, run, danger }) =>
      h(
        'button',
        { type: 'button', role: 'menuitem', tabindex: -1, class: danger ? 'danger' : null, onclick: () => this.#run(run) },
        label,
      ),
    );
    const head = heading ? h('p', { 'aria-hidden': 'true', dir: 'auto' }, heading) : null;
    return h('div', { role: 'group', 'aria-label': heading ?? null }, head, ...rows);
  }

  /** @param {() => unknown} run */
  #run(run) {
    this.list.hidePopover(); // the focus is at the button again, and a dialog gives it back to it
    void attempt(async () => run());
  }

  /** Below the button, or above where there is more room; inside of the page. */
  #place = () => {
    const { top, bottom, right } = this.button.getBoundingClientRect();
    const below = innerHeight - bottom;
    const up = below < this.list.scrollHeight + 2 * gap && top > below;
    const { style } = this.list;
    style.maxHeight = `${(up ? top : below) - 2 * gap}px`;
    style.top = up ? 'auto' : `${bottom + gap}px`;
    style.bottom = up ? `${innerHeight - top + gap}px` : 'auto';
    style.left = `${Math.max(gap, Math.min(right, innerWidth - gap) - this.list.offsetWidth)}px`;
  };

  /** @returns {HTMLElement[]} */
  get #items() {
    return [.../** @type {NodeListOf<HTMLElement>} */ (this.list.querySelectorAll('[role="menuitem"]'))];
  }

  /** @param {number} i */
  #focus(i) {
    const all = this.#items;
    all.at(i % (all.length || 1))?.focus();
  }

  /** @param {KeyboardEvent} e */
  #key(e) {
    const all = this.#items;
    const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const next = { ArrowDown: at + 1, ArrowUp: at < 1 ? -1 : at - 1, Home: 0, End: -1 }[e.key];
    if (next !== undefined) this.#focus(next);
    else if (e.key === 'Tab') return this.list.hidePopover();
    else if (e.key.length === 1 && /\S/.test(e.key) && !e.ctrlKey && !e.metaKey && !e.altKey) {
      const starts = (/** @type {HTMLElement} */ b) => b.textContent?.toLowerCase().startsWith(e.key.toLowerCase());
      [...all.slice(at + 1), ...all].find(starts)?.focus();
    } else return;
    e.preventDefault();
    e.stopPropagation();
  }

  /** @param {boolean} hidden */
  hide(hidden) {
    set(this.button, 'hidden', hidden);
  }
}
