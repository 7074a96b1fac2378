// A secret that the gateway shows once: to be read and copied, until it is put away.
import { h, note, set } from './dom.js';

export class Secret {
  /** @param {string} id @param {() => void} done is called when it is put away */
  constructor(id, done) {
    this.label = h('label', { for: id });
    this.input = h('input', {
      id,
      class: 'mono',
      readonly: true,
      autocomplete: 'off',
      spellcheck: 'false',
      onfocus: () => this.input.select(),
    });
    const away = () => (this.hide(), done());
    this.element = h(
      'div',
      { class: 'once', hidden: true },
      this.label,
      h(
        'div',
        { class: 'row' },
        this.input,
        h('button', { type: 'button', onclick: () => this.#copy() }, 'Copy'),
        h('button', { type: 'button', class: 'quiet', onclick: away }, 'Done'),
      ),
      h('p', { class: 'status' }, 'It is shown only now: nobody can read it again.'),
    );
  }

  /** @param {string} label @param {string} secret */
  show(label, secret) {
    this.label.textContent = label;
    this.input.value = secret;
    set(this.element, 'hidden', false);
    this.input.focus();
    this.element.scrollIntoView({ block: 'nearest' });
  }

  hide() {
    this.input.value = '';
    set(this.element, 'hidden', true);
  }

  /** A page without a clipboard, such as one without TLS, leaves it to the keyboard. */
  async #copy() {
    this.input.focus();
    try {
      await navigator.clipboard.writeText(this.input.value);
      note('Copied.');
    } catch {
      note('The page may not copy here: it is selected, copy it by the keyboard.', 'bad');
    }
  }
}
