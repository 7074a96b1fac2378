// Webhooks: servers of the user that events are sent to, their state, and what can be done with them.
import { drawFacts, drawReaderState, head } from './card.js';
import { attempt, h, note, set, sure, sync, text } from './dom.js';
import { explain } from './explain.js';
import { Secret } from './secret.js';
import { moment } from './times.js';
import { WebhookForm, asItIs } from './webhook_form.js';

/** @import { PutWebhook, Webhook, WebhookAttempt } from '../types.d.ts' */
/** @typedef {import('./pane.js').Pane} Pane */

const reasons = /** @type {Record<string, string>} */ ({
  gone: 'the server has answered 410',
  failing: 'every call has failed for a day',
  policy: 'its address may not be called',
  secret_lost: 'the operator has changed the keys: it needs another secret',
});

/** @param {WebhookAttempt | null} x */
const outcome = (x) => (x ? `${moment(x.at)}: ${x.error ?? `it answered ${x.status}`}` : 'none');

/** How it goes, in words. @param {Webhook} w */
function stateOf({ state, reason, failures, failing_since: since }) {
  if (state === 'disabled') return `nothing is sent any more: ${reasons[reason ?? ''] ?? reason}`;
  if (!failures) return '';
  return failures === 1 ? 'one call has failed' : `${failures} calls in a row have failed, since ${moment(since)}`;
}

/** What there is to say of a webhook. @param {Webhook} w @returns {[string, string][]} */
const facts = (w) => [
  ['Calls', w.url],
  ['State', stateOf(w)],
  ['Next call', w.next_attempt_at ? moment(w.next_attempt_at) : ''],
  ['Last call', outcome(w.last_attempt)],
  ['Events', [w.types?.join(', ') ?? 'all', w.include === 'ids' ? 'without what was written' : ''].filter(Boolean).join(', ')],
  ['Only of', w.conversations?.join(', ') ?? ''],
  ['When', w.when === 'detached' ? 'while no client listens' : ''],
  ['Sent up to', w.cursor],
];

class Webhooks {
  #pane;
  /** As they were read last. @type {Map<string, Webhook>} */ #known = new Map();

  /** @param {Pane} pane */
  constructor(pane) {
    this.#pane = pane;
    this.state = h('p', { class: 'status', role: 'status' });
    this.list = h('ul', { class: 'tokens', 'aria-label': 'Webhooks' });
    this.form = new WebhookForm(pane, (made) => this.#made(made));
    this.secret = new Secret(`${pane.id}-webhook-secret`, () => this.form.focus());
    const end = pane.perch.on('webhook.disabled', () => void this.load());
    this.box = h(
      'dialog',
      { class: 'box roomy', 'aria-label': 'Webhooks', onclose: () => (end(), this.box.remove()) },
      h('header', {}, h('h2', {}, 'Webhooks')),
      h('p', { class: 'status' }, 'Events of this account are sent to servers of yours. A webhook ends with the token that has made it.'),
      this.state,
      this.list,
      this.secret.element,
      this.form.element,
      h(
        'form',
        { method: 'dialog', class: 'row end' },
        h('button', { type: 'button', class: 'quiet', onclick: () => this.load() }, 'Read again'),
        h('button', { autofocus: true }, 'Close'),
      ),
    );
  }

  open() {
    document.body.append(this.box);
    this.box.showModal();
    return this.load();
  }

  async load() {
    text(this.state, 'Reading…');
    try {
      const { items } = await this.#pane.perch.listWebhooks();
      this.#draw(items);
      text(this.state, items.length ? '' : 'There are none.');
    } catch (e) {
      const { code } = /** @type {import('../perch.js').PerchError} */ (e);
      text(this.state, code === 'insufficient-scope' ? 'The token of this page may not see webhooks.' : explain(e));
      set(this.form.element, 'hidden', true); // what cannot be read cannot be made either
    }
  }

  /** @param {Webhook[]} items */
  #draw(items) {
    this.#known = new Map(items.map((w) => [w.id, w]));
    set(this.form.element, 'hidden', false);
    sync(
      this.list,
      items,
      (w) => w.id,
      (w) => this.#row(w.id),
      (e, w) => this.#update(e, w),
    );
  }

  /** @param {string} id */
  #row(id) {
    const title = `${this.#pane.id}-webhook-${id}`;
    const about = { 'aria-describedby': title };
    const button = (/** @type {string} */ label, /** @type {() => unknown} */ onclick, more = {}) =>
      h('button', { class: 'quiet', onclick, ...about, ...more }, label);
    return h(
      'li',
      { 'aria-labelledby': title },
      head(title, id, h('small', { class: 'badge' })),
      h('dl', {}),
      h(
        'div',
        { class: 'row wrap' },
        button('Test', () => this.#test(id)),
        button('Change', () => this.form.edit(this.#of(id))),
        button('Enable', () => this.#enable(id), { 'data-enable': true }),
        sure('Delete', 'Delete it?', () => this.#delete(id), about),
      ),
      this.#replay(id),
    );
  }

  /** @param {string} id */
  #of(id) {
    return /** @type {Webhook} */ (this.#known.get(id));
  }

  /** @param {HTMLElement} e @param {Webhook} w */
  #update(e, w) {
    drawReaderState(e, w.state);
    set(/** @type {Element} */ (e.querySelector('[data-enable]')), 'hidden', w.state !== 'disabled');
    drawFacts(e, facts(w));
  }

  /** What can be sent again. @param {string} id */
  #replay(id) {
    const since = h('input', { required: true, autocomplete: 'off', spellcheck: 'false', 'aria-label': 'Cursor' });
    const submit = (/** @type {Event} */ e) => {
      e.preventDefault();
      void attempt(async () => {
        await this.#pane.perch.replayWebhook(id, since.value.trim());
        note('What follows is sent again.');
        box.open = false;
        await this.load();
      });
    };
    const box = h(
      'details',
      { ontoggle: () => (since.value ||= this.#known.get(id)?.cursor ?? '') },
      h('summary', {}, 'Send again what follows a cursor'),
      h('form', { class: 'row', onsubmit: submit }, since, h('button', { class: 'quiet' }, 'Replay')),
    );
    return box;
  }

  /** @param {string} id */
  #test(id) {
    return attempt(async () => {
      text(this.state, 'Calling…');
      const { status, error } = await this.#pane.perch.testWebhook(id).finally(() => text(this.state, ''));
      if (error) throw new Error(`The call has not arrived: ${error}.`);
      text(this.state, `The call has arrived: ${status}.`);
    });
  }

  /** @param {string} id */
  #enable(id) {
    return attempt(async () => {
      await this.#pane.perch.putWebhook(id, asItIs(this.#of(id)));
      note(`${id} is enabled again.`);
      await this.load();
    });
  }

  /** @param {string} id */
  #delete(id) {
    return attempt(async () => {
      await this.#pane.perch.deleteWebhook(id);
      await this.load();
      this.form.focus(); // the button that had it is gone
    });
  }

  /** @param {PutWebhook} made */
  async #made({ id, secret }) {
    if (secret) this.secret.show(`Secret of ${id}`, secret);
    else this.form.focus();
    await this.load();
  }
}

/** @param {Pane} pane */
export const showWebhooks = (pane) => new Webhooks(pane).open();
