// The people: invitations, chats, buddies in their groups with live presence, and adding one.
import { attempt, h, note, part, set, sync, text } from './dom.js';
import { RoomInvitations, joinButton } from './join.js';
import { avatar, nameAvatar } from './person.js';
import { Talks } from './talks.js';

/** @import { Buddy, Invitation } from '../types.d.ts' */
/** @typedef {{ group: string, buddy: Buddy }} Row */

export class Buddies {
  #pane;

  /** @param {import('./pane.js').Pane} pane */
  constructor(pane) {
    this.#pane = pane;
    this.invitations = h('ul', { class: 'invitations' });
    this.rooms = new RoomInvitations(pane);
    this.join = joinButton(pane);
    const showSearch = part(
      () => import('./search.js'),
      (m) => m.showSearch(pane),
    );
    this.search = h('button', { class: 'quiet', hidden: true, onclick: showSearch }, 'Search messages'); // where the archive can be searched
    this.inviting = h(
      'section',
      { 'aria-labelledby': `${pane.id}-inv` },
      h('h2', { id: `${pane.id}-inv` }, 'Invitations'),
      this.invitations,
      this.rooms.list,
    );
    this.groups = h('div', { class: 'groups' });
    this.talks = new Talks(pane);
    this.filter = h('input', { type: 'search', placeholder: 'Find a buddy', 'aria-label': 'Find a buddy', oninput: () => this.draw() });
    this.element = h(
      'nav',
      { class: 'people-list', 'aria-label': 'People' },
      h(
        'div',
        { class: 'row' },
        this.filter,
        pane.curl('list buddies', () => ({ path: '/v1/buddies?include=presence' })),
      ),
      this.inviting,
      this.talks.element,
      this.search,
      this.join,
      this.groups,
      this.#adding(),
    );
  }

  #adding() {
    const p = this.#pane;
    const id = `${p.id}-add`;
    const whom = h('input', { id, required: true, placeholder: 'dora@contoso.com', autocomplete: 'off', spellcheck: 'false' });
    const kind = h(
      'select',
      { 'aria-label': 'What it is' },
      h('option', { value: 'account' }, 'Account'),
      h('option', { value: 'jid' }, 'JID'),
    );
    const nick = h('input', { placeholder: 'Your nickname', 'aria-label': 'Your nickname for the invitation' });
    const body = () => ({ [kind.value]: whom.value.trim(), ...(nick.value.trim() && { nick: nick.value.trim() }) });
    const box = h('details', { class: 'add' });
    const add = (/** @type {Event} */ e) => {
      e.preventDefault();
      void attempt(async () => {
        const buddy = await p.perch.addBuddy(body());
        note(`${p.nameOf(buddy.jid)} is in your list; the invitation is on its way.`);
        whom.value = '';
        box.open = false;
      });
    };
    box.append(
      h('summary', {}, 'Add a buddy'),
      h(
        'form',
        { class: 'fields', onsubmit: add },
        h('label', { for: id }, 'Whom'),
        h('div', { class: 'row' }, kind, whom),
        nick,
        h(
          'div',
          { class: 'row end' },
          p.curl('add a buddy', () => ({ method: 'POST', path: '/v1/buddies', body: body() })),
          h('button', {}, 'Add'),
        ),
      ),
    );
    return box;
  }

  draw() {
    const store = this.#pane.perch.store;
    set(this.inviting, 'hidden', store.invitations.size + this.rooms.size === 0);
    this.rooms.draw();
    set(this.search, 'hidden', !this.#pane.perch.can('search'));
    set(this.join, 'hidden', !this.#pane.perch.can('rooms'));
    sync(
      this.invitations,
      store.invitations.values(),
      (i) => i.jid,
      (i) => this.#invitation(i),
      (e, i) => {
        text(e.querySelector('.name'), i.nick || i.jid);
        text(e.querySelector('.status'), i.message);
      },
    );
    const wanted = this.filter.value.trim().toLowerCase();
    this.talks.draw(wanted);
    /** @type {Map<string, Buddy[]>} */ const groups = new Map();
    for (const b of store.buddies.values()) {
      if (wanted && !`${b.name} ${b.jid}`.toLowerCase().includes(wanted)) continue;
      for (const g of b.groups.length ? b.groups : ['']) groups.set(g, [...(groups.get(g) ?? []), b]);
    }
    const names = [...groups.keys()].sort((a, b) => Number(a === '') - Number(b === '') || a.localeCompare(b));
    sync(
      this.groups,
      names,
      (g) => g,
      (g) => h('section', { 'aria-label': g || 'No group' }, h('h2', {}, g || 'Buddies'), h('ul', { class: 'buddies' })),
      (e, g) => this.#group(e.querySelector('ul'), groups.get(g) ?? []),
    );
  }

  /** @param {Element} list @param {Buddy[]} buddies */
  #group(list, buddies) {
    const presence = this.#pane.perch.store.presence;
    const name = (/** @type {Buddy} */ b) => this.#pane.nameOf(b.jid);
    buddies.sort(
      (a, b) => Number(presence.get(b.jid)?.available ?? 0) - Number(presence.get(a.jid)?.available ?? 0) || name(a).localeCompare(name(b)),
    );
    sync(
      list,
      buddies,
      (b) => b.jid,
      (b) => this.#buddy(b),
      (e, b) => this.#updateBuddy(e, b),
    );
  }

  /** @param {Buddy} b */
  #buddy(b) {
    const face = avatar(this.#pane.nameOf(b.jid));
    void this.#pane.photos.show(b.jid, face);
    const parts = [
      face,
      h('span', { class: 'dot' }),
      h('span', { class: 'name' }),
      h('span', { class: 'hidden word' }),
      h('span', { class: 'status' }),
    ];
    return h('li', {}, h('button', { class: 'buddy', 'data-jid': b.jid, onclick: () => this.#pane.talk(b.jid) }, ...parts));
  }

  /** @param {HTMLElement} e @param {Buddy} b */
  #updateBuddy(e, b) {
    const button = /** @type {HTMLElement} */ (e.firstElementChild);
    const p = this.#pane.perch.store.presence.get(b.jid);
    const { word, kind } = this.#pane.availability(b.jid, p);
    const open = this.#pane.talking === b.jid;
    set(button, 'data-show', kind);
    set(button, 'data-stale', p?.stale ?? false);
    set(button, 'aria-current', open ? 'true' : null);
    const of = (/** @type {string} */ c) => /** @type {HTMLElement} */ (button.querySelector(c));
    nameAvatar(of('.avatar'), this.#pane.nameOf(b.jid));
    text(of('.name'), this.#pane.nameOf(b.jid));
    text(of('.word'), `, ${word}`);
    text(
      of('.status'),
      word === 'blocked' ? word : p?.status || (b.ask === 'subscribe' ? 'invited, no answer yet' : p?.available && p.show ? word : ''),
    );
    if (!this.#pane.photos || !of('.avatar').dataset.photo) void this.#pane.photos.show(b.jid, of('.avatar'));
  }

  /** @param {Invitation} i */
  #invitation(i) {
    const p = this.#pane.perch;
    const path = `/v1/invitations/${encodeURIComponent(i.jid)}`;
    const act = (/** @type {() => Promise<unknown>} */ f, /** @type {string} */ done) => () => attempt(async () => (await f(), note(done)));
    return h(
      'li',
      { class: 'invitation', 'data-jid': i.jid },
      h('strong', { class: 'name' }),
      h('p', { class: 'status' }),
      h(
        'div',
        { class: 'row' },
        h('button', { onclick: act(() => p.acceptInvitation(i.jid, i.nick ? { name: i.nick } : {}), 'You see each other now.') }, 'Accept'),
        h('button', { class: 'quiet', onclick: act(() => p.declineInvitation(i.jid), 'Declined.') }, 'Decline'),
        this.#pane.curl('accept', () => ({ method: 'POST', path: `${path}/accept` })),
      ),
    );
  }
}
