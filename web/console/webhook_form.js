// The form of a webhook: to make one, and to change one, whose secret may be made anew.
import { attempt, field, h, set } from './dom.js';

/** @import { PutWebhook, Webhook, WebhookRequest } from '../types.d.ts' */
/** @typedef {import('./pane.js').Pane} Pane */

/** @param {string} text */
const words = (text) => text.split(/[\s,]+/).filter(Boolean);

/** What is asked for of a webhook that stays as it is. @param {Webhook} w @returns {WebhookRequest} */
export const asItIs = ({ url, types, conversations, when, include }) => ({
  url,
  when,
  include,
  ...(types && { types }),
  ...(conversations && { conversations }),
});

/** @param {[string, string][]} options */
const select = (options) =>
  h(
    'select',
    {},
    options.map(([value, label]) => h('option', { value }, label)),
  );

export class WebhookForm {
  #pane;

  /** @param {Pane} pane @param {(made: PutWebhook) => void} done */
  constructor(pane, done) {
    this.#pane = pane;
    const plain = { autocomplete: 'off', spellcheck: 'false' };
    this.id = h('input', { ...plain, required: true, maxlength: 64, pattern: '[A-Za-z0-9_\\-]+', placeholder: 'bot' });
    this.url = h('input', { ...plain, type: 'url', required: true, placeholder: 'https://' });
    this.types = h('input', { ...plain, placeholder: 'All' });
    this.only = h('textarea', { ...plain, rows: 2, placeholder: 'All' });
    this.when = select([
      ['always', 'Always'],
      ['detached', 'Only while no client listens'],
    ]);
    this.include = select([
      ['full', 'Whole'],
      ['ids', 'Without what was written'],
    ]);
    this.rotate = h('input', { type: 'checkbox' });
    this.summary = h('summary', {});
    this.save = h('button', {});
    const submit = (/** @type {Event} */ e) => {
      e.preventDefault();
      void attempt(async () => {
        const made = await pane.perch.putWebhook(this.id.value, this.request());
        this.fill(null);
        this.element.open = false;
        done(made);
      });
    };
    this.element = h('details', {}, this.summary, h('form', { class: 'fields', onsubmit: submit }, ...this.#fields()));
    this.fill(null);
  }

  #fields() {
    const { id } = this.#pane;
    this.anew = h('label', { class: 'row' }, this.rotate, 'With another secret; for a day calls are signed with both');
    return [
      field(`${id}-webhook-id`, 'Name (letters, digits, - and _)', this.id),
      field(`${id}-webhook-url`, 'Address of your server', this.url),
      field(`${id}-webhook-types`, 'Types of events, such as message.*', this.types),
      field(`${id}-webhook-only`, 'Only of these conversations, one address a line', this.only),
      field(`${id}-webhook-when`, 'When', this.when),
      field(`${id}-webhook-include`, 'Events', this.include),
      this.anew,
      h(
        'div',
        { class: 'row end' },
        h(
          'button',
          { type: 'button', class: 'quiet', onclick: () => (this.fill(null), (this.element.open = false), this.focus()) },
          'Cancel',
        ),
        this.save,
      ),
    ];
  }

  /** Fills the form for a webhook that is there, or for a new one. @param {Webhook | null} w */
  fill(w) {
    this.id.value = w?.id ?? '';
    this.url.value = w?.url ?? '';
    this.types.value = (w?.types ?? []).join(' ');
    this.only.value = (w?.conversations ?? []).join('\n');
    this.when.value = w?.when ?? 'always';
    this.include.value = w?.include ?? 'full';
    this.rotate.checked = false;
    this.id.readOnly = Boolean(w);
    set(/** @type {HTMLElement} */ (this.anew), 'hidden', !w);
    this.summary.textContent = w ? `Change ${w.id}` : 'Make a webhook';
    this.save.textContent = w ? 'Save' : 'Make';
  }

  /** @param {Webhook} w */
  edit(w) {
    this.fill(w);
    this.element.open = true;
    this.url.focus();
  }

  focus() {
    this.summary.focus();
  }

  /** @returns {WebhookRequest} */
  request() {
    const [types, conversations] = [words(this.types.value), words(this.only.value)];
    return {
      url: this.url.value.trim(),
      when: /** @type {WebhookRequest['when']} */ (this.when.value),
      include: /** @type {WebhookRequest['include']} */ (this.include.value),
      ...(types.length && { types }),
      ...(conversations.length && { conversations }),
      ...(this.rotate.checked && { rotate_secret: true }),
    };
  }
}
