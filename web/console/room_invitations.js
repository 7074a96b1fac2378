// Invitations to rooms, to accept or to decline.
import { attempt, h, note, sync, text } from './dom.js';

/** @import { RoomInvitation } from '../types.d.ts' */
/** @typedef {import('./pane.js').Pane} Pane */

export class RoomInvitations {
  #pane;

  /** @param {Pane} pane */
  constructor(pane) {
    this.#pane = pane;
    this.list = h('ul', { class: 'invitations' });
  }

  /** How many there are. */
  get size() {
    const { perch } = this.#pane;
    return perch.can('rooms') ? perch.store.roomInvitations.size : 0;
  }

  draw() {
    const { store } = this.#pane.perch;
    sync(
      this.list,
      this.size ? store.roomInvitations.values() : [],
      (i) => i.jid,
      (i) => this.#row(i),
      (e, i) => {
        text(e.querySelector('.name'), this.#pane.nameOf(i.jid));
        text(e.querySelector('.status'), [i.by && `${this.#pane.who(i.by)} invites you to this room`, i.reason].filter(Boolean).join(': '));
      },
    );
  }

  /** @param {RoomInvitation} i */
  #row({ jid }) {
    const { perch } = this.#pane;
    const join = () => attempt(async () => (await perch.joinRoom(jid), this.#pane.talk(jid)));
    const decline = () => attempt(async () => (await perch.declineRoom(jid), note('Declined.')));
    return h(
      'li',
      { class: 'invitation', 'data-jid': jid },
      h('strong', { class: 'name', title: jid }),
      h('p', { class: 'status', dir: 'auto' }),
      h('div', { class: 'row' }, h('button', { onclick: join }, 'Join'), h('button', { class: 'quiet', onclick: decline }, 'Decline')),
    );
  }
}
