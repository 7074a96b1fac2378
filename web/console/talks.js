// The chats by their last activity, with what was said last and how many messages are new.
import { attempt, h, set, sync, text } from './dom.js';
import { avatar, nameAvatar } from './person.js';
import { isolated } from './rich.js';
import { standing } from './room.js';
import { recent, showTime } from './times.js';

/** @import { Conversation, Room } from '../types.d.ts' */

/** How the dot of a room looks. @param {Room | undefined} room */
const roomKind = (room) => (room?.state === 'joined' ? 'online' : room?.state === 'joining' ? 'away' : 'offline');

export class Talks {
  #pane;
  #asked = false;

  /** @param {import('./pane.js').Pane} pane */
  constructor(pane) {
    this.#pane = pane;
    this.list = h('ul', { class: 'talks' });
    this.archived = h('ul', { class: 'talks' });
    this.box = h('details', { hidden: true }, h('summary', {}, 'Archived'), this.archived);
    this.more = h(
      'button',
      { class: 'quiet older', hidden: true, onclick: () => attempt(() => pane.perch.loadConversations()) },
      'More chats',
    );
    this.element = h(
      'section',
      { 'aria-labelledby': `${pane.id}-talks` },
      h('h2', { id: `${pane.id}-talks` }, 'Chats'),
      this.list,
      this.box,
      this.more,
    );
  }

  /** Asks for the list once it is known that there is one. */
  async load() {
    const { perch } = this.#pane;
    if (this.#asked || !perch.can('conversations')) return;
    this.#asked = true;
    const more = await perch.loadConversations().catch(() => ((this.#asked = false), false));
    set(this.more, 'hidden', !more);
  }

  /** @param {string} wanted what the name has to have in it, in lower case */
  draw(wanted) {
    const fits = (/** @type {Conversation} */ c) => `${this.#pane.nameOf(c.jid)} ${c.jid}`.toLowerCase().includes(wanted);
    const all = this.#pane.perch.store.list.filter(fits);
    const archived = all.filter((c) => c.archived);
    set(this.element, 'hidden', all.length === 0);
    set(this.box, 'hidden', archived.length === 0);
    for (const [list, rows] of /** @type {[Element, Conversation[]][]} */ ([
      [this.list, all.filter((c) => !c.archived)],
      [this.archived, archived],
    ])) {
      sync(
        list,
        rows,
        (c) => c.jid,
        (c) => this.#row(c),
        (e, c) => this.#update(e.firstElementChild, c),
      );
    }
    set(this.more, 'hidden', !this.#pane.perch.moreConversations);
  }

  /** @param {Conversation} c */
  #row({ jid }) {
    const face = avatar(this.#pane.nameOf(jid));
    const parts = [
      face,
      h('span', { class: 'dot' }),
      h('span', { class: 'line' }, h('span', { class: 'name', dir: 'auto' }), h('time', {})),
      h('span', { class: 'line' }, h('span', { class: 'status', dir: 'auto' }), h('span', { class: 'badge' })),
    ];
    return h('li', {}, h('button', { class: 'talk', 'data-jid': jid, onclick: () => this.#pane.talk(jid) }, ...parts));
  }

  /** @param {HTMLElement} e @param {Conversation} c */
  #update(e, c) {
    const of = (/** @type {string} */ what) => /** @type {HTMLElement} */ (e.querySelector(what));
    const presence = c.type === 'chat' ? this.#pane.perch.store.presence.get(c.jid) : undefined;
    const room = c.type === 'room' ? this.#pane.perch.store.rooms.get(c.jid) : undefined;
    const name = this.#pane.nameOf(c.jid);
    const { word, kind } = this.#pane.availability(c.jid, presence);
    set(e, 'data-show', c.type === 'room' ? roomKind(room) : kind);
    set(e, 'data-type', c.type);
    set(e, 'title', room?.subject?.text || null);
    set(e, 'data-stale', presence?.stale ?? false);
    set(e, 'aria-current', this.#pane.talking === c.jid ? 'true' : null);
    set(e, 'data-unread', c.unread > 0);
    set(e, 'data-pinned', c.pinned);
    nameAvatar(of('.avatar'), name);
    this.#pane.photos.show(c.jid, of('.avatar'));
    text(of('.name'), name);
    showTime(of('time'), c.last_activity_at, recent);
    const writing = c.writing.length ? `${c.writing[0]} is writing…` : 'is writing…';
    const said = preview(c) || room?.subject?.text || '';
    const still = word === 'blocked' ? `Blocked · ${said}` : (room && standing(room)) || said;
    text(of('.status'), c.typing === 'composing' ? writing : still);
    drawBadge(of('.badge'), c);
  }
}

/** How many messages are new. @param {Element} e @param {Conversation} c */
function drawBadge(e, c) {
  const n = c.unread;
  text(e, n > 0 ? `${n}${c.unread_exact ? '' : '+'}` : '');
  set(e, 'aria-label', n > 0 ? `${n} new${c.mentions ? `, ${c.mentions} name you` : ''}` : null);
  set(e, 'role', n > 0 ? 'img' : null);
  set(e, 'data-mention', c.mentions > 0);
}

/** The first line of what was said last. @param {Conversation} c */
function preview(c) {
  if (c.draft) return `Draft: ${c.draft}`;
  const m = c.last_message;
  if (!m) return '';
  const author = m.direction === 'out' ? 'You' : c.type === 'room' ? isolated(m.room?.nick ?? '') : '';
  return `${author ? `${author}: ` : ''}${summary(m)}`;
}

/** A message in one line.
 * @param {Pick<import('../types.d.ts').StoredMessage, 'retracted' | 'encryption' | 'fallback' | 'spoiler' | 'body' | 'attachments'>} m */
export function summary(m) {
  if (m.retracted?.moderated) return `Removed by a moderator${m.retracted.reason ? `: ${m.retracted.reason}` : ''}`;
  if (m.retracted) return 'Message deleted';
  if (m.encryption) return m.fallback || 'Encrypted message';
  if (m.spoiler) return `Spoiler${m.spoiler.hint ? `: ${m.spoiler.hint}` : ''}`;
  const file = m.attachments?.[0];
  const says = file?.url.startsWith(m.body) ? file.name : ''; // the text of a file alone is its address, or the beginning of it
  return (says || m.body || file?.url || '').slice(0, 200);
}
