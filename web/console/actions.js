// What can be done with a message: a bar inside of it, by pointer or by keyboard.
import { attempt, h, set, sure } from './dom.js';

/** @import { StoredMessage } from '../types.d.ts' */

/** What can be done with an own message; with that of another one the first two, and what a moderator may. */
const everything = /** @type {const} */ (['react', 'reply', 'edit', 'retract']);
const emojis = ['👍', '❤️', '😂', '😮', '😢', '🎉'];

export class Actions {
  #pane;
  #chat;
  /** Key of the message that has the bar. */ #open = '';

  /** @param {import('./pane.js').Pane} pane @param {import('./chat.js').Chat} chat */
  constructor(pane, chat) {
    this.#pane = pane;
    this.#chat = chat;
    this.bar = h('div', {
      class: 'actions',
      role: 'toolbar',
      'aria-label': 'Actions for this message',
      onkeydown: (/** @type {KeyboardEvent} */ e) => this.#key(e),
    });
  }

  /** What may be done with a message. @param {StoredMessage} m @returns {('react' | 'reply' | 'edit' | 'retract' | 'moderate')[]} */
  for(m) {
    const { perch } = this.#pane;
    const { jid } = this.#chat;
    if (this.#chat.block.entry) return []; // nothing can be sent there
    if (!m.ref || m.retracted || m.status === 'pending' || m.status === 'failed') return [];
    if (this.#chat.conversation.type === 'room' && !perch.canIn(jid, 'speak')) return [];
    const all = m.direction === 'out' ? everything : everything.slice(0, 2);
    const may = all.filter((what) => perch.can(what));
    return perch.canModerate(jid, m) ? [...may, 'moderate'] : may;
  }

  /** @param {StoredMessage} m */
  toggle(m) {
    if (this.#open === m.key) this.close();
    else this.open(m);
  }

  /** @param {StoredMessage} m */
  open(m) {
    this.close(false);
    const may = this.for(m);
    const row = this.#chat.row(m.key);
    if (!row || !may.length) return;
    this.#open = m.key;
    const own = (m.reactions ?? []).filter((r) => r.own).map((r) => r.emoji);
    const button = (/** @type {string} */ label, /** @type {() => unknown} */ f) =>
      h('button', { class: 'quiet', tabindex: -1, onclick: f }, label);
    const reactions = emojis.map((e) => {
      const b = button(e, () => this.#done(() => this.react(this.#chat.message(m.key), e)));
      set(b, 'aria-label', `React with ${e}`);
      set(b, 'aria-pressed', String(own.includes(e)));
      return b;
    });
    this.bar.replaceChildren(
      ...(may.includes('react') ? reactions : []),
      ...(may.includes('reply') ? [button('Reply', () => this.#done(() => this.#chat.composer.reply(m), false))] : []),
      ...(may.includes('edit') ? [button('Edit', () => this.#done(() => this.#chat.composer.edit(m), false))] : []),
      ...(may.includes('retract') || may.includes('moderate') ? [this.#removal(m)] : []),
    );
    set(/** @type {Element} */ (row.querySelector('.acts')), 'aria-expanded', 'true');
    row.append(this.bar);
    this.#focus(0);
    row.scrollIntoView({ block: 'nearest' });
  }

  /** Deleting asks once more. @param {StoredMessage} m */
  #removal(m) {
    const { perch } = this.#pane;
    const { jid, conversation } = this.#chat;
    const tab = { tabindex: -1 };
    if (m.direction === 'in') {
      const remove = () => void attempt(() => perch.moderate(jid, m.ref ?? ''));
      return sure('Remove', 'Remove for all?', () => this.#done(remove), tab);
    }
    const question = conversation.type === 'room' ? 'Delete for all?' : 'Delete for both?';
    return sure('Delete', question, () => this.#done(() => perch.retract(jid, m.ref ?? '')), tab);
  }

  /** Adds or removes one own reaction. @param {StoredMessage | undefined} m @param {string} emoji */
  react(m, emoji) {
    if (!m?.ref) return;
    const own = (m.reactions ?? []).filter((r) => r.own).map((r) => r.emoji);
    const next = own.includes(emoji) ? own.filter((e) => e !== emoji) : [...own, emoji];
    this.#run(() => this.#pane.perch.react(this.#chat.jid, m.ref ?? '', next));
  }

  /** A change shows its failure in the message; only what never began is told here.
   * @param {() => Promise<unknown> | unknown} f */
  #run(f) {
    void attempt(async () => {
      try {
        await f();
      } catch (e) {
        const { code, status } = /** @type {any} */ (e);
        if (code === 'outbox-full' || code === 'validation' || status === 401) throw e;
      }
    });
  }

  /** @param {() => unknown} f @param {boolean} [back] whether the focus stays in the list */
  #done(f, back = true) {
    this.close(back);
    this.#run(f);
  }

  close(focus = true) {
    const row = this.#chat.row(this.#open);
    this.#open = '';
    this.bar.remove();
    const acts = row?.querySelector('.acts');
    if (acts) set(acts, 'aria-expanded', 'false');
    if (focus) row?.focus();
  }

  /** Arrow keys go along the bar; Escape leaves it. @param {KeyboardEvent} e */
  #key(e) {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -100, End: 100 }[e.key];
    if (e.key === 'Escape') this.close();
    else if (step) this.#focus([...this.bar.children].indexOf(/** @type {Element} */ (document.activeElement)) + step);
    else if (!['ArrowUp', 'ArrowDown'].includes(e.key)) return;
    e.preventDefault();
    e.stopPropagation();
  }

  /** @param {number} i */
  #focus(i) {
    const all = /** @type {HTMLElement[]} */ ([...this.bar.children]);
    const at = Math.max(0, Math.min(all.length - 1, i));
    all.forEach((b, n) => set(b, 'tabindex', n === at ? 0 : -1));
    all[at]?.focus();
  }
}
