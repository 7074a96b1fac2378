// The account itself: own presence, state of the session with its reasons, and its ends.
import { attempt, clock, h, moment, note, part, set, text } from './dom.js';
import { leave as toSignIn } from './signin.js';

const shows = [
  ['', 'Available'],
  ['chat', 'Wants to talk'],
  ['away', 'Away'],
  ['xa', 'Away for long'],
  ['dnd', 'Do not disturb'],
  ['offline', 'Appear offline'],
];

const states = { connecting: 'Signing in', online: 'Online', reconnecting: 'Reconnecting', suspended: 'Suspended', closed: 'Ended' };

/** The text for each reason of a state; an unknown reason is shown as it is. */
const reasons = /** @type {Record<string, string>} */ ({
  'link-lost': 'the link to the XMPP service was lost',
  credentials: 'the service does not accept the token any more',
  conflict: 'another client took this session',
  policy: 'the service refused what was sent',
  config: 'the gateway is set up wrongly for this service',
  'redirect-refused': 'the service sent us to a host that is not allowed',
  'upstream-tls': 'the certificate of the service is not right',
  'signed-out': 'you have signed out',
  'try-later': 'the service asks to try again later',
});

const cutter = 'scissors@contoso.com';

export class SessionBox {
  #pane;
  #leave;

  /** @param {import('./pane.js').Pane} pane @param {() => void} leave */
  constructor(pane, leave) {
    this.#pane = pane;
    this.#leave = leave;
    this.chip = h(
      'button',
      { class: 'chip', 'aria-expanded': 'false', 'aria-controls': `${pane.id}-session`, onclick: () => this.#toggle() },
      h('span', { class: 'dot' }),
      h('span', { class: 'label' }),
    );
    this.banner = h('div', { class: 'banner', role: 'status', hidden: true });
    this.facts = h('dl', {});
    this.own = this.#ownPresence();
    this.cut = h(
      'button',
      { class: 'quiet', hidden: !pane.token.startsWith('demo-'), onclick: () => this.#cutLink() },
      'Cut the XMPP link',
    );
    this.blocked = this.#later(
      'Blocked',
      () => import('./blocking_dialogs.js'),
      (m) => m.showBlocked(pane),
      true,
    );
    this.push = this.#later(
      'Push messages',
      () => import('./push.js'),
      (m) => m.showPush(pane),
      true,
    );
    this.panel = h(
      'section',
      { class: 'session', id: `${pane.id}-session`, 'aria-label': 'Session', hidden: true },
      this.facts,
      h('div', { class: 'row wrap' }, ...this.#buttons()),
      this.#passwordForm(),
    );
  }

  #buttons() {
    const pane = this.#pane;
    const button = (/** @type {string} */ label, /** @type {() => unknown} */ onclick, kind = 'quiet') =>
      h('button', { class: kind, onclick }, label);
    return [
      pane.curl('state of the session', () => ({ path: '/v1/session' })),
      pane.curl('the event stream', () => ({ path: '/v1/events', accept: 'application/x-ndjson' })),
      this.cut,
      button('Reopen the stream', () => (pane.perch.disconnect(), pane.perch.connect())),
      pane.alerts.button,
      this.blocked,
      this.#later(
        'Devices and tokens',
        () => import('./devices.js'),
        (m) => m.showDevices(pane, this.#leave),
      ),
      this.#later(
        'Webhooks',
        () => import('./webhooks.js'),
        (m) => m.showWebhooks(pane),
      ),
      this.push,
      button('Leave (stay online)', this.#leave),
      button('Sign out', () => attempt(async () => (await pane.perch.signOut(), this.#leave())), 'danger'),
      pane.curl('sign out', () => ({ method: 'DELETE', path: '/v1/session' })),
    ];
  }

  /** A button of a part that is loaded with its first use.
   * @template T @param {string} label @param {() => Promise<T>} load @param {(module: T) => unknown} show @param {boolean} [hidden] */
  #later(label, load, show, hidden = false) {
    return h('button', { class: 'quiet', hidden, onclick: part(load, show) }, label);
  }

  /** The form for another password, of a session that was opened with one. */
  #passwordForm() {
    const field = (/** @type {string} */ label, /** @type {string} */ autocomplete) =>
      h('input', { type: 'password', required: true, autocomplete, placeholder: label, 'aria-label': label });
    const current = field('Password of now', 'current-password');
    const fresh = field('New password', 'new-password');
    const again = field('New password once more', 'new-password');
    const change = async (/** @type {SubmitEvent} */ e) => {
      e.preventDefault();
      if (fresh.value !== again.value) {
        again.setCustomValidity('The two are not the same.');
        again.reportValidity();
        return;
      }
      await attempt(async () => {
        await this.#pane.perch.changePassword(current.value, fresh.value);
        /** @type {HTMLFormElement} */ (e.target).reset();
        note('The password is changed. Other clients of this account need the new one.');
      });
    };
    return h(
      'form',
      {
        class: 'row wrap',
        'aria-label': 'Change the password',
        hidden: !this.#pane.token.startsWith('perch_'),
        oninput: () => again.setCustomValidity(''), // of either: the first may be the wrong one
        onsubmit: change,
      },
      current,
      fresh,
      again,
      h('button', { class: 'quiet' }, 'Change password'),
    );
  }

  #toggle() {
    this.panel.hidden = !this.panel.hidden;
    set(this.chip, 'aria-expanded', !this.panel.hidden);
    if (!this.panel.hidden) void attempt(async () => ((this.#pane.perch.store.session = await this.#pane.perch.getSession()), this.draw()));
  }

  #ownPresence() {
    const p = this.#pane;
    const show = h('select', { 'aria-label': 'Your presence' }, ...shows.map(([value, label]) => h('option', { value }, label)));
    const status = h('input', { placeholder: 'Say something about yourself', 'aria-label': 'Your status', maxlength: 200 });
    const body = () =>
      show.value === 'offline'
        ? { available: false, status: status.value }
        : { available: true, show: show.value || null, status: status.value };
    const apply = () => attempt(() => p.perch.setOwnPresence(/** @type {any} */ (body())));
    show.addEventListener('change', apply);
    status.addEventListener('change', apply);
    void p.perch.getOwnPresence().then(
      (own) => {
        show.value = own.available ? (own.show ?? '') : 'offline';
        if (document.activeElement !== status) status.value = own.status;
      },
      () => {},
    );
    return h(
      'form',
      { class: 'own', onsubmit: (/** @type {Event} */ e) => (e.preventDefault(), status.blur()) },
      show,
      status,
      p.curl('set your presence', () => ({ method: 'PUT', path: '/v1/presence/me', body: body() })),
    );
  }

  /** The demo service has an account that cuts the link of the account that writes to it, so
   * the button needs no operation of its own. */
  #cutLink() {
    const { perch } = this.#pane;
    return attempt(async () => {
      const { jid } = await perch.lookupJID(cutter);
      await perch.sendMessage({ to: jid, body: 'cut' });
      note('The demo service cuts the link. Presence stays readable, and the session reconnects by itself.');
    });
  }

  draw() {
    const { store, connection } = this.#pane.perch;
    const s = store.session;
    const gone = connection.state === 'stopped' || connection.state === 'waiting';
    set(this.chip, 'data-state', gone ? 'offline' : (s?.state ?? 'connecting'));
    text(/** @type {Element} */ (this.chip.querySelector('.label')), gone ? 'No connection' : s ? states[s.state] : 'Connecting');
    this.#drawBanner();
    if (!s || this.panel.hidden) return;
    set(this.blocked, 'hidden', !this.#pane.perch.can('blocking'));
    set(this.push, 'hidden', !this.#pane.perch.can('push'));
    const facts = [
      ['State', states[s.state] + (s.reason ? `: ${reasons[s.reason] ?? s.reason}` : '')],
      ['Since', moment(s.since)],
      ['JID', `${s.jid}/${s.resource}`],
      ['Service', s.upstream],
      ['Features', s.features.join(', ') || 'none'],
      ['Delivery', `level ${s.delivery}`],
      ['Last stanza', moment(s.last_stanza_at)],
      ['Ping', s.ping_rtt_ms === null ? 'not measured yet' : `${s.ping_rtt_ms} ms`],
      ['Stream', `${connection.state} over ${connection.transport ?? 'nothing'}, ${connection.connects} connections`],
      ['Cursor', this.#pane.perch.cursor || 'none'],
    ];
    this.facts.replaceChildren(...facts.flatMap(([k, v]) => [h('dt', {}, k), h('dd', {}, v)]));
  }

  #drawBanner() {
    const { store, connection } = this.#pane.perch;
    const s = store.session;
    /** @type {[string, () => (Node | string)[]] | null} */ let what = null;
    if (connection.state === 'stopped') what = [`stopped ${connection.code}`, () => this.#stopped(connection.code, connection.reason)];
    else if (connection.state === 'waiting')
      what = [
        'waiting',
        () => [
          'The gateway cannot be reached; trying again.',
          h('button', { class: 'quiet', onclick: () => this.#pane.perch.reconnect() }, 'Now'),
        ],
      ];
    else if (s?.state === 'suspended' && s.reason === 'credentials') what = ['credentials', () => this.#expired()];
    else if (s && s.state !== 'online' && s.state !== 'connecting') {
      what = [
        `${s.state} ${s.reason} ${s.retry_at}`,
        () => [
          `${states[s.state]}: ${reasons[s.reason] ?? s.reason}.${s.retry_at ? ` Next attempt at ${clock(s.retry_at)}.` : ''} What you see is what was known before.`,
        ],
      ];
    }
    if ((this.banner.dataset.what ?? '') === (what?.[0] ?? '')) return;
    this.banner.dataset.what = what?.[0] ?? '';
    this.banner.replaceChildren(...(what?.[1]() ?? []));
    this.banner.hidden = what === null;
  }

  /** @param {number} code @param {string} reason */
  #stopped(code, reason) {
    if (code === 4001) return ['The gateway does not accept this token.', h('button', { onclick: this.#leave }, 'Sign in again')];
    return [
      `The event stream has ended (${code} ${reason}).`,
      h('button', { class: 'quiet', onclick: () => this.#pane.perch.reconnect() }, 'Open it again'),
      h('button', { class: 'quiet', onclick: this.#leave }, 'Sign in again'),
    ];
  }

  /** The session lives and its caches can be read, but the service wants a fresh token. */
  #expired() {
    const token = h('input', {
      type: 'password',
      required: true,
      autocomplete: 'off',
      'aria-label': 'Fresh token',
      placeholder: 'Fresh token',
    });
    const renew = async (/** @type {Event} */ e) => {
      e.preventDefault();
      if (await this.#pane.renew(token.value.trim())) note('The session continues with the fresh token.');
    };
    const page = document.documentElement.dataset.signin
      ? [h('button', { type: 'button', class: 'quiet', onclick: () => toSignIn('one') }, 'Sign in on the service’s page')]
      : [];
    return [
      'The token has expired: the service does not accept it any more. What you see is what was known before.',
      h('form', { class: 'row', onsubmit: renew }, token, h('button', {}, 'Continue'), ...page),
    ];
  }
}
