// What can be done with the conversation that is open, besides talking.
import { part } from './dom.js';
import { Menu } from './menu.js';

/** @typedef {import('./menu.js').Item} Item */

export class ChatMenu {
  #pane;
  #chat;

  /** @param {import('./pane.js').Pane} pane @param {import('./chat.js').Chat} chat */
  constructor(pane, chat) {
    this.#pane = pane;
    this.#chat = chat;
    this.showCard = part(
      () => import('./cards.js'),
      (m) => m.showCard(pane, chat.jid),
    );
    this.showBuddy = part(
      () => import('./buddy.js'),
      (m) => m.showBuddy(pane, chat.jid),
    );
    this.add = part(
      () => import('./buddy.js'),
      (m) => m.addBuddy(pane, chat.jid),
    );
    this.menu = new Menu(`${pane.id}-more`, 'More', '⋯', () => [{ items: this.#items() }]);
    this.element = this.menu.element;
  }

  /** @returns {Item[]} */
  #items() {
    const { perch } = this.#pane;
    const { jid, conversation: c, block, room } = this.#chat;
    const chat = c.type === 'chat';
    const buddy = perch.store.buddies.has(jid);
    const edits = Boolean(perch.store.session?.features?.includes('roster-edit'));
    const pin = () => perch.updateConversation(jid, { pinned: !c.pinned });
    /** @type {(Item | false)[]} */
    const all = [
      chat && { label: 'Card', run: this.showCard },
      buddy && edits && { label: 'Name and groups', run: this.showBuddy },
      chat && !buddy && { label: 'Add to your buddies', run: this.add },
      c.type === 'room' && perch.can('rooms') && perch.store.rooms.has(jid) && { label: 'Room', run: room.settings },
      perch.can('conversations') && { label: c.pinned ? 'Unpin' : 'Pin', run: pin },
      block.possible && { label: 'Block', run: block.ask, danger: true },
    ];
    return all.filter((x) => x !== false);
  }
}
