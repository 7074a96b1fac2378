// The people: invitations, chats, buddies in their groups with live presence, and adding one.
import { attempt, h, note, part, set, sync, text } from './dom.js';
import { avatar, nameAvatar } from './person.js';
import { RoomInvitations } from './room_invitations.js';
import { Talks } from './talks.js';

/** @import { Buddy, Invitation } from '../types.d.ts' */

const { compare } = new Intl.Collator();
/** Times of one form (RFC 3339). @param {string} a @param {string} b */
const compareTimes = (a, b) => (a < b ? -1 : Number(a > b));

export class Buddies {
  #pane;
  /** The form, once it is asked for. @type {import('./adding.js').Adding | undefined} */ #adding;

  /** @param {import('./pane.js').Pane} pane */
  constructor(pane) {
    this.#pane = pane;
    this.invitations = h('ul', { class: 'invitations' });
    this.rooms = new RoomInvitations(pane);
    const showJoin = part(
      () => import('./join.js'),
      (m) => m.showJoin(pane),
    );
    this.join = h('button', { class: 'quiet', hidden: true, onclick: showJoin }, 'Join or make a room'); // where there are rooms
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
    this.talks = new Talks(pane);
    this.adds = h('summary', {}, 'Add a buddy');
    this.add = h('details', { class: 'add', ontoggle: () => !this.#adding && this.add.open && this.#showAdding() }, this.adds);
    this.filter = h('input', { type: 'search', placeholder: 'Find a buddy', 'aria-label': 'Find a buddy', oninput: () => this.draw() });
    this.group = h('select', { 'aria-label': 'Group', hidden: true, onchange: () => this.draw() });
    this.lists = h('div', { class: 'groups' });
    this.nobody = h('p', { class: 'status', hidden: true });
    this.element = h(
      'nav',
      { class: 'people-list', 'aria-label': 'People' },
      h('div', { class: 'row' }, this.filter, this.group),
      this.inviting,
      this.talks.element,
      this.search,
      this.join,
      this.lists,
      this.nobody,
      this.add,
    );
  }

  #showAdding = part(
    () => import('./adding.js'),
    (m) => {
      this.#adding ??= new m.Adding(this.#pane, () => ((this.add.open = false), this.adds.focus()));
      this.add.append(this.#adding.element);
    },
  );

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
    this.#adding?.draw();
    const wanted = this.filter.value.trim().toLowerCase();
    this.talks.draw(wanted);
    this.#drawGroups();
    this.#drawBuddies(wanted);
  }

  /** The groups to choose from. */
  #drawGroups() {
    const names = new Set([...this.#pane.perch.store.buddies.values()].flatMap((b) => b.groups));
    if (!names.has(this.group.value)) this.group.value = '';
    set(this.group, 'hidden', names.size === 0);
    sync(
      this.group,
      ['', ...[...names].sort(compare)],
      (g) => g,
      (g) => h('option', { value: g }, g || 'All groups'),
      () => {},
    );
  }

  /** Who is online comes first, and of all the last one that was talked to. @param {string} wanted */
  #drawBuddies(wanted) {
    const { store } = this.#pane.perch;
    const group = this.group.value;
    const [presence, conversations] = [store.presence, store.conversations];
    const rows = [...store.buddies.values()]
      .filter((b) => (!group || b.groups.includes(group)) && (!wanted || `${b.name} ${b.jid}`.toLowerCase().includes(wanted)))
      .map((b) => {
        const there = presence.get(b.jid)?.available === true && !store.blockedBy(b.jid);
        return { b, there, name: this.#pane.nameOf(b.jid), at: conversations.get(b.jid)?.last_activity_at ?? '' };
      })
      .sort((x, y) => compareTimes(y.at, x.at) || compare(x.name, y.name));
    const parts = [
      { title: 'Online', rows: rows.filter((r) => r.there) },
      { title: 'Offline', rows: rows.filter((r) => !r.there) },
    ];
    sync(
      this.lists,
      parts.filter((p) => p.rows.length),
      (p) => p.title,
      (p) => h('section', { 'aria-label': p.title }, h('h2', {}), h('ul', { class: 'buddies' })),
      (e, p) => {
        text(e.querySelector('h2'), `${p.title} · ${p.rows.length}`);
        sync(
          e.querySelector('ul'),
          p.rows,
          (r) => r.b.jid,
          (r) => this.#buddy(r.b),
          (row, r) => this.#updateBuddy(row, r),
        );
      },
    );
    set(this.nobody, 'hidden', rows.length > 0 || !store.ready);
    text(this.nobody, wanted || group ? 'Nobody of that name.' : 'Nobody is in your list yet.');
  }

  /** @param {Buddy} b */
  #buddy(b) {
    const face = avatar(this.#pane.nameOf(b.jid));
    const parts = [
      face,
      h('span', { class: 'dot' }),
      h('span', { class: 'name', dir: 'auto' }),
      h('span', { class: 'hidden word' }),
      h('span', { class: 'status', dir: 'auto' }),
    ];
    return h('li', {}, h('button', { class: 'buddy', 'data-jid': b.jid, onclick: () => this.#pane.talk(b.jid) }, ...parts));
  }

  /** @param {HTMLElement} e @param {{ b: Buddy, name: string }} of */
  #updateBuddy(e, { b, name }) {
    const button = /** @type {HTMLElement} */ (e.firstElementChild);
    const p = this.#pane.perch.store.presence.get(b.jid);
    const { word, kind } = this.#pane.availability(b.jid, p);
    const open = this.#pane.talking === b.jid;
    set(button, 'data-show', kind);
    set(button, 'data-stale', p?.stale ?? false);
    set(button, 'aria-current', open ? 'true' : null);
    const of = (/** @type {string} */ c) => /** @type {HTMLElement} */ (button.querySelector(c));
    nameAvatar(of('.avatar'), name);
    text(of('.name'), name);
    text(of('.word'), `, ${word}`);
    text(
      of('.status'),
      word === 'blocked' ? word : p?.status || (b.ask === 'subscribe' ? 'invited, no answer yet' : p?.available && p.show ? word : ''),
    );
    this.#pane.photos.show(b.jid, of('.avatar'));
  }

  /** @param {Invitation} i */
  #invitation(i) {
    const p = this.#pane.perch;
    const act = (/** @type {() => Promise<unknown>} */ f, /** @type {string} */ done) => () => attempt(async () => (await f(), note(done)));
    return h(
      'li',
      { class: 'invitation', 'data-jid': i.jid },
      h('strong', { class: 'name', dir: 'auto' }),
      h('p', { class: 'status', dir: 'auto' }),
      h(
        'div',
        { class: 'row' },
        h('button', { onclick: act(() => p.acceptInvitation(i.jid, i.nick ? { name: i.nick } : {}), 'You see each other now.') }, 'Accept'),
        h('button', { class: 'quiet', onclick: act(() => p.declineInvitation(i.jid), 'Declined.') }, 'Decline'),
      ),
    );
  }
}
