// Whom the account blocks: the button and the banner of a conversation.
import { attempt, h, part, set, text } from './dom.js';

/** @typedef {import('./pane.js').Pane} Pane */

export class BlockBar {
  #pane;
  #chat;

  /** @param {Pane} pane @param {import('./chat.js').Chat} chat */
  constructor(pane, chat) {
    this.#pane = pane;
    this.#chat = chat;
    this.ask = part(
      () => import('./blocking_dialogs.js'),
      (m) => m.showBlock(pane, chat),
    );
    this.why = h('span', {});
    const unblock = () => attempt(() => pane.perch.unblock(this.entry ?? ''));
    this.banner = h('div', { class: 'banner', hidden: true }, this.why, h('button', { class: 'quiet', onclick: unblock }, 'Unblock'));
  }

  /** The entry of the block list that the conversation falls under. */
  get entry() {
    return this.#pane.perch.store.blockedBy(this.#chat.jid);
  }

  /** Whether it may be blocked. */
  get possible() {
    return this.#pane.perch.can('blocking') && !this.entry && this.#chat.conversation.type === 'chat';
  }

  draw() {
    const { entry } = this;
    const focused = this.banner.contains(document.activeElement);
    set(this.banner, 'hidden', !entry);
    set(this.#chat.composer.element, 'hidden', Boolean(entry));
    if (!entry) return focused && this.#chat.composer.input.focus();
    const whom = entry.includes('@') ? this.#pane.nameOf(this.#chat.jid) : `everybody of ${entry}`;
    text(this.why, `You block ${whom}: nothing can be sent, and nothing new arrives.`);
  }
}
