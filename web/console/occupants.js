// Who is in a room: page by page, with their roles, and what may be done to each.
import { attempt, h, set, sure, sync, text } from './dom.js';
import { availability, avatar } from './person.js';

/** @import { Occupant, Room } from '../types.d.ts' */

const ranks = { moderator: 0, participant: 1, visitor: 2, none: 3 };
const titles = { owner: 'owner', admin: 'admin', member: 'member', none: '', outcast: 'banned' };

export class People {
  #pane;
  #chat;
  /** The room whose page is on its way. */ #loading = '';
  /** With which connection the list was read again. */ #again = 0;
  /** Whether streams get who comes and goes only because of this list. */ #lively = '';

  /** @param {import('./pane.js').Pane} pane @param {import('./chat.js').Chat} chat */
  constructor(pane, chat) {
    this.#pane = pane;
    this.#chat = chat;
    this.filter = h('input', {
      type: 'search',
      placeholder: 'Find somebody',
      'aria-label': 'Find somebody here',
      oninput: () => chat.draw(),
    });
    this.title = h('h3', { id: `${pane.id}-here` });
    this.list = h('ul', { class: 'people-here' });
    this.more = h('button', { class: 'quiet older', hidden: true, onclick: () => this.#load(true) }, 'More');
    this.element = h(
      'section',
      { class: 'here', id: `${pane.id}-people`, hidden: true, 'aria-labelledby': this.title.id },
      this.title,
      this.filter,
      this.list,
      this.more,
    );
  }

  /** @param {boolean} on */
  show(on) {
    this.element.hidden = !on;
    this.filter.value = '';
    if (on) this.#begin();
    else this.#end();
  }

  /** The list is to follow who comes and goes while it is looked at. */
  #begin() {
    const { jid } = this.#chat;
    const { perch } = this.#pane;
    if (perch.store.rooms.get(jid)?.occupants.events !== 'live') {
      this.#lively = jid;
      void perch.changeRoom(jid, { occupants: 'live' }).catch(() => {}); // without it the list is that of the page
    }
    void this.#load(false);
  }

  #end() {
    const jid = this.#lively;
    this.#lively = '';
    if (jid) this.count(jid);
  }

  /** From now on the number of those who are in a room is told. @param {string} jid */
  count(jid) {
    const { perch } = this.#pane;
    if (perch.store.rooms.get(jid)?.state === 'joined') void perch.changeRoom(jid, { occupants: 'count' }).catch(() => {}); // it stays as it was
  }

  /** @param {boolean} more */
  async #load(more) {
    const { jid } = this.#chat;
    if (this.#loading === jid) return;
    this.#loading = jid;
    await attempt(() => this.#pane.perch.loadOccupants(jid, { more }));
    if (this.#loading === jid) this.#loading = '';
    this.#chat.draw();
  }

  /** @param {Room | undefined} room */
  draw(room) {
    if (this.element.hidden || !room) return;
    const { store, connection } = this.#pane.perch;
    const known = store.occupants.get(room.jid);
    if (known?.stale && connection.state === 'live' && this.#again !== connection.connects) {
      this.#again = connection.connects;
      void this.#load(false);
    }
    const wanted = this.filter.value.trim().toLowerCase();
    const items = (known?.items ?? [])
      .filter((o) => o.nick.toLowerCase().includes(wanted))
      .sort((a, b) => ranks[a.role] - ranks[b.role] || a.nick.localeCompare(b.nick));
    text(this.title, `${room.occupants.count} here`);
    sync(
      this.list,
      items,
      (o) => o.nick,
      (o) => this.#row(o),
      (e, o) => this.#update(e, o, room),
    );
    set(this.more, 'hidden', !known?.next);
  }

  /** @param {Occupant} o */
  #row({ nick }) {
    const inside = h('div', { class: 'fields' });
    const row = h(
      'details',
      { ontoggle: () => row.open && inside.replaceChildren(...this.#actions(nick)) },
      h('summary', {}, avatar(nick), h('span', { class: 'dot' }), h('span', { class: 'name', dir: 'auto' }), h('small', {})),
      inside,
    );
    return h('li', { 'data-nick': nick }, row);
  }

  /** @param {HTMLElement} e @param {Occupant} o @param {Room} room */
  #update(e, o, room) {
    const of = (/** @type {string} */ what) => /** @type {HTMLElement} */ (e.querySelector(what));
    const { word, kind } = availability({ available: true, show: o.show });
    set(e, 'data-show', kind);
    text(of('.name'), o.own ? `${o.nick} (you)` : o.nick);
    const role = o.role === 'participant' ? '' : o.role;
    text(of('small'), [titles[o.affiliation], role, kind === 'online' ? '' : word].filter(Boolean).join(', '));
    set(of('.name'), 'title', [o.jid, o.status].filter(Boolean).join(' · ') || null);
    const may = JSON.stringify([o.role, o.affiliation, o.jid, room.role, room.affiliation]);
    const open = /** @type {HTMLDetailsElement} */ (e.firstElementChild);
    if (open.open && e.dataset.may && e.dataset.may !== may) open.querySelector('.fields')?.replaceChildren(...this.#actions(o.nick));
    e.dataset.may = may;
  }

  /** What may be done to one who is here. @param {string} nick @returns {HTMLElement[]} */
  #actions(nick) {
    const { perch } = this.#pane;
    const { jid } = this.#chat;
    const o = perch.store.occupants.get(jid)?.items.find((x) => x.nick === nick);
    if (!o) return [];
    const may = (/** @type {import('../perch.js').OccupantRight} */ what) => perch.canIn(jid, what, o);
    const reason = h('input', { placeholder: 'Reason', 'aria-label': `Reason, for ${nick}`, maxlength: 200 });
    const why = () => (reason.value.trim() ? { reason: reason.value.trim() } : {});
    const act = (/** @type {string} */ label, /** @type {() => Promise<unknown>} */ f) =>
      h('button', { class: 'quiet', onclick: () => attempt(f) }, label);
    const member = (/** @type {import('../types.d.ts').Affiliation} */ a) => perch.setMember(jid, o.jid ?? '', a, why());
    const buttons = [
      !o.own && act('Write to', async () => this.#pane.talk(`${jid}/${nick}`)),
      may('voice') && act('Give voice', () => perch.setRole(jid, nick, 'participant', why())),
      may('mute') && act('Take voice', () => perch.setRole(jid, nick, 'visitor', why())),
      may('moderator') && act('Make moderator', () => perch.setRole(jid, nick, 'moderator', why())),
      may('member') && o.affiliation === 'none' && act('Make member', () => member('member')),
      may('admin') && o.affiliation === 'member' && act('Make admin', () => member('admin')),
      may('none') && act(`No ${titles[o.affiliation]} any more`, () => member('none')),
      may('kick') && sure('Remove', `Remove ${nick}?`, () => attempt(() => perch.kick(jid, nick, why()))),
      may('ban') && sure('Ban', `Ban ${nick} for good?`, () => attempt(() => member('outcast'))),
    ].filter((b) => b !== false);
    const address = o.jid ? [h('p', { class: 'mono' }, o.jid)] : [];
    const needs = may('kick') || may('ban') || may('voice') || may('mute');
    return [...address, ...(needs ? [reason] : []), h('div', { class: 'row wrap' }, ...buttons)];
  }
}
