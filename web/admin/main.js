// The page of operators: it asks the admin API every other second, and shows what it says.
import { field, h, set, text } from '../console/dom.js';
import { Refused, ask, token } from './api.js';
import { Nodes } from './nodes.js';
import { Sessions } from './sessions.js';
import { Upstreams } from './upstreams.js';

const every = 2000;
const main = /** @type {HTMLElement} */ (document.getElementById('main'));

/** Asks for the token. @param {string} why */
function signIn(why) {
  const input = h('input', { type: 'password', autocomplete: 'off', spellcheck: 'false', required: true });
  const enter = (/** @type {Event} */ e) => {
    e.preventDefault();
    token.set(input.value.trim());
    void begin();
  };
  main.replaceChildren(
    h(
      'form',
      { class: 'card', onsubmit: enter },
      h('h1', {}, 'Sign in as an operator'),
      h('p', { class: 'lead' }, 'The admin token is the PERCH_ADMIN_TOKEN of the gateway. It stays in this tab.'),
      why && h('p', { class: 'banner bad', role: 'alert' }, why),
      field('token', 'Admin token', input),
      h('button', { type: 'submit' }, 'Sign in'),
    ),
  );
  input.focus();
}

/** The sections, which load again and again until the token is refused. */
class Page {
  constructor() {
    this.closed = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */ this.timer = undefined;
    const again = () => void this.load();
    this.parts = [new Nodes(again), new Upstreams(), new Sessions(again)];
    this.banner = h('p', { class: 'banner bad', role: 'alert', hidden: true });
    this.fresh = h('p', { class: 'fresh' });
    const leave = h('button', { type: 'button', class: 'quiet', hidden: !token.get(), onclick: () => this.leave() }, 'Forget the token');
    main.replaceChildren(
      this.banner,
      h('div', { class: 'heading' }, h('h1', {}, 'This gateway'), leave),
      ...this.parts.map((p) => p.element),
      this.fresh,
    );
    this.shown = () => document.hidden || void this.load();
    document.addEventListener('visibilitychange', this.shown);
  }

  leave() {
    this.close();
    token.forget();
    signIn('');
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    document.removeEventListener('visibilitychange', this.shown);
  }

  /** Loads once, and plans the next time. A page that nobody sees asks nothing. */
  async load() {
    clearTimeout(this.timer);
    try {
      await Promise.all(this.parts.map((p) => p.load()));
      set(this.banner, 'hidden', true);
      text(this.fresh, `As of ${new Date().toLocaleTimeString()}, every ${every / 1000} seconds.`);
    } catch (e) {
      if (e instanceof Refused && (e.status === 401 || e.status === 403)) {
        if (this.closed) return;
        this.close();
        token.forget();
        signIn(e.message);
        return;
      }
      text(this.banner, `The gateway does not answer as it should: ${e instanceof Error ? e.message : e}. It is asked again.`);
      set(this.banner, 'hidden', false);
    }
    clearTimeout(this.timer);
    if (!this.closed && !document.hidden) this.timer = setTimeout(() => void this.load(), every);
  }
}

/** Shows the page, or asks for the token when there must be one. */
async function begin() {
  try {
    await ask('GET', 'nodes');
  } catch (e) {
    if (e instanceof Refused && (e.status === 401 || e.status === 403)) {
      const first = e.status === 401 && !token.get();
      token.forget();
      signIn(first ? '' : e.message);
      return;
    }
  }
  await new Page().load();
}

void begin();
