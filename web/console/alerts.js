// What a page that is not looked at says: how many messages are new, in its title; and, if the
// user has asked for that, a notification for each.
import { conversationOf } from '../perch/pages.js';
import { named } from '../perch/room_rights.js';
import { h, set } from './dom.js';
import { summary } from './talks.js';

/** @import { Conversation, MessageData } from '../types.d.ts' */

const name = document.title;
/** New messages of each account on the page. @type {Map<object, number>} */
const counts = new Map();

function drawTitle() {
  const n = [...counts.values()].reduce((all, one) => all + one, 0);
  document.title = document.hidden && n > 0 ? `(${n}) ${name}` : name;
}
document.addEventListener('visibilitychange', drawTitle);

export class Alerts {
  #pane;

  /** @param {import('./pane.js').Pane} pane */
  constructor(pane) {
    this.#pane = pane;
    this.button = h('button', { class: 'quiet', onclick: () => this.#ask() }, 'Notify me of messages');
    pane.perch.on('message.received', (f) => this.#arrived(f.data));
    document.addEventListener('visibilitychange', this.#look);
    navigator.serviceWorker?.addEventListener('message', this.#pushed); // pages without TLS have none
    this.draw();
  }

  /** The user looks again: what is open is read. */
  #look = () => this.#pane.draw();

  /** A notification of perch-sw.js was clicked. @param {MessageEvent} e */
  #pushed = ({ data }) => {
    if (data?.type !== 'perch.open' || data.push.account !== this.#pane.perch.store.session?.jid) return;
    if (data.push.conversation) this.#pane.talk(data.push.conversation);
  };

  async #ask() {
    await Notification.requestPermission();
    this.draw();
  }

  draw() {
    set(this.button, 'hidden', !('Notification' in window) || Notification.permission !== 'default');
    const loud = (/** @type {Conversation} */ c) => (c.notify === 'none' ? 0 : c.notify === 'mentions' ? c.mentions : c.unread);
    counts.set(
      this,
      this.#pane.perch.store.list.reduce((n, c) => n + loud(c), 0),
    );
    drawTitle();
  }

  /** @param {MessageData} d */
  #arrived(d) {
    if (!document.hidden || d.source === 'archive' || !('Notification' in window) || Notification.permission !== 'granted') return;
    const { store } = this.#pane.perch;
    const jid = conversationOf(d, 'in');
    const c = store.conversation(jid);
    const m = c.messages.findLast((x) => x.id === d.id);
    const forMe = m && named(m, store.session?.jid ?? '', store.rooms.get(jid)?.nick);
    if (!m || c.notify === 'none' || (c.notify === 'mentions' && !forMe)) return;
    const who = this.#pane.nameOf(jid);
    const shown = new Notification(c.type === 'room' && m.room?.nick ? `${m.room.nick} in ${who}` : who, {
      body: summary(m),
      tag: jid,
      icon: '/icon.svg',
    });
    shown.onclick = () => {
      window.focus();
      this.#pane.talk(jid);
      shown.close();
    };
  }

  close() {
    document.removeEventListener('visibilitychange', this.#look);
    navigator.serviceWorker?.removeEventListener('message', this.#pushed);
    counts.delete(this);
    drawTitle();
  }
}
