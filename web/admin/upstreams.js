// The upstreams: logins, and why they fail.
import { h, sync, text } from '../console/dom.js';
import { ask } from './api.js';
import { age, facts, labelled, missing, showState, stateOf } from './parts.js';

/** The limits of an upstream on each node, by the names of their settings. @param {any} l */
function limitsOf(l) {
  const all = [
    ['max-sessions', l.max_sessions],
    ['sessions-per-account', l.sessions_per_account],
    ['account-rate', l.account_rate],
    ['logins', l.logins],
    ['login-rate', l.login_rate],
  ].flatMap(([name, n]) => (n ? [`${name} ${n}`] : []));
  if (l.idle && l.idle !== 'keep') all.push(`idle ${l.idle} after ${l.idle_after_ms / 1000} s`);
  return all.join(', ');
}

/** Which access tokens go to an upstream. @param {any} t */
function tokensOf(t) {
  if (!t.taken) return 'none';
  const which = t.prefix ? [`${t.prefix}…`] : [];
  if (t.default) which.push('all others');
  return which.join(', ') || 'where the client names it';
}

export class Upstreams {
  constructor() {
    this.list = h('ul', { class: 'cards' });
    this.lost = h('p', { class: 'why' });
    this.element = h('section', { 'aria-labelledby': 'upstreams' }, h('h2', { id: 'upstreams' }, 'Upstreams'), this.lost, this.list);
  }

  async load() {
    const { items, unreachable } = await ask('GET', 'upstreams');
    text(this.lost, missing(unreachable));
    sync(
      this.list,
      items,
      (/** @type {any} */ u) => u.name,
      () => h('li', {}, h('div', { class: 'heading' }, h('h3', {}), stateOf()), h('dl', {}), h('p', { class: 'why' })),
      (e, u) => this.update(e, u),
    );
  }

  /** @param {HTMLElement} e @param {any} u */
  update(e, u) {
    const [head, dl, why] = /** @type {HTMLElement[]} */ ([...e.children]);
    if (!head || !dl || !why) return;
    text(/** @type {Element} */ (head.firstElementChild), u.name);
    const online = u.sessions.online ?? 0;
    const all = Object.values(u.sessions).reduce((/** @type {number} */ sum, n) => sum + Number(n), 0);
    showState(/** @type {Element} */ (head.lastElementChild), online < all ? 'reconnecting' : 'online');
    if (head.lastElementChild?.lastElementChild) text(head.lastElementChild.lastElementChild, `${online} of ${all} online`);
    facts(dl, [
      ['domain', u.domain || '–'],
      ['logins', `${u.sign_ins}, and ${u.resumes} resumed; ${u.logins_waiting} wait`],
      ['took', u.login_time.count ? `${u.login_time.mean_ms} ms, at most ${u.login_time.max_ms}` : '–'],
      ['failed', u.failures.map((/** @type {any} */ f) => `${f.count} ${f.cause}`).join(', ') || 'none'],
      ['tokens', tokensOf(u.tokens)],
      ['limits', limitsOf(u.limits)],
      ['labels', labelled(u.labels)],
    ]);
    const f = u.last_failure;
    text(why, f ? `${age(f.at)} ago: ${f.cause}. ${f.advice}` : '');
  }
}
