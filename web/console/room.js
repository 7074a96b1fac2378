// The room that is open: what it is about, why the account is not in it, and who is there.
import { attempt, h, part, set, text } from './dom.js';
import { People } from './occupants.js';
import { clock } from './times.js';

/** @import { Room } from '../types.d.ts' */

const states = {
  invited: 'You are invited',
  joining: 'Joining',
  joined: '',
  leaving: 'Leaving',
  left: 'You are not in this room',
  kicked: 'You were removed',
  banned: 'You are banned',
  destroyed: 'The room is gone',
  failed: 'You could not join',
};
const reasons = /** @type {Record<string, string>} */ ({
  password: 'the password is missing or wrong',
  'members-only': 'it is for members only',
  'nick-conflict': 'somebody else has the nick',
  locked: 'its owner has not opened it yet',
  'not-found': 'there is no such room',
  full: 'it is full',
  shutdown: 'its service is being restarted',
  service: 'its service has lost the connection',
  unavailable: 'you appear offline',
  'link-lost': 'the link to the XMPP service was lost',
  timeout: 'it does not answer',
  refused: 'it refuses you',
});

/** How the account stands to a room it is not in, in one sentence; "" of one it is in. @param {Room} room */
export function standing({ state, reason, text: said, by, retry_at: again }) {
  const why = [by && `by ${by}`, reason && (reasons[reason] ?? reason), said && `“${said}”`].filter(Boolean).join(', ');
  const when = again ? `; next attempt at ${clock(again)}` : '';
  return states[state] && `${states[state]}${why && (by ? ` ${why}` : `: ${why}`)}${when}`;
}

export class RoomBar {
  #pane;
  #chat;
  /** The room whose number of people was asked for. */ #counted = '';

  /** @param {import('./pane.js').Pane} pane @param {import('./chat.js').Chat} chat */
  constructor(pane, chat) {
    this.#pane = pane;
    this.#chat = chat;
    this.people = new People(pane, chat);
    this.button = h(
      'button',
      { class: 'quiet', hidden: true, 'aria-expanded': 'false', 'aria-controls': this.people.element.id, onclick: () => this.#toggle() },
      'People here',
    );
    this.settings = part(
      () => import('./room_settings.js'),
      (m) => m.showSettings(pane, chat.jid),
    );
    this.why = h('span', {});
    this.nick = h('input', { 'aria-label': 'Another nick', placeholder: 'Another nick', maxlength: 200 });
    this.password = h('input', { type: 'password', 'aria-label': 'Password of the room', placeholder: 'Password', autocomplete: 'off' });
    this.join = h('button', {}, 'Join');
    this.banner = h(
      'form',
      { class: 'banner', hidden: true, onsubmit: (/** @type {Event} */ e) => (e.preventDefault(), this.#join()) },
      this.why,
      this.nick,
      this.password,
      this.join,
    );
  }

  get room() {
    return this.#pane.perch.store.rooms.get(this.#chat.jid);
  }

  #toggle() {
    const open = this.people.element.hidden;
    this.people.show(open);
    set(this.button, 'aria-expanded', open);
    this.#chat.draw();
  }

  #join() {
    const { jid } = this.#chat;
    const to = this.room?.successor || jid;
    const nick = this.nick.value.trim();
    const password = this.password.value;
    return attempt(async () => {
      await this.#pane.perch.joinRoom(to, { ...(nick && { nick }), ...(password && { password }) });
      if (to !== jid) this.#pane.talk(to);
      this.nick.value = this.password.value = '';
    });
  }

  /** Another conversation is open. */
  opened() {
    this.people.show(false);
    this.#counted = '';
    set(this.button, 'aria-expanded', false);
    this.nick.value = this.password.value = '';
  }

  /** What stands under the name of a room. */
  line() {
    const { room } = this;
    if (!room) return '';
    const { count, complete } = room.occupants;
    const here = room.state === 'joined' && count > 0 ? `${count}${complete ? '' : '+'} here` : '';
    return [standing(room), here, room.subject?.text].filter(Boolean).join(' · ');
  }

  draw() {
    const { room } = this;
    const rooms = Boolean(room) && this.#pane.perch.can('rooms');
    const joined = room?.state === 'joined';
    if (room && rooms && joined && this.#counted !== room.jid) {
      this.#counted = room.jid;
      if (room.occupants.events === 'none') this.people.count(room.jid);
    }
    set(this.button, 'hidden', !rooms || !joined);
    if (!joined && !this.people.element.hidden) this.opened();
    this.people.draw(room);
    const out = rooms && !joined;
    set(this.banner, 'hidden', !out);
    if (!room || !out) return;
    text(this.why, `${standing(room)}.`);
    const busy = (room.state === 'joining' && !room.retry_at) || room.state === 'leaving';
    set(this.nick, 'hidden', room.reason !== 'nick-conflict');
    set(this.password, 'hidden', room.reason !== 'password');
    set(this.join, 'hidden', busy || room.state === 'banned' || (room.state === 'destroyed' && !room.successor));
    text(this.join, room.successor ? 'Go to its successor' : room.state === 'joining' ? 'Try now' : 'Join');
  }
}
