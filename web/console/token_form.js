// The form of a new token: it may do no more than the one that makes it, so no more is offered.
import { attempt, field, h, set } from './dom.js';
import { moment } from './times.js';

/** @import { NewToken, Scope, Token, TokenRequest } from '../types.d.ts' */
/** @typedef {import('./pane.js').Pane} Pane */

/** What each scope lets a token do. @type {Record<Scope, string>} */
const abilities = {
  read: 'Read everything',
  send: 'Send messages and files',
  presence: 'Set your presence',
  roster: 'Change buddies, blocked addresses and your card',
  rooms: 'Join and manage rooms',
  session: 'Change the password, sign out everywhere',
  webhooks: 'Call servers of yours',
  tokens: 'Make and revoke tokens',
};
/** All scopes, with their words. */
export const scopes = /** @type {[Scope, string][]} */ (Object.entries(abilities));

/** What is ticked at first. @type {Scope[]} */
const usual = ['read', 'send'];
const day = 86_400;
/** @type {[number, string][]} */
const lives = [
  [3600, 'In an hour'],
  [day, 'In a day'],
  [30 * day, 'In 30 days'],
  [365 * day, 'In a year'],
];

export class TokenForm {
  #pane;
  /** The token of the page, which bounds the new one. @type {Token | null} */ #own = null;

  /** @param {Pane} pane @param {(made: NewToken) => void} done */
  constructor(pane, done) {
    this.#pane = pane;
    this.name = h('input', { required: true, maxlength: 100, autocomplete: 'off', placeholder: 'Phone, weather bot, …' });
    this.scopes = h('fieldset', { class: 'choices' });
    this.only = h('textarea', { rows: 2, autocomplete: 'off', spellcheck: 'false', placeholder: 'All' });
    this.end = h('select', {});
    const submit = (/** @type {Event} */ e) => {
      e.preventDefault();
      void attempt(async () => {
        const made = await pane.perch.createToken(this.request());
        this.name.value = '';
        this.element.open = false;
        done(made);
      });
    };
    this.element = h('details', {}, h('summary', {}, 'Make a token'), h('form', { class: 'fields', onsubmit: submit }, ...this.#fields()));
  }

  #fields() {
    const { id } = this.#pane;
    return [
      field(`${id}-token-name`, 'Name', this.name),
      this.scopes,
      field(`${id}-token-only`, 'Only for these conversations, one address a line', this.only),
      field(`${id}-token-end`, 'It ends', this.end),
      h('div', { class: 'row end' }, h('button', {}, 'Make')),
    ];
  }

  /** What can be given is what the page's token has. @param {Token | null} own */
  bound(own) {
    set(this.element, 'hidden', !own);
    if (!own || own.id === this.#own?.id) return;
    this.#own = own;
    const choices = scopes
      .filter(([scope]) => own.scopes.includes(scope))
      .map(([value, label]) =>
        h('label', { class: 'row' }, h('input', { type: 'checkbox', value, checked: usual.includes(value) }), label),
      );
    this.scopes.replaceChildren(h('legend', {}, 'It may'), ...choices);
    this.only.value = (own.conversations ?? []).join('\n');
    const left = own.expires_at ? Date.parse(own.expires_at) - Date.now() : Infinity;
    const same = own.expires_at ? `With this one: ${moment(own.expires_at)}` : 'With the session';
    this.end.replaceChildren(
      h('option', { value: '' }, same),
      ...lives.filter(([seconds]) => seconds * 1000 < left).map(([value, label]) => h('option', { value }, label)),
    );
  }

  focus() {
    this.element.querySelector('summary')?.focus();
  }

  /** @returns {TokenRequest} */
  request() {
    const ticked = /** @type {NodeListOf<HTMLInputElement>} */ (this.scopes.querySelectorAll('input:checked'));
    const conversations = this.only.value.split(/\s+/).filter(Boolean);
    return {
      name: this.name.value.trim(),
      scopes: [...ticked].map((e) => /** @type {Scope} */ (e.value)),
      ...(conversations.length && { conversations }),
      ...(this.end.value && { expires_in: Number(this.end.value) }),
    };
  }
}
