// One conversation: messages with their status, typing both ways, older ones by scrolling.
import { attempt, clock, h, moment, note, set, sync, text } from './dom.js';
import { availability, showCard } from './person.js';

/** @import { StoredMessage } from '../types.d.ts' */

const marks = { pending: '', accepted: '✓', sent: '✓', acked: '✓✓', delivered: '✓✓', displayed: '✓✓', failed: '!', unknown: '?' };
const words = {
  pending: 'waits to be sent',
  accepted: 'accepted: the gateway has it',
  sent: 'sent to the XMPP service',
  acked: 'the service has it',
  delivered: 'a device has it',
  displayed: 'seen',
  failed: 'not sent',
  unknown: 'the link was lost; the service cannot tell whether it was delivered',
};

export class Chat {
  #pane;
  #jid = '';
  #typed = 0;
  /** @type {any} */ #paused;
  #loading = false;
  /** Conversations whose newest page was asked for. */ #asked = new Set();

  /** @param {import('./pane.js').Pane} pane */
  constructor(pane) {
    this.#pane = pane;
    const id = pane.id;
    this.title = h('h2', { id: `${id}-chat`, tabindex: -1 });
    this.presence = h('p', { class: 'status' });
    this.empty = h(
      'div',
      { class: 'nothing' },
      h('p', {}, 'Choose a buddy to talk to.'),
      h('p', { class: 'status' }, 'Echo answers whatever you say.'),
    );
    this.older = h('button', { class: 'quiet older', onclick: () => this.#loadOlder() }, 'Older messages');
    this.list = h('ol', { class: 'messages' });
    this.typing = h('p', { class: 'typing', 'aria-live': 'polite' });
    this.log = h(
      'div',
      { class: 'log', role: 'log', 'aria-label': 'Messages', tabindex: 0, onscroll: () => this.log.scrollTop < 40 && this.#loadOlder() },
      this.older,
      this.list,
      this.typing,
    );
    this.input = h('textarea', {
      rows: 1,
      placeholder: 'Write a message',
      'aria-label': 'Message',
      onkeydown: (/** @type {KeyboardEvent} */ e) => this.#key(e),
      oninput: () => this.#composing(),
    });
    const call = () => ({ method: 'POST', path: '/v1/messages', body: { to: this.#jid, body: this.input.value || 'Hello!' } });
    this.form = h(
      'form',
      { class: 'write', onsubmit: (/** @type {Event} */ e) => (e.preventDefault(), this.#send()) },
      this.input,
      pane.curl('send a message', call),
      h('button', {}, 'Send'),
    );
    const history = pane.curl('read the archive', () => ({ path: `/v1/archive?with=${encodeURIComponent(this.#jid)}&limit=10` }));
    const card = h('button', { class: 'quiet', onclick: () => this.#card() }, 'Card');
    const back = h('button', { class: 'quiet back', 'aria-label': 'Back to the people', onclick: () => this.#back() }, '‹');
    this.inside = h(
      'div',
      { class: 'inside', hidden: true },
      h('header', {}, back, h('div', { class: 'names' }, this.title, this.presence), history, card),
      this.log,
      this.form,
    );
    this.element = h('section', { class: 'chat', 'aria-label': 'Conversation' }, this.empty, this.inside);
  }

  /** @param {string} jid @param {boolean} focus */
  open(jid, focus) {
    this.#jid = jid;
    set(this.empty, 'hidden', jid !== '');
    set(this.inside, 'hidden', jid === '');
    if (!jid) return;
    this.draw();
    this.log.scrollTop = this.log.scrollHeight;
    if (focus) this.input.focus();
    if (!this.#asked.has(jid)) {
      this.#asked.add(jid);
      void this.#loadOlder(true);
    }
  }

  #back() {
    const jid = this.#jid;
    this.#pane.talk('');
    const row = /** @type {HTMLElement | undefined} */ (
      [...this.#pane.element.querySelectorAll('.buddy')].find((b) => b.getAttribute('data-jid') === jid)
    );
    row?.focus();
  }

  #card() {
    const jid = this.#jid;
    showCard(
      this.#pane.perch,
      this.#pane.photos,
      jid,
      this.#pane.nameOf(jid),
      this.#pane.curl('fetch the card', () => ({ path: `/v1/vcards/${encodeURIComponent(jid)}` })),
    );
  }

  /** @param {boolean} [first] the newest page */
  async #loadOlder(first = false) {
    const c = this.#pane.perch.store.conversation(this.#jid);
    if (this.#loading || (c.complete && !first) || !this.#jid) return;
    this.#loading = true;
    const bottom = this.log.scrollHeight - this.log.scrollTop;
    try {
      await this.#pane.perch.loadHistory(this.#jid);
    } catch {
      c.complete = true; // no archive here: what was seen is what there is
    }
    this.#loading = false;
    this.draw();
    this.log.scrollTop = first ? this.log.scrollHeight : this.log.scrollHeight - bottom; // what was read stays in place
  }

  /** @param {KeyboardEvent} e */
  #key(e) {
    if (e.key !== 'Enter' || e.shiftKey || e.isComposing) return;
    e.preventDefault();
    this.#send();
  }

  #send() {
    const body = this.input.value.trim();
    if (!body) return;
    this.input.value = '';
    clearTimeout(this.#paused);
    this.#typed = 0;
    this.log.scrollTop = this.log.scrollHeight;
    this.#pane.perch.send(this.#jid, body).catch((e) => {
      // A message that was refused or cancelled shows that itself.
      if (e.code === 'outbox-full' || e.status === 401) note(e.message, 'bad');
    });
  }

  /** Sends chat states: composing at most every five seconds, and paused after the last key. */
  #composing() {
    const jid = this.#jid;
    // A chat state that is lost does no harm.
    const send = (/** @type {'composing' | 'paused'} */ state) => void this.#pane.perch.setChatState(jid, state).catch(() => {});
    if (Date.now() - this.#typed > 5000) {
      this.#typed = Date.now();
      send('composing');
    }
    clearTimeout(this.#paused);
    this.#paused = setTimeout(() => {
      if (this.#typed) send('paused');
      this.#typed = 0;
    }, 6000);
  }

  draw() {
    if (!this.#jid) return;
    const { store } = this.#pane.perch;
    const c = store.conversation(this.#jid);
    const p = store.presence.get(this.#jid);
    const name = this.#pane.nameOf(this.#jid);
    const atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 60;
    text(this.title, name);
    const { word, kind } = availability(p);
    set(this.presence, 'data-show', kind);
    text(this.presence, [word, p?.status, p?.stale && 'before the link was lost'].filter(Boolean).join(' · '));
    set(this.older, 'hidden', c.complete);
    text(this.typing, c.typing === 'composing' ? `${name} is writing…` : '');
    let day = '';
    /** @type {{ key: string, m?: StoredMessage, day?: string }[]} */ const rows = [];
    for (const m of c.messages) {
      const d = new Date(m.time).toLocaleDateString([], { weekday: 'long', day: 'numeric', month: 'long' });
      if (d !== day) rows.push({ key: `day ${d}`, day: d });
      day = d;
      rows.push({ key: m.key, m });
    }
    if (c.gap) rows.push({ key: 'gap', day: 'Some messages may be missing here' });
    sync(
      this.list,
      rows,
      (r) => r.key,
      (r) => (r.m ? this.#message(r.m) : h('li', { class: 'day' }, r.day)),
      (e, r) => r.m && this.#update(e, r.m),
    );
    if (atEnd) this.log.scrollTop = this.log.scrollHeight;
  }

  /** @param {StoredMessage} m */
  #message(m) {
    return h(
      'li',
      { class: `message ${m.direction}`, 'data-id': m.id },
      h('span', { class: 'hidden' }, m.direction === 'in' ? `${this.#pane.nameOf(this.#jid)}: ` : 'You: '),
      h('p', { class: 'body', dir: 'auto' }, m.body),
      h(
        'p',
        { class: 'meta' },
        h('time', {}),
        h('span', { class: 'mark' }),
        h('button', { class: 'link', hidden: true, onclick: () => attempt(() => this.#pane.perch.retry(this.#jid, m.id)) }, 'Try again'),
        h('button', { class: 'link', hidden: true, onclick: () => attempt(() => this.#cancel(m)) }),
      ),
    );
  }

  /** What a pending message waits for, as text. */
  #waiting() {
    const { waits } = this.#pane.perch.outbox;
    return { stream: 'Waits for the connection', backoff: 'Waits to try again', credentials: 'Waits for a new token', none: 'Sending…' }[
      waits ?? 'none'
    ];
  }

  /** Takes back a message that waits, or dismisses one that has failed. @param {StoredMessage} m */
  async #cancel(m) {
    if (!(await this.#pane.perch.cancel(this.#jid, m.id))) note('It was sent already.');
  }

  /** @param {HTMLElement} e @param {StoredMessage} m */
  #update(e, m) {
    const [time, mark, again, drop] = /** @type {HTMLElement[]} */ ([...(e.querySelector('.meta')?.children ?? [])]);
    if (!time || !mark || !again || !drop) return;
    text(time, clock(m.time) + (m.delayed ? ' · came late' : ''));
    set(time, 'title', moment(m.time));
    set(e, 'data-status', m.status);
    set(again, 'hidden', m.status !== 'failed');
    set(drop, 'hidden', m.status !== 'failed' && m.status !== 'pending');
    text(drop, m.status === 'failed' ? 'Dismiss' : 'Cancel');
    set(e, 'data-id', m.id);
    if (!m.status) return;
    text(
      mark,
      m.status === 'failed'
        ? `Not sent: ${m.error ?? 'the service refused it'}`
        : m.status === 'pending'
          ? this.#waiting()
          : marks[m.status],
    );
    set(mark, 'role', m.status === 'failed' || m.status === 'pending' ? null : 'img');
    set(mark, 'aria-label', m.status === 'failed' || m.status === 'pending' ? null : words[m.status]);
    set(mark, 'title', words[m.status]);
  }
}
