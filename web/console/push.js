// Push messages: whether this browser gets them, and the other devices that do.
import { drawFacts, drawReaderState, head } from './card.js';
import { attempt, h, note, set, sure, sync, text } from './dom.js';
import { explain } from './explain.js';
import { moment } from './times.js';

/** @import { PushState, PushSubscription } from '../types.d.ts' */
/** @typedef {import('./pane.js').Pane} Pane */

/** Where the id of this browser is kept, from when it gets push messages. */
const idKey = 'perch:push';
/** The id that the gateway knows this browser by; "" while it gets none. */
const ownId = () => localStorage.getItem(idKey) ?? '';

const here = {
  on: 'This browser gets push messages.',
  off: 'This browser gets no push messages.',
  denied: 'You, or this browser, have refused notifications: allow them in its settings for this page.',
  unsupported: 'This browser has no push messages, or not for this page: they need https.',
};
const reasons = /** @type {Record<string, string>} */ ({
  failing: 'every message has failed for a day',
  policy: 'its push service may not be called',
  secret_lost: 'the operator has changed the keys',
});

/** @param {PushSubscription} s @returns {[string, string][]} */
const facts = (s) => [
  ['By', s.host],
  ['State', s.state === 'disabled' ? (reasons[s.reason ?? ''] ?? s.reason ?? '') : ''],
  ['Last', s.last_attempt ? `${moment(s.last_attempt.at)}: ${s.last_attempt.error ?? 'it has arrived there'}` : 'none'],
  ['Has', s.include === 'ids' ? 'no names and no text' : ''],
  ['Only of', s.conversations?.join(', ') ?? ''],
  ['Since', moment(s.created_at)],
];

class PushMessages {
  #pane;

  /** @param {Pane} pane */
  constructor(pane) {
    this.#pane = pane;
    this.here = h('p', { role: 'status' });
    this.plain = h('input', { type: 'checkbox' });
    this.plainly = h('label', { class: 'row' }, this.plain, 'Without names and text, for a screen that others see');
    this.enable = h('button', { onclick: () => this.#enable() }, 'Enable push notifications on this device');
    this.disable = h('button', { class: 'quiet', onclick: () => this.#disable() }, 'Turn them off on this device');
    this.list = h('ul', { class: 'tokens', 'aria-label': 'Devices' });
    this.box = h(
      'dialog',
      { class: 'box roomy', 'aria-label': 'Push messages', onclose: () => this.box.remove() },
      h('header', {}, h('h2', {}, 'Push messages')),
      h('p', { class: 'status' }, 'What comes while nothing of yours is open is shown by your devices.'),
      this.here,
      this.plainly,
      h('div', { class: 'row wrap' }, this.enable, this.disable),
      this.list,
      h('form', { method: 'dialog', class: 'row end' }, h('button', { autofocus: true }, 'Close')),
    );
    this.#draw('unsupported', []);
  }

  open() {
    document.body.append(this.box);
    this.box.showModal();
    text(this.here, 'Reading…');
    return this.#load();
  }

  async #load() {
    const { perch } = this.#pane;
    try {
      const { items } = await perch.listPush();
      const state = await perch.pushState({ id: ownId() || 'none' });
      this.#draw(state, items);
      text(this.here, here[state]);
    } catch (e) {
      text(this.here, explain(e));
    }
  }

  /** @param {PushState} state @param {PushSubscription[]} items */
  #draw(state, items) {
    for (const e of [this.plainly, this.enable]) set(e, 'hidden', state !== 'off');
    set(this.disable, 'hidden', state !== 'on');
    sync(
      this.list,
      items,
      (s) => s.id,
      (s) => this.#row(s.id),
      (e, s) => this.#update(e, s),
    );
  }

  #enable() {
    return attempt(async () => {
      if (!ownId()) localStorage.setItem(idKey, `console-${crypto.randomUUID().slice(0, 8)}`);
      try {
        await this.#pane.perch.push({ id: ownId(), include: this.plain.checked ? 'ids' : 'full' });
      } finally {
        await this.#load();
      }
      this.disable.focus();
    });
  }

  #disable() {
    return attempt(async () => {
      await this.#pane.perch.endPush({ id: ownId() });
      localStorage.removeItem(idKey);
      await this.#load();
      this.enable.focus();
    });
  }

  /** @param {string} id */
  #row(id) {
    const title = `${this.#pane.id}-push-${id}`;
    const about = { 'aria-describedby': title };
    return h(
      'li',
      { 'aria-labelledby': title },
      head(title, id === ownId() ? 'This browser' : id, h('small', { class: 'badge' })),
      h('dl', {}),
      h(
        'div',
        { class: 'row wrap' },
        h('button', { class: 'quiet', onclick: () => this.#test(id), ...about }, 'Test'),
        sure('Delete', 'Delete it?', () => this.#delete(id), about),
      ),
    );
  }

  /** @param {HTMLElement} e @param {PushSubscription} s */
  #update(e, s) {
    drawReaderState(e, s.state);
    drawFacts(e, facts(s));
  }

  /** @param {string} id */
  #test(id) {
    return attempt(async () => {
      const { error } = await this.#pane.perch.testPush(id);
      await this.#load();
      if (error) throw new Error(`The push service has not taken it: ${error}.`);
      note('The push service has it.');
    });
  }

  /** @param {string} id */
  #delete(id) {
    return attempt(async () => {
      if (id === ownId()) return void (await this.#disable());
      await this.#pane.perch.removePush(id);
      await this.#load();
      (this.enable.hidden ? this.disable : this.enable).focus();
    });
  }
}

/** @param {Pane} pane */
export const showPush = (pane) => new PushMessages(pane).open();
