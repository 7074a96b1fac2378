// Devices and tokens: all that leads to the session, what each may do and when it was used last; to make another
// one, to revoke one, and to sign out, here or everywhere.
import { drawFacts, head } from './card.js';
import { attempt, h, note, set, sure, sync, text } from './dom.js';
import { explain } from './explain.js';
import { Secret } from './secret.js';
import { moment } from './times.js';
import { TokenForm, scopes } from './token_form.js';

/** @import { NewToken, Token } from '../types.d.ts' */
/** @typedef {import('./pane.js').Pane} Pane */

const kinds = { 'sign-in': 'Sign-in', made: 'Token', account: 'Access token of the account' };

/** @param {Token} t */
const nameOf = (t) => t.name || kinds[t.kind];

/** What there is to say of a token. @param {Token} t @returns {[string, string][]} */
function facts(t) {
  const all = t.scopes.length === scopes.length;
  const from = t.last_used_from ? ` from ${t.last_used_from}` : '';
  return [
    ['Kind', t.name && kinds[t.kind]],
    ['May', all ? 'everything' : t.scopes.join(', ')],
    ['Only for', t.conversations?.join(', ') ?? ''],
    ['Made', t.created_at ? moment(t.created_at) : ''],
    ['Last used', `${moment(t.last_used_at)}${from}`],
    ['Ends', t.expires_at ? moment(t.expires_at) : ''],
  ];
}

class Devices {
  #pane;
  #leave;

  /** @param {Pane} pane @param {() => void} leave */
  constructor(pane, leave) {
    this.#pane = pane;
    this.#leave = leave;
    this.state = h('p', { class: 'status', role: 'status' });
    this.list = h('ul', { class: 'tokens', 'aria-label': 'Tokens' });
    this.form = new TokenForm(pane, (made) => this.#made(made));
    this.secret = new Secret(`${pane.id}-secret`, () => this.form.focus());
    this.here = sure('Sign out this device', 'Sign out here?', () => this.#signOut(false));
    this.everywhere = sure('Sign out everywhere', 'Sign out all devices?', () => this.#signOut(true));
    this.box = h(
      'dialog',
      { class: 'box roomy', 'aria-label': 'Devices and tokens', onclose: () => this.box.remove() },
      h('header', {}, h('h2', {}, 'Devices and tokens')),
      this.state,
      this.list,
      this.secret.element,
      this.form.element,
      h('div', { class: 'row wrap' }, this.here, this.everywhere),
      h('form', { method: 'dialog', class: 'row end' }, h('button', { autofocus: true }, 'Close')),
    );
    this.#draw([]);
  }

  async open() {
    document.body.append(this.box);
    this.box.showModal();
    text(this.state, 'Reading…');
    await this.#load();
  }

  async #load() {
    try {
      this.#draw((await this.#pane.perch.listTokens()).items);
      text(this.state, '');
    } catch (e) {
      const { code } = /** @type {import('../perch.js').PerchError} */ (e);
      text(this.state, code === 'insufficient-scope' ? 'The token of this page may not see the others.' : explain(e));
      set(this.here, 'hidden', code !== 'insufficient-scope'); // it may always end itself
    }
  }

  /** @param {Token[]} tokens */
  #draw(tokens) {
    const own = tokens.find((t) => t.current) ?? null;
    sync(
      this.list,
      tokens,
      (t) => t.id,
      (t) => this.#row(t),
      (e, t) => drawFacts(e, facts(t)),
    );
    this.form.bound(own);
    set(this.here, 'hidden', !own || own.kind === 'account');
    set(this.everywhere, 'hidden', !own || !own.scopes.includes('session') || own.conversations);
  }

  /** @param {Token} t */
  #row(t) {
    const title = `${this.#pane.id}-token-${t.id}`;
    const revoke = () => this.#revoke(t);
    return h(
      'li',
      { 'aria-labelledby': title },
      head(
        title,
        nameOf(t),
        t.current && h('small', { class: 'badge' }, 'This device'),
        !t.current && t.kind !== 'account' && sure('Revoke', 'Revoke it?', revoke, { 'aria-describedby': title }),
      ),
      h('dl', {}),
    );
  }

  /** @param {Token} t */
  #revoke(t) {
    return attempt(async () => {
      await this.#pane.perch.revokeToken(t.id);
      note(`${nameOf(t)} is revoked.`);
      await this.#load();
      this.form.focus(); // the button that had it is gone
    });
  }

  /** @param {NewToken} made */
  #made(made) {
    this.secret.show(`Token of ${made.name}`, made.token);
    return this.#load();
  }

  /** @param {boolean} all */
  #signOut(all) {
    return attempt(async () => {
      await this.#pane.perch.signOut({ all });
      this.box.close();
      this.#leave();
    });
  }
}

/** @param {Pane} pane @param {() => void} leave takes the page back to the sign-in */
export const showDevices = (pane, leave) => new Devices(pane, leave).open();
