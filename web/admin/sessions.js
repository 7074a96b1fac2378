// The sessions, found by account, state, upstream and node; each with what is known of it, and what
// can be done about it.
import { field, h, note, set, sync, text } from '../console/dom.js';
import { Refused, ask } from './api.js';
import { age, facts, meant, missing, showState, stateOf } from './parts.js';

/** Whether a part of it can be seen: what cannot is not asked for, and is again once it comes back.
 * @param {Element} e */
function inSight(e) {
  const { top, bottom } = e.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}

/** Marks what can be done to a session that a node has. @param {HTMLElement} button */
function live(button) {
  button.dataset.live = '';
  return button;
}

/** What there is to say of a session that no node has. @param {any} s */
const stored = (s) =>
  `No node has it${s.node ? `: ${s.node} has died` : ''}. The next request of its client opens it; it is kept until ${new Date(s.expires_at).toLocaleString()}.`;

export class Sessions {
  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
    this.pages = 1;
    /** The filter that was submitted last. */ this.filter = new URLSearchParams();
    this.jid = h('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', placeholder: 'alice@example.org' });
    this.state = h(
      'select',
      {},
      h('option', { value: '' }, 'any'),
      ['connecting', 'online', 'reconnecting', 'suspended', 'stored'].map((s) => h('option', { value: s }, s)),
    );
    this.upstream = h('input', { type: 'text', autocomplete: 'off', placeholder: 'any' });
    this.node = h('input', { type: 'text', autocomplete: 'off', placeholder: 'any' });
    this.problem = h('p', { class: 'why', role: 'alert' });
    this.lost = h('p', { class: 'why' });
    this.list = h('ul', { class: 'rows' });
    this.none = h('p', { class: 'fresh' });
    this.more = h('button', { type: 'button', class: 'quiet', onclick: () => ((this.pages += 1), this.changed()) }, 'Show more');
    const search = (/** @type {Event} */ e) => {
      e.preventDefault();
      this.pages = 1;
      this.filter = this.query();
      this.changed();
    };
    const form = h(
      'form',
      { class: 'find', role: 'search', onsubmit: search, onchange: search },
      field('jid', 'Account', this.jid),
      field('state', 'State', this.state),
      field('upstream', 'Upstream', this.upstream),
      field('node', 'Node', this.node),
      h('button', { type: 'submit' }, 'Find'),
    );
    this.element = h(
      'section',
      { 'aria-labelledby': 'sessions' },
      h('h2', { id: 'sessions' }, 'Sessions'),
      form,
      this.problem,
      this.lost,
      this.list,
      this.none,
      h('div', { class: 'row' }, this.more),
    );
  }

  /** What the form says, as a query. */
  query() {
    const q = new URLSearchParams();
    const { jid, state, upstream, node } = this;
    for (const [name, e] of Object.entries({ jid, state, upstream, node })) if (e.value.trim()) q.set(name, e.value.trim());
    return q;
  }

  async load() {
    const { filter } = this;
    const q = new URLSearchParams(filter);
    q.set('limit', '50');
    const items = [];
    let lost = [];
    let next = null;
    try {
      for (let i = 0; i < this.pages; i++) {
        const page = await ask('GET', `sessions?${q}`);
        items.push(...page.items);
        lost = page.unreachable;
        next = page.next;
        if (!next) break;
        q.set('cursor', next);
      }
    } catch (e) {
      if (!(e instanceof Refused && e.status === 422)) throw e;
      if (filter === this.filter) text(this.problem, e.message);
      return;
    }
    if (filter !== this.filter) return; // another one is asked for
    text(this.problem, '');
    text(this.lost, missing(lost));
    text(this.none, items.length ? '' : 'No session is like this.');
    set(this.more, 'hidden', !next);
    sync(
      this.list,
      items,
      (s) => s.id,
      (s) => this.make(s),
      (e, s) => this.update(e, s),
    );
    const open = [...this.list.querySelectorAll('details[open]')].filter(inSight);
    await Promise.all(open.map((e) => this.inspect(/** @type {HTMLElement} */ (e))));
  }

  /** @param {any} s */
  make(s) {
    const run = (/** @type {string} */ action, /** @type {string} */ done) => async () => {
      await ask('POST', `sessions/${s.id}/${action}`);
      note(done);
      this.changed();
    };
    const details = h(
      'details',
      { 'data-id': s.id, ontoggle: () => details.open && void this.inspect(details).catch(() => {}) },
      h('summary', {}, h('h3', {}), stateOf(), h('span', { class: 'at' }), h('span', { class: 'at' })),
      h(
        'div',
        { class: 'inside-row' },
        h('p', { class: 'why' }),
        h('dl', {}),
        h(
          'div',
          { class: 'row wrap' },
          live(meant('Reconnect', 'Drop its connection?', run('reconnect', 'The session reconnects'))),
          live(meant('Evict', 'Have it leave its node?', run('evict', 'The session has left its node'))),
          meant('Sign out', 'End it, with its log?', run('sign-out', 'The session has ended')),
        ),
      ),
    );
    return h('li', {}, details);
  }

  /** @param {HTMLElement} li @param {any} s */
  update(li, s) {
    const [name, state, at, since] = /** @type {HTMLElement[]} */ ([...(li.querySelector('summary')?.children ?? [])]);
    if (!name || !state || !at || !since) return;
    text(name, s.jid || s.id.slice(0, 8));
    showState(state, s.state);
    text(at, s.node ? `${s.upstream} at ${s.node}` : s.upstream);
    text(since, age(s.since));
    const why = li.querySelector('.why');
    if (why) text(why, s.state === 'stored' ? stored(s) : [s.reason, s.cause, s.detail].filter(Boolean).join(': '));
    // Both need a node that has it.
    for (const b of li.querySelectorAll('button[data-live]')) set(/** @type {HTMLElement} */ (b), 'hidden', s.state === 'stored');
  }

  /** Shows what only the session itself tells. @param {HTMLElement} details */
  async inspect(details) {
    const dl = details.querySelector('dl');
    const s = await ask('GET', `sessions/${details.dataset.id}`).catch(() => null);
    if (!dl || !s) return;
    facts(dl, [
      ['session', s.id],
      ['resource', s.resource || '–'],
      ['delivery', s.delivery || '–'],
      ['features', s.features.join(', ') || '–'],
      ['last stanza', s.last_stanza_at ? `${age(s.last_stanza_at)} ago` : '–'],
      ['ping', s.ping_rtt_ms === null ? '–' : `${s.ping_rtt_ms} ms`],
      ['rooms', `${s.rooms}`],
      ['outbox', s.held_back ? `${s.outbox}; the store takes no writes of it` : `${s.outbox}`],
      ['log', `${s.log.first} to ${s.log.last}, of ${s.log.epoch}`],
      ['streams', s.open_streams.map((/** @type {any} */ x) => `${x.transport} for ${age(x.since)}`).join(', ') || 'none'],
      ['tokens', s.tokens.map((/** @type {any} */ t) => `${t.id} (${t.kind})`).join(', ') || 'none'],
    ]);
  }
}
