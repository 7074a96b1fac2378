// One account: its header, its people, one conversation and the monitor.
import { Perch } from '../perch.js';
import { bare, resourceOf } from '../perch/jids.js';
import { Alerts } from './alerts.js';
import { Buddies } from './buddies.js';
import { Chat } from './chat.js';
import { curlMenu } from './curl.js';
import { attempt, h, part, set, soon, text } from './dom.js';
import { Monitor } from './monitor.js';
import { availability, avatar, nameAvatar, Photos } from './person.js';
import { isolated } from './rich.js';
import { accountOf, serviceOf } from './services.js';
import { SessionBox } from './session.js';

let count = 0;

/** The widths, in pixels, from which on downwards a pane looks otherwise; see console.css. */
const widths = [900, 500, 405];

/** Not by container queries: Chromium lays out all of a container whenever anything in it has changed, which made
 * each step of scrolling twenty times as long. */
const wide = new ResizeObserver((panes) => {
  for (const { target, contentRect } of panes) set(target, 'data-width', widths.filter((w) => contentRect.width < w).join(' '));
});

export class Pane {
  /** Resolves with the account's JID. @type {Promise<string>} */ known;
  /** @type {string} */ #open = '';
  #picked = false;

  /** @param {string} token @param {ReturnType<typeof import('./storage.js').storage>} storage @param {() => void} leave */
  constructor(token, storage, leave) {
    this.token = token;
    this.storage = storage;
    this.id = `p${++count}`;
    const saved = storage.load();
    this.perch = new Perch({ token, upstream: storage.upstream(), share: true, state: saved, storage: sessionStorage });
    this.#open = saved?.open ?? '';
    this.#picked = this.#open !== '';
    this.photos = new Photos(this.perch);
    this.monitor = new Monitor(this);
    this.alerts = new Alerts(this);
    this.session = new SessionBox(this, leave);
    this.buddies = new Buddies(this);
    this.chat = new Chat(this);
    this.known = new Promise((done) => {
      const look = () => this.perch.store.session?.jid && (done(this.perch.store.session.jid), end());
      const end = this.perch.store.subscribe(look);
      look();
    });
    this.element = this.#build();
    wide.observe(this.element);
    this.perch.store.subscribe((c) => c.what === 'vcard' && this.photos.forget(c.jid));
    const draw = soon(() => this.draw());
    const save = soon(() => this.save());
    this.perch.store.subscribe(draw);
    this.perch.on('connection', draw);
    this.perch.on('outbox', draw);
    this.perch.on('live', save);
    this.perch.on('live', () => void this.buddies.talks.load());
    this.perch.on('live', () => this.#readBlocked());
    addEventListener('pagehide', this.save);
  }

  /** What the first page knows of the service of the account. */
  get service() {
    return serviceOf(this.perch.store.session?.upstream);
  }

  #build() {
    this.face = avatar('?');
    const showOwnCard = part(
      () => import('./cards.js'),
      (m) => m.showOwnCard(this),
    );
    const own = h('button', { class: 'face', 'aria-label': 'Your card', title: 'Your card', onclick: showOwnCard }, this.face);
    this.curl = curlMenu(this);
    this.name = h('h1', { id: `${this.id}-name`, tabindex: -1 }, 'Signing in…');
    this.toggle = h(
      'button',
      { class: 'quiet', 'aria-expanded': 'false', 'aria-controls': `${this.id}-monitor`, onclick: () => this.#toggleMonitor() },
      'Events',
    );
    return h(
      'section',
      { class: 'pane', 'aria-labelledby': `${this.id}-name` },
      h(
        'header',
        { class: 'who' },
        own,
        h('div', { class: 'names' }, this.name, this.session.own),
        h('div', { class: 'row' }, this.session.chip, this.toggle, this.curl.element),
      ),
      this.session.banner,
      this.session.panel,
      h('div', { class: 'work' }, this.buddies.element, this.chat.element, this.monitor.element),
    );
  }

  #toggleMonitor() {
    const on = this.element.classList.toggle('monitoring');
    set(/** @type {HTMLElement} */ (this.toggle), 'aria-expanded', on);
    this.monitor.show(on);
  }

  /** Asks once whom the account blocks, where it can; from then on the store keeps it. */
  #readBlocked() {
    if (this.perch.can('blocking') && !this.perch.store.blocked) void this.perch.loadBlocked().catch(() => {}); // the next stream is the next chance
  }

  open() {
    this.perch.connect();
    this.draw();
    if (this.#open) this.talk(this.#open, false);
  }

  /** Opens the conversation with an account. @param {string} jid @param {boolean} [picked] by the user, not by the page */
  talk(jid, picked = true) {
    this.#open = jid;
    this.#picked = this.#picked || picked;
    set(this.element, 'data-talking', String(jid !== ''));
    this.chat.open(jid, picked);
    this.buddies.draw();
    this.save();
  }

  /** Opens a conversation if the user has picked none. @param {string} jid */
  suggest(jid) {
    if (!this.#picked) this.talk(jid, false);
  }

  get talking() {
    return this.#open;
  }

  /** The name to show for an account, a room, or one who is in a room. @param {string} jid @returns {string} */
  nameOf(jid) {
    const s = this.perch.store;
    if (jid !== bare(jid)) return `${isolated(resourceOf(jid))} in ${this.nameOf(bare(jid))}`;
    const name = s.buddies.get(jid)?.name || s.invitations.get(jid)?.nick || s.conversations.get(jid)?.name;
    return isolated(name || (jid.split('@')[0] ?? jid));
  }

  /** The presence of an account in one word; nothing is known of whom the account blocks.
   * @param {string} jid @param {import('../types.d.ts').Presence | undefined} p */
  availability(jid, p) {
    return this.perch.store.blockedBy(jid) ? { word: 'blocked', kind: 'offline' } : availability(p);
  }

  /** Who did something: you, a nick of the room that is open, or a name. @param {string} jid */
  who(jid) {
    const { store } = this.perch;
    const nick = resourceOf(jid);
    if (jid === store.session?.jid || (nick && store.rooms.get(bare(jid))?.nick === nick)) return 'you';
    return nick && store.conversations.get(bare(jid))?.type === 'room' ? isolated(nick) : this.nameOf(bare(jid));
  }

  draw() {
    const jid = this.perch.store.session?.jid ?? '';
    if (jid && this.name && this.face) {
      const name = accountOf(this.token)?.name ?? jid;
      text(this.name, name);
      set(this.name, 'title', jid);
      nameAvatar(this.face, name);
      this.photos.show(jid, this.face);
    }
    this.session.draw();
    this.chat.draw();
    this.buddies.draw();
    this.alerts.draw();
  }

  /** Whether the gateway has made the token, which then stays when the XMPP service wants another credential. */
  get minted() {
    return this.token.startsWith('perch_');
  }

  /** A fresh credential for the same account. @param {import('../types.d.ts').Credentials} credential */
  renew(credential) {
    return attempt(async () => {
      await this.perch.replaceCredentials(credential);
      if (!('token' in credential) || this.minted) return;
      this.token = credential.token;
      this.storage.renew(this.token);
    });
  }

  save = () => {
    if (this.perch.store.ready && this.perch.cursor) this.storage.save({ ...structuredClone(this.perch.save()), open: this.#open });
  };

  close() {
    removeEventListener('pagehide', this.save);
    wide.unobserve(this.element);
    this.alerts.close();
    this.chat.composer.files.close();
    this.perch.disconnect();
    this.photos.close();
  }
}
