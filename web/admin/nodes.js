// The nodes: who owns how much, who drains, who is silent; and the log level of all.
import { attempt, field, h, note, set, sync, text } from '../console/dom.js';
import { ask } from './api.js';
import { age, facts, labelled, meant, showState, stateOf } from './parts.js';

const levels = ['debug', 'info', 'warn', 'error'];

export class Nodes {
  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
    this.list = h('ul', { class: 'cards' });
    this.level = h(
      'select',
      { onchange: () => void attempt(() => this.setLevel()) },
      h('option', { value: '' }, 'differs'),
      levels.map((l) => h('option', { value: l }, l)),
    );
    const level = field('level', 'Log level of all nodes', this.level);
    this.element = h(
      'section',
      { 'aria-labelledby': 'nodes' },
      h('div', { class: 'heading' }, h('h2', { id: 'nodes' }, 'Nodes'), level),
      this.list,
    );
  }

  async setLevel() {
    const level = this.level.value;
    if (!level) return;
    const { unreachable } = await ask('PUT', 'log-level', { level });
    note(
      unreachable.length
        ? `The level is ${level}, but at: ${unreachable.map((/** @type {any} */ n) => n.node).join(', ')}`
        : `All nodes log from ${level} on`,
    );
    this.changed();
  }

  async load() {
    const [{ items }, shown] = await Promise.all([ask('GET', 'nodes'), ask('GET', 'log-level').catch(() => null)]);
    sync(
      this.list,
      items,
      (/** @type {any} */ n) => n.id,
      (n) => this.make(n),
      (e, n) => this.update(e, n),
    );
    const found = new Set((shown?.items ?? []).map((/** @type {any} */ n) => n.level));
    set(this.level, 'disabled', !shown);
    if (document.activeElement !== this.level) this.level.value = found.size === 1 ? [...found][0] : '';
  }

  /** @param {any} n */
  make(n) {
    const path = `nodes/${encodeURIComponent(n.id)}/drain`;
    const run = (/** @type {string} */ method, /** @type {string} */ done) => async () => {
      await ask(method, path);
      note(done);
      this.changed();
    };
    return h(
      'li',
      {},
      h('div', { class: 'heading' }, h('h3', {}), stateOf()),
      h('p', { class: 'why' }),
      h('dl', {}),
      h(
        'div',
        { class: 'row wrap' },
        meant('Drain', 'Drain it now?', run('POST', `${n.name} drains`)),
        meant('End the drain', 'Take sessions again?', run('DELETE', `${n.name} takes sessions again`)),
      ),
    );
  }

  /** @param {HTMLElement} e @param {any} n */
  update(e, n) {
    const [head, why, dl, buttons] = /** @type {HTMLElement[]} */ ([...e.children]);
    if (!head || !why || !dl || !buttons) return;
    text(/** @type {Element} */ (head.firstElementChild), n.name);
    showState(/** @type {Element} */ (head.lastElementChild), n.state);
    text(why, n.detail);
    const states = Object.entries(n.sessions).map(([state, count]) => `${count} ${state}`);
    facts(
      dl,
      n.detail
        ? [['id', n.id]]
        : [
            ['sessions', n.owned_limit ? `${n.owned} of ${n.owned_limit}` : `${n.owned}`],
            ['by state', states.join(', ') || '–'],
            ['streams', `${n.streams}`],
            ['running for', age(n.since)],
            ['last beat', n.lease_ms ? `${n.beat_age_ms} ms ago, of ${n.lease_ms}` : 'alone'],
            ['version', n.version],
            ['labels', labelled(n.labels)],
            ['id', n.id],
          ],
    );
    set(/** @type {Element} */ (buttons.firstElementChild), 'hidden', n.state !== 'up' || !n.lease_ms);
    set(/** @type {Element} */ (buttons.lastElementChild), 'hidden', n.state !== 'draining');
  }
}
