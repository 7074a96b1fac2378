// The account itself: own presence, and the state of the session with its reasons.
import { attempt, h, note, part, set, text } from './dom.js';
import { leave as toSignIn } from './signin.js';
import { clock } from './times.js';

/** @import { SessionInfo } from '../types.d.ts' */

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
  credentials: 'the service does not accept the password or token any more',
  conflict: 'another client took this session',
  policy: 'the service refused what was sent',
  config: 'the gateway is set up wrongly for this service',
  'redirect-refused': 'the service sent us to a host that is not allowed',
  'upstream-tls': 'the certificate of the service is not right',
  'signed-out': 'you have signed out',
  'try-later': 'the service asks to try again later',
});

const panel = () => import('./session_panel.js');

/** A state and its reason, in words. @param {SessionInfo} s */
export const stateOf = ({ state, reason }) => states[state] + (reason ? `: ${reasons[reason] ?? reason}` : '');

export class SessionBox {
  #pane;
  #leave;
  /** @type {import('./session_panel.js').SessionPanel | undefined} */ #inside;

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
    this.own = this.#ownPresence();
    this.panel = h('section', { class: 'session', id: `${pane.id}-session`, 'aria-label': 'Session', hidden: true });
  }

  /** The panel is loaded when it is opened first. */
  #toggle = part(panel, ({ SessionPanel }) => {
    this.#inside ??= new SessionPanel(this.#pane, this.#leave);
    this.panel.append(...this.#inside.parts);
    this.panel.hidden = !this.panel.hidden;
    set(this.chip, 'aria-expanded', !this.panel.hidden);
    if (!this.panel.hidden) void attempt(async () => ((this.#pane.perch.store.session = await this.#pane.perch.getSession()), this.draw()));
  });

  /** The presence that is chosen. */
  presence = () => ({});

  #ownPresence() {
    const p = this.#pane;
    const show = h('select', { 'aria-label': 'Your presence' }, ...shows.map(([value, label]) => h('option', { value }, label)));
    const status = h('input', { placeholder: 'Say something about yourself', 'aria-label': 'Your status', maxlength: 200 });
    this.presence = () =>
      show.value === 'offline'
        ? { available: false, status: status.value }
        : { available: true, show: show.value || null, status: status.value };
    const apply = () => attempt(() => p.perch.setOwnPresence(/** @type {any} */ (this.presence())));
    show.addEventListener('change', apply);
    status.addEventListener('change', apply);
    void p.perch.getOwnPresence().then(
      (own) => {
        show.value = own.available ? (own.show ?? '') : 'offline';
        if (document.activeElement !== status) status.value = own.status;
      },
      () => {},
    );
    return h('form', { class: 'own', onsubmit: (/** @type {Event} */ e) => (e.preventDefault(), status.blur()) }, show, status);
  }

  draw() {
    const { store, connection } = this.#pane.perch;
    const s = store.session;
    const gone = connection.state === 'stopped' || connection.state === 'waiting';
    set(this.chip, 'data-state', gone ? 'offline' : (s?.state ?? 'connecting'));
    text(/** @type {Element} */ (this.chip.querySelector('.label')), gone ? 'No connection' : s ? states[s.state] : 'Connecting');
    this.#drawBanner();
    if (s && !this.panel.hidden) this.#inside?.draw(s);
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
        () => [`${stateOf(s)}.${s.retry_at ? ` Next attempt at ${clock(s.retry_at)}.` : ''} What you see is what was known before.`],
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

  /** The session lives and its caches can be read, but the service wants a fresh credential: what it was opened with. */
  #expired() {
    const { service, minted } = this.#pane;
    const byPassword = Boolean(minted && service?.password);
    const label = byPassword ? 'Password' : 'Fresh token';
    const autocomplete = byPassword ? 'current-password' : 'off';
    const secret = h('input', { type: 'password', required: true, autocomplete, 'aria-label': label, placeholder: label });
    const renew = async (/** @type {Event} */ e) => {
      e.preventDefault();
      const fresh = byPassword ? { password: secret.value } : { token: secret.value.trim() };
      if (await this.#pane.renew(fresh)) note('The session continues.');
    };
    const page = service?.sign_in
      ? [h('button', { type: 'button', class: 'quiet', onclick: () => toSignIn('one', service.upstream) }, 'Sign in on the service’s page')]
      : [];
    return [
      `The ${byPassword ? 'password has changed' : 'token has expired'}: the service does not accept it any more. What you see is what was known before.`,
      h('form', { class: 'row', onsubmit: renew }, secret, h('button', {}, 'Continue'), ...page),
    ];
  }
}
