// One message: what it replies to, its text, files as links, reactions, time and status.
import { resourceOf, sameAccount } from '../perch/jids.js';
import { attempt, h, note, set, sync, text } from './dom.js';
import { plainly } from './explain.js';
import { drawFiles } from './files.js';
import { rich } from './rich.js';
import { summary } from './talks.js';
import { clock, moment, showTime } from './times.js';

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
const changes = { edit: 'edited', retraction: 'deleted', reactions: 'changed' };

export class MessageView {
  #pane;
  #chat;
  /** What an element shows. @type {WeakMap<Element, StoredMessage>} */ #shown = new WeakMap();
  /** What a body is made of. @type {WeakMap<Element, string>} */ #made = new WeakMap();

  /** @param {import('./pane.js').Pane} pane @param {import('./chat.js').Chat} chat */
  constructor(pane, chat) {
    this.#pane = pane;
    this.#chat = chat;
  }

  /** @param {StoredMessage} m */
  make({ key, direction }) {
    const { perch } = this.#pane;
    const now = () => /** @type {StoredMessage} */ (this.#chat.message(key));
    const on = (/** @type {(m: StoredMessage) => unknown} */ f) => () => attempt(async () => f(now()));
    return h(
      'li',
      { class: `message ${direction}`, tabindex: -1, 'data-key': key },
      h('span', { class: 'hidden from', dir: 'auto' }),
      h('button', { class: 'quote', hidden: true, tabindex: -1, dir: 'auto', onclick: on((m) => this.#chat.show(m.reply_to?.ref ?? '')) }),
      h('div', { class: 'body', dir: 'auto' }),
      h('ul', { class: 'files' }),
      h('div', { class: 'reactions' }),
      h(
        'p',
        { class: 'meta' },
        h('span', { class: 'edited' }),
        h('time', {}),
        h('span', { class: 'mark' }),
        h('button', { class: 'link again', hidden: true, onclick: on((m) => perch.retry(this.#chat.jid, idOf(m))) }, 'Try again'),
        h('button', { class: 'link drop', hidden: true, onclick: on((m) => this.#cancel(m)) }),
        h(
          'button',
          { class: 'link acts', hidden: true, tabindex: -1, 'aria-expanded': 'false', onclick: on((m) => this.#chat.actions.toggle(m)) },
          '⋯',
        ),
      ),
    );
  }

  /** Takes back what waits, or dismisses what has failed. @param {StoredMessage} m */
  async #cancel(m) {
    if (!(await this.#pane.perch.cancel(this.#chat.jid, idOf(m)))) note('It was sent already.');
  }

  /** @param {HTMLElement} e @param {StoredMessage} m */
  update(e, m) {
    const of = (/** @type {string} */ what) => /** @type {HTMLElement} */ (e.querySelector(what));
    this.#drawState(of, m);
    this.#drawQuote(of('.quote'), m); // what it quotes may have changed
    if (this.#shown.get(e) === m) return;
    this.#shown.set(e, m);
    set(e, 'data-status', m.status);
    set(e, 'data-id', m.id);
    set(e, 'data-gone', Boolean(m.retracted));
    const room = this.#chat.conversation.type === 'room';
    text(
      of('.from'),
      m.direction === 'out' ? 'You: ' : room ? m.room?.nick || this.#pane.nameOf(this.#chat.jid) : `${this.#pane.nameOf(this.#chat.jid)}: `,
    );
    set(of('.from'), 'class', room && m.direction === 'in' ? 'from' : 'hidden from');
    this.#drawBody(of('.body'), m);
    drawFiles(of('.files'), m.attachments ?? []);
    this.#drawReactions(of('.reactions'), m);
    text(of('.edited'), m.edited && !m.retracted ? 'edited' : '');
    set(of('.edited'), 'title', m.edited && moment(m.edited.at));
    showTime(of('time'), m.time, (t) => clock(t) + (m.delayed ? ' · came late' : ''));
  }

  /** @param {HTMLElement} e @param {StoredMessage} m */
  #drawQuote(e, { reply_to: r }) {
    set(e, 'hidden', !r);
    if (!r) return;
    const quoted = this.#chat.byRef(r.ref);
    const account = this.#pane.perch.store.session?.jid;
    const own = quoted ? quoted.direction === 'out' : Boolean(r.from && account && sameAccount(r.from, account));
    const author = this.#chat.conversation.type === 'room' ? (quoted?.room?.nick ?? resourceOf(r.from ?? '')) : '';
    text(
      e,
      `${own ? 'You' : author || this.#pane.nameOf(this.#chat.jid)}: ${quoted ? summary(quoted) : (r.excerpt ?? 'an earlier message')}`,
    );
  }

  /** An equal body stays: text may be selected in it, a link have the focus, a spoiler be open.
   * @param {HTMLElement} e @param {StoredMessage} m */
  #drawBody(e, m) {
    const only = m.attachments?.some((a) => a.url === m.body); // the address stands in the link
    const of = JSON.stringify([m.body, m.spoiler, m.retracted, m.encryption, m.fallback, only]);
    if (this.#made.get(e) === of) return;
    this.#made.set(e, of);
    if (m.spoiler && !m.retracted) {
      e.replaceChildren(h('details', {}, h('summary', {}, m.spoiler.hint || 'Spoiler'), h('span', {}, ...rich(m.body))));
      return;
    }
    e.replaceChildren(...(m.retracted || m.encryption ? [summary(m)] : only ? [] : rich(m.body)));
    set(e, 'title', m.retracted?.reason || null);
  }

  /** @param {HTMLElement} e @param {StoredMessage} m */
  #drawReactions(e, m) {
    const { perch } = this.#pane;
    const may = perch.can('react') && Boolean(m.ref) && !this.#chat.block.entry;
    sync(
      e,
      m.reactions ?? [],
      (r) => r.emoji,
      ({ emoji }) =>
        h('button', { class: 'reaction', onclick: () => attempt(async () => this.#chat.actions.react(this.#chat.message(m.key), emoji)) }),
      (button, r) => {
        const by = r.by.map((jid) => this.#pane.who(jid)).join(', ');
        text(button, r.by.length > 1 ? `${r.emoji} ${r.by.length}` : r.emoji);
        set(button, 'aria-pressed', String(r.own));
        set(button, 'aria-label', `${r.emoji} by ${by}`);
        set(button, 'title', by);
        set(button, 'disabled', !may);
      },
    );
  }

  /** Status, and what can be done about a failure. @param {(what: string) => HTMLElement} of @param {StoredMessage} m */
  #drawState(of, m) {
    const state = m.change?.state ?? m.status;
    const failed = m.change ? m.change.state === 'failed' : m.status === 'failed';
    const waits = state === 'pending';
    const mark = of('.mark');
    set(of('.again'), 'hidden', !failed);
    set(of('.drop'), 'hidden', !failed && !waits);
    text(of('.drop'), failed ? 'Dismiss' : 'Cancel');
    set(of('.acts'), 'hidden', this.#chat.actions.for(m).length === 0);
    set(of('.acts'), 'aria-label', `Actions: ${summary(m).slice(0, 40)}`);
    if (!m.status && !m.change) return text(mark, '');
    const plain = !failed && !waits;
    const status = m.status && this.#seen(m) ? 'displayed' : m.status;
    text(mark, failed ? this.#failure(m) : waits ? this.#waiting() : status ? marks[status] : '');
    set(mark, 'role', plain && status ? 'img' : null);
    set(mark, 'aria-label', plain && status ? words[status] : null);
    set(mark, 'title', status ? words[status] : null);
  }

  /** Whether the other side has seen it, or a later one. @param {StoredMessage} m */
  #seen(m) {
    const seen = this.#chat.conversation.peer_read?.time;
    return (
      m.direction === 'out' &&
      m.status !== 'failed' &&
      m.status !== 'pending' &&
      Boolean(seen) &&
      Date.parse(m.time) <= Date.parse(seen ?? '')
    );
  }

  /** @param {StoredMessage} m */
  #failure(m) {
    if (m.change) return `Not ${changes[m.change.kind]}: ${plainly(m.change.error ?? 'the service refused it')}`;
    return `Not sent: ${plainly(m.error ?? 'the service refused it')}`;
  }

  /** What a pending message waits for, as text. */
  #waiting() {
    const { waits } = this.#pane.perch.outbox;
    return { stream: 'Waits for the connection', backoff: 'Waits to try again', credentials: 'Waits for a new sign-in', none: 'Sending…' }[
      waits ?? 'none'
    ];
  }
}

/** What retry and cancel are about. @param {StoredMessage} m */
const idOf = (m) => m.change?.id ?? m.id;
