// What there is to know of a session, and what can be done with it: its readers, its password, its ends.
import { attempt, h, note, part, set } from './dom.js';
import { stateOf } from './session.js';
import { moment } from './times.js';

/** @import { SessionInfo } from '../types.d.ts' */

export class SessionPanel {
  #pane;
  #leave;

  /** @param {import('./pane.js').Pane} pane @param {() => void} leave */
  constructor(pane, leave) {
    this.#pane = pane;
    this.#leave = leave;
    this.facts = h('dl', {});
    this.cut = h('button', { class: 'quiet', hidden: true, onclick: () => this.#cutLink() }, 'Cut the XMPP link');
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
    this.parts = [this.facts, h('div', { class: 'row wrap' }, ...this.#buttons()), this.#passwordForm()];
  }

  #buttons() {
    const pane = this.#pane;
    const button = (/** @type {string} */ label, /** @type {() => unknown} */ onclick, kind = 'quiet') =>
      h('button', { class: kind, onclick }, label);
    return [
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
        hidden: !this.#pane.minted,
        oninput: () => again.setCustomValidity(''), // of either: the first may be the wrong one
        onsubmit: change,
      },
      current,
      fresh,
      again,
      h('button', { class: 'quiet' }, 'Change password'),
    );
  }

  /** Some service has an account that cuts the link of the account that writes to it, so
   * the button needs no operation of its own. */
  #cutLink() {
    const { perch } = this.#pane;
    return attempt(async () => {
      const { jid } = await perch.lookupJID(this.#pane.service?.link_cutter ?? '');
      await perch.sendMessage({ to: jid, body: 'cut' });
      note('The service cuts the link. Presence stays readable, and the session reconnects by itself.');
    });
  }

  /** @param {SessionInfo} s */
  draw(s) {
    const { perch, service } = this.#pane;
    const { connection, cursor } = perch;
    set(this.cut, 'hidden', !service?.link_cutter);
    set(this.blocked, 'hidden', !perch.can('blocking'));
    set(this.push, 'hidden', !perch.can('push'));
    const facts = [
      ['State', stateOf(s)],
      ['Since', moment(s.since)],
      ['JID', `${s.jid}/${s.resource}`],
      ['Service', s.upstream],
      ['Features', s.features.join(', ') || 'none'],
      ['Delivery', `level ${s.delivery}`],
      ['Last stanza', moment(s.last_stanza_at)],
      ['Ping', s.ping_rtt_ms === null ? 'not measured yet' : `${s.ping_rtt_ms} ms`],
      ['Stream', `${connection.state} over ${connection.transport ?? 'nothing'}, ${connection.connects} connections`],
      ['Cursor', cursor || 'none'],
    ];
    this.facts.replaceChildren(...facts.flatMap(([k, v]) => [h('dt', {}, k), h('dd', {}, v)]));
  }
}
