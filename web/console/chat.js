// One conversation: its messages, older ones by scrolling, and what is written.
import { Actions } from './actions.js';
import { BlockBar } from './blocking.js';
import { Composer } from './composer.js';
import { h, note, set, soon, sync, text } from './dom.js';
import { ChatMenu } from './chat_menu.js';
import { MessageView } from './message.js';
import { RoomBar } from './room.js';
import { Shown } from './shown.js';
import { dayOf } from './times.js';

/** @import { StoredMessage } from '../types.d.ts' */

/** Pages that are read to find a message that was replied to, or searched for; and messages in each. */
const mostPages = 10;
const pageSize = 100;
/** How far from an end what comes next is made, in pixels. */
const near = 600;

/** Who writes. @param {import('../types.d.ts').Conversation} c @param {string} name */
function writers({ type, writing }, name) {
  if (type !== 'room') return `${name} is writing`;
  const [one, two] = writing;
  if (writing.length === 1) return `${one} is writing`;
  return writing.length === 2 ? `${one} and ${two} are writing` : `${one} and ${writing.length - 1} others are writing`;
}

export class Chat {
  #pane;
  /** The conversation whose page is on its way. */ #loading = '';
  /** That page. @type {Promise<unknown>} */ #page = Promise.resolve();
  /** Conversations whose newest page was asked for. */ #asked = new Set();
  /** The open conversation. */ jid = '';
  /** Of which hole the archive was asked last. */ #filled = '';
  /** Which messages have elements. */ #shown = new Shown();
  /** Whether the newest message is in view. */ #atEnd = true;

  /** @param {import('./pane.js').Pane} pane */
  constructor(pane) {
    this.#pane = pane;
    const id = pane.id;
    this.view = new MessageView(pane, this);
    this.actions = new Actions(pane, this);
    this.composer = new Composer(pane, this);
    this.room = new RoomBar(pane, this);
    this.block = new BlockBar(pane, this);
    this.title = h('h2', { id: `${id}-chat`, tabindex: -1, dir: 'auto' });
    this.presence = h('p', { class: 'status', dir: 'auto' });
    this.hint = h('p', { class: 'status' });
    this.empty = h('div', { class: 'nothing' }, h('p', {}, 'Choose a buddy to talk to.'), this.hint);
    this.older = h('button', { class: 'quiet older', onclick: () => this.#older() }, 'Older messages');
    this.newest = h('button', { class: 'quiet newest', hidden: true, onclick: () => this.toEnd() }, 'Newest messages');
    this.list = h('ol', { class: 'messages' });
    this.typing = h('p', { class: 'typing', 'aria-live': 'polite' });
    this.log = h(
      'div',
      {
        class: 'log',
        role: 'log',
        'aria-label': 'Messages',
        tabindex: 0,
        onscroll: this.#scrolled,
        onkeydown: (/** @type {KeyboardEvent} */ e) => this.#key(e),
      },
      this.older,
      this.list,
      this.typing,
    );
    new ResizeObserver(() => this.#atEnd && this.toEnd()).observe(this.log); // a keyboard may cover half of it
    this.menu = new ChatMenu(pane, this);
    const back = h('button', { class: 'quiet back', 'aria-label': 'Back to the people', onclick: () => this.#back() }, '‹');
    this.inside = h(
      'div',
      {
        class: 'inside',
        hidden: true,
        ondragover: (/** @type {DragEvent} */ e) => e.dataTransfer?.types.includes('Files') && e.preventDefault(),
        ondrop: (/** @type {DragEvent} */ e) => this.composer.take(e, e.dataTransfer),
      },
      h('header', {}, back, h('div', { class: 'names' }, this.title, this.presence), this.room.button, this.menu.element),
      this.room.banner,
      this.block.banner,
      this.log,
      this.newest,
      this.room.people.element,
      this.composer.element,
    );
    this.element = h('section', { class: 'chat', 'aria-label': 'Conversation' }, this.empty, this.inside);
  }

  get conversation() {
    return this.#pane.perch.store.conversation(this.jid);
  }

  /** The message as it is now. @param {string} key */
  message(key) {
    return this.conversation.messages.find((m) => m.key === key);
  }

  /** @param {string} ref */
  byRef(ref) {
    return ref ? this.conversation.messages.findLast((m) => m.ref === ref) : undefined;
  }

  /** The element of a message. @param {string} key @returns {HTMLElement | undefined} */
  row(key) {
    return this.#rows().find((e) => e.dataset.key === key);
  }

  /** @returns {HTMLElement[]} */
  #rows() {
    return /** @type {HTMLElement[]} */ ([...this.list.querySelectorAll('.message')]);
  }

  /** @param {string} jid @param {boolean} focus */
  open(jid, focus) {
    const other = jid !== this.jid;
    if (other) {
      this.actions.close(false);
      this.#shown.reset();
    }
    this.jid = jid;
    if (other) this.room.opened();
    set(this.empty, 'hidden', jid !== '');
    set(this.inside, 'hidden', jid === '');
    if (!jid) return;
    this.composer.open(jid);
    this.draw();
    this.toEnd();
    if (focus) (this.block.entry ? this.title : this.composer.input).focus();
    if (!this.#asked.has(jid)) {
      this.#asked.add(jid);
      void this.#loadOlder(true);
    }
  }

  /** To the newest message. */
  toEnd() {
    if (!this.#shown.follows(this.conversation.messages)) {
      this.#shown.reset();
      this.draw();
    }
    this.log.scrollTop = this.log.scrollHeight;
    this.#atEnd = true;
  }

  /** What is further down, in pixels. */
  get #below() {
    const { scrollTop, scrollHeight, clientHeight } = this.log;
    return scrollHeight - scrollTop - clientHeight;
  }

  #isAtEnd() {
    return this.#below < 60 && this.#shown.follows(this.conversation.messages);
  }

  /** Makes elements of what is about to be seen, after the frame that is being made: a few, or many where none are
   * left. */
  #scrolled = soon(() => {
    if (!this.jid) return;
    const above = this.log.scrollTop;
    const below = this.#below;
    this.#atEnd = this.#isAtEnd();
    if (above < near) this.#older(above < near / 3);
    else if (below < near && this.#shown.newer(this.conversation.messages, below < near / 3)) this.#drawOthers();
    this.#drawNewest();
  }, 0);

  #drawNewest() {
    const follows = this.#shown.follows(this.conversation.messages);
    set(this.newest, 'hidden', follows && this.#below < 2 * this.log.clientHeight);
  }

  /** Older messages: those that are here already, else those of the archive. @param {boolean} [hurry] */
  #older(hurry = true) {
    if (!this.#shown.older(this.conversation.messages, hurry)) return this.#loadOlder();
    this.#drawOthers();
    return Promise.resolve();
  }

  #back() {
    const { jid } = this;
    this.#pane.talk('');
    const rows = /** @type {HTMLElement[]} */ ([...this.#pane.element.querySelectorAll('.talk, .buddy')]);
    rows.find((b) => b.getAttribute('data-jid') === jid)?.focus();
  }

  /** @param {boolean} [first] the newest page @param {number} [limit] */
  async #loadOlder(first = false, limit = 50) {
    const { jid } = this;
    if (!jid || (this.conversation.complete && !first)) return;
    if (this.#loading === jid) return void (await this.#page);
    this.#loading = jid;
    this.#page = this.#pane.perch.loadHistory(jid, limit).catch(() => {}); // the next time may have more luck
    await this.#page;
    if (this.#loading === jid) this.#loading = '';
    if (this.jid !== jid) return;
    if (!first) {
      this.#shown.older(this.conversation.messages, false);
      return this.#drawOthers();
    }
    this.draw();
    this.toEnd();
  }

  /** Reads what is missing of a room, once for each news of it. @param {import('../types.d.ts').Conversation} c */
  #fill({ jid, type, gap, last_activity_at: at }) {
    if (type !== 'room' || !gap || document.hidden || this.#filled === `${jid} ${at}`) return;
    this.#filled = `${jid} ${at}`;
    void this.#pane.perch.fillGap(jid).catch(() => {}); // the next message is the next chance
  }

  /** Shows the message that another one replies to, however old it is. @param {string} ref */
  async show(ref) {
    await this.#find(() => this.byRef(ref));
  }

  /** Shows a message that the archive has found. @param {string} ref @param {string} archive its id there */
  async find(ref, archive) {
    const { jid } = this;
    const found = () => this.byRef(ref) ?? this.conversation.messages.findLast((m) => m.archive === archive);
    if (!(await this.#find(found)) && this.jid === jid) note('That message is too far back to be shown here.');
  }

  /** Reads older pages until a message is there. Reports whether it is. @param {() => StoredMessage | undefined} found */
  async #find(found) {
    const { jid } = this;
    for (let n = 0; n < mostPages && !found() && !this.conversation.complete; n++) {
      await this.#loadOlder(false, pageSize);
      if (this.jid !== jid) return false;
    }
    const m = found();
    if (m) {
      this.#shown.around(this.conversation.messages, m.key);
      this.draw();
    }
    this.#focus(this.row(m?.key ?? ''));
    return Boolean(m);
  }

  /** Arrow keys go through the messages; Enter shows what can be done with one. @param {KeyboardEvent} e */
  #key(e) {
    const rows = this.#rows();
    const at = rows.indexOf(/** @type {HTMLElement} */ (e.target));
    if (at < 0 && e.target !== this.log) return;
    const m = this.message(rows[at]?.dataset.key ?? '');
    const may = m ? this.actions.for(m) : [];
    const next = {
      ArrowUp: at < 0 ? rows.length - 1 : at - 1,
      ArrowDown: at < 0 ? rows.length - 1 : at + 1,
      Home: 0,
      End: rows.length - 1,
    }[e.key];
    if (next === -1 && m) void this.#before(m.key);
    else if (next !== undefined) this.#focus(rows[Math.max(0, Math.min(rows.length - 1, next))]);
    else if (m && e.key === 'Enter') this.actions.open(m);
    else if (m && e.key === 'r' && may.includes('reply')) this.composer.reply(m);
    else if (m && e.key === 'e' && may.includes('edit')) this.composer.edit(m);
    else if (e.key === 'Escape') this.composer.input.focus();
    else return;
    e.preventDefault();
  }

  /** To the message before one that is the first with an element. @param {string} key */
  async #before(key) {
    await this.#older();
    const all = this.conversation.messages;
    const at = all.findIndex((m) => m.key === key);
    this.#focus(this.row(all[at - 1]?.key ?? key));
  }

  /** @param {HTMLElement | undefined} row */
  #focus(row) {
    if (!row) return;
    for (const e of this.#rows()) set(e, 'tabindex', e === row ? 0 : -1);
    row.focus();
    row.scrollIntoView({ block: 'nearest' });
  }

  draw() {
    if (!this.jid) return text(this.hint, this.#pane.service?.hint ?? '');
    const { perch } = this.#pane;
    if (!document.hidden && this.conversation.unread > 0) void perch.markRead(this.jid).catch(() => {}); // it is told again with the next message
    const c = this.conversation;
    const p = c.type === 'chat' ? perch.store.presence.get(this.jid) : undefined;
    const name = this.#pane.nameOf(this.jid);
    const atEnd = this.#isAtEnd();
    text(this.title, name);
    const { word, kind } = this.#pane.availability(this.jid, p);
    set(this.presence, 'data-show', kind);
    const line = [word, p?.status, p?.stale && 'before the link was lost'].filter(Boolean).join(' · ');
    const room = perch.store.rooms.get(this.jid);
    text(this.presence, c.type === 'chat' ? line : this.room.line());
    set(this.presence, 'title', room?.subject?.text || null);
    this.room.draw();
    this.block.draw();
    set(this.inside, 'data-type', c.type);
    set(this.inside, 'data-people', !this.room.people.element.hidden);
    text(this.typing, c.typing === 'composing' ? `${writers(c, name)}…` : '');
    this.composer.draw();
    this.#fill(c);
    const place = atEnd ? null : this.#place();
    this.#drawMessages(c);
    if (atEnd) this.log.scrollTop = this.log.scrollHeight;
    else place?.();
    this.#drawNewest();
  }

  /** Other messages have elements now; the rest of the conversation is drawn already, and scrolling has no time for it. */
  #drawOthers() {
    const place = this.#place();
    this.#drawMessages(this.conversation, false);
    place();
  }

  /** @param {import('../types.d.ts').Conversation} c @param {boolean} [again] those, too, that have an element */
  #drawMessages({ messages, complete, gap }, again = true) {
    const { from, to } = this.#shown.range(messages);
    set(this.older, 'hidden', from === 0 && complete);
    let day = '';
    /** @type {{ key: string, m?: StoredMessage, day?: string }[]} */ const rows = [];
    for (const m of messages.slice(from, to)) {
      const d = dayOf(m.time);
      if (d !== day) rows.push({ key: `day ${d}`, day: d });
      day = d;
      rows.push({ key: m.key, m });
    }
    if (gap && to === messages.length) rows.push({ key: 'gap', day: 'Some messages may be missing here' });
    sync(
      this.list,
      rows,
      (r) => r.key,
      (r) => (r.m ? this.view.make(r.m) : h('li', { class: 'day' }, r.day)),
      (e, r) => r.m && (again || !e.isConnected) && this.view.update(e, r.m),
    );
  }

  /** What is read stays in its place, whatever comes before it or goes: call the result afterwards. */
  #place() {
    const { top } = this.log.getBoundingClientRect();
    const seen = this.#rows().filter((e) => e.getBoundingClientRect().bottom > top);
    const at = seen.map((e) => e.getBoundingClientRect().top);
    return () => {
      const i = seen.findIndex((e) => e.isConnected);
      if (i >= 0) this.log.scrollTop += /** @type {HTMLElement} */ (seen[i]).getBoundingClientRect().top - /** @type {number} */ (at[i]);
    };
  }
}
