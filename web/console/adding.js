// Adding a buddy: by its JID, or by its account where the service looks that up.
import { attempt, field, h, note, set, text } from './dom.js';

/** @import { BuddyRequest } from '../types.d.ts' */

export class Adding {
  #pane;

  #done;

  /** @param {import('./pane.js').Pane} pane @param {() => void} done */
  constructor(pane, done) {
    this.#pane = pane;
    this.#done = done;
    const { id } = pane;
    this.whom = h('input', { required: true, placeholder: 'name@example.org', autocomplete: 'off', spellcheck: 'false' });
    this.kind = h(
      'select',
      { 'aria-label': 'What it is', hidden: true, onchange: () => this.draw() },
      h('option', { value: 'account' }, 'Account'),
      h('option', { value: 'jid' }, 'JID'),
    );
    this.nick = h('input', { autocomplete: 'off', maxlength: 100 });
    this.groups = h('input', { autocomplete: 'off' });
    this.where = field(`${id}-add-groups`, 'Groups, with commas between them', this.groups);
    this.label = h('label', { for: `${id}-add` });
    set(this.whom, 'id', `${id}-add`);
    this.element = h(
      'form',
      { class: 'fields', onsubmit: (/** @type {Event} */ e) => (e.preventDefault(), this.#add()) },
      h('div', { class: 'field' }, this.label, h('div', { class: 'row' }, this.kind, this.whom)),
      field(`${id}-add-nick`, 'Your nickname, for the invitation', this.nick),
      this.where,
      h('div', { class: 'row end' }, h('button', {}, 'Add')),
    );
    this.draw();
  }

  /** Whether the service finds the JID of an account. */
  get #finds() {
    return Boolean(this.#pane.perch.store.session?.features?.includes('jid-lookup'));
  }

  /** @returns {BuddyRequest} */
  request() {
    const whom = this.whom.value.trim();
    const [nick, groups] = [this.nick.value.trim(), listed(this.groups.value)];
    const by = this.#finds && this.kind.value === 'account' ? { account: whom } : { jid: whom };
    return { ...by, ...(nick && { nick }), ...(groups.length && !this.where.hidden && { groups }) };
  }

  #add() {
    return attempt(async () => {
      const buddy = await this.#pane.perch.addBuddy(this.request());
      note(`${this.#pane.nameOf(buddy.jid)} is in your list; the invitation is on its way.`);
      for (const input of [this.whom, this.nick, this.groups]) input.value = '';
      this.#done();
    });
  }

  draw() {
    set(this.kind, 'hidden', !this.#finds);
    set(this.where, 'hidden', !this.#pane.perch.store.session?.features?.includes('roster-edit'));
    text(this.label, this.#finds && this.kind.value === 'account' ? 'Whom (account)' : 'Whom (JID)');
  }
}

/** The names in a text with commas. @param {string} value */
export const listed = (value) => [
  ...new Set(
    value
      .split(',')
      .map((g) => g.trim())
      .filter(Boolean),
  ),
];
