// How people look: avatar, presence, card.
import { attempt, h, moment, set, text } from './dom.js';

/** @import { Presence } from '../types.d.ts' */

/** A round picture; initials until there is a photo. @param {string} name */
export function avatar(name) {
  const e = h('span', { class: 'avatar', 'aria-hidden': 'true' });
  nameAvatar(e, name);
  return e;
}

/** @param {HTMLElement} e @param {string} name */
export function nameAvatar(e, name) {
  if (e.querySelector('img')) return;
  const words = name.trim().split(/\s+/);
  text(
    e,
    (words.length > 1 ? [words[0], words[words.length - 1]] : [words[0]])
      .map((w) => [...(w ?? '')][0] ?? '')
      .join('')
      .toUpperCase(),
  );
  let hue = 0;
  for (const c of name) hue = (hue * 31 + (c.codePointAt(0) ?? 0)) % 12;
  set(e, 'data-hue', hue);
}

/** Photos by JID: fetched once with the token, because an img element can send none. */
export class Photos {
  /** @type {Map<string, Promise<string | null>>} */ #urls = new Map();
  #perch;

  /** @param {import('../perch.js').Perch} perch */
  constructor(perch) {
    this.#perch = perch;
  }

  /** @param {string} jid @param {HTMLElement} e */
  async show(jid, e) {
    const url = await this.#url(jid);
    if (url && e.dataset.photo !== url) {
      e.replaceChildren(h('img', { src: url, alt: '', width: 40, height: 40 }));
      e.dataset.photo = url;
    }
  }

  /** @param {string} jid */
  #url(jid) {
    let url = this.#urls.get(jid);
    if (!url) {
      const { rooms } = this.#perch.store;
      const none = Promise.resolve(null);
      const room = rooms.get(jid);
      const photo = room
        ? room.features.avatar
          ? this.#perch.roomPhoto(jid)
          : none
        : jid.includes('/')
          ? none
          : this.#perch.getPhoto(jid);
      url = photo.then((b) => b && URL.createObjectURL(b)).catch(() => null);
      this.#urls.set(jid, url);
    }
    return url;
  }

  /** The photo has changed. @param {string} jid */
  forget(jid) {
    void this.#urls.get(jid)?.then((u) => u && URL.revokeObjectURL(u));
    this.#urls.delete(jid);
  }

  close() {
    for (const jid of [...this.#urls.keys()]) this.forget(jid);
  }
}

const shows = { chat: 'wants to talk', away: 'away', dnd: 'do not disturb', xa: 'away for long' };

/** The presence in one word, for class names and people. @param {Pick<Presence, 'available' | 'show'> | undefined} p */
export function availability(p) {
  if (!p?.available) return { word: 'offline', kind: 'offline' };
  return { word: p.show ? shows[p.show] : 'available', kind: p.show ?? 'online' };
}

const labels = /** @type {[string, string][]} */ ([
  ['nickname', 'Nickname'],
  ['given_name', 'Given name'],
  ['family_name', 'Family name'],
  ['emails', 'E-mail'],
  ['phones', 'Phone'],
  ['organization', 'Organization'],
  ['title', 'Title'],
  ['birthday', 'Birthday'],
  ['url', 'Address'],
  ['description', 'About'],
]);

/** Shows a card in a dialogue.
 * @param {import('../perch.js').Perch} perch @param {Photos} photos @param {string} jid @param {string} name
 * @param {HTMLElement} curl */
export function showCard(perch, photos, jid, name, curl) {
  const picture = avatar(name);
  picture.classList.add('large');
  void photos.show(jid, picture);
  const title = h('h2', {}, name);
  const list = h('dl', {}, h('dt', {}, 'JID'), h('dd', { class: 'mono' }, jid));
  const box = h(
    'dialog',
    { class: 'box', 'aria-label': `Card of ${name}`, onclose: () => box.remove() },
    h('header', {}, picture, title),
    list,
    h('form', { method: 'dialog', class: 'row end' }, curl, h('button', {}, 'Close')),
  );
  document.body.append(box);
  box.showModal();
  void attempt(async () => {
    const card = /** @type {Record<string, any>} */ (await perch.getVCard(jid));
    if (card.full_name) text(title, card.full_name);
    for (const [field, label] of labels)
      if (card[field]?.length) list.append(h('dt', {}, label), h('dd', {}, [card[field]].flat().join(', ')));
    list.append(h('dt', {}, 'Fetched'), h('dd', {}, moment(card.fetched_at)));
  });
}
