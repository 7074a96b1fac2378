// How people look: avatar, presence, card.
import { h, set, text } from './dom.js';

/** @import { Presence } from '../types.d.ts' */

/** A round picture; initials until there is a photo. @param {string} name */
export function avatar(name) {
  const e = h('span', { class: 'avatar', 'aria-hidden': 'true' });
  nameAvatar(e, name);
  return e;
}

/** What the initials of an avatar are of. @type {WeakMap<Element, string>} */
const names = new WeakMap();

/** @param {HTMLElement} e @param {string} name */
export function nameAvatar(e, name) {
  if (names.get(e) === name && e.firstChild) return;
  names.set(e, name);
  if (e.querySelector('img')) return;
  const words = name
    .replace(/[\u2066-\u2069]/g, '')
    .trim()
    .split(/\s+/);
  text(
    e,
    [words[0], words[1] && words.at(-1)]
      .map((w) => [...(w ?? '')][0] ?? '')
      .join('')
      .toUpperCase(),
  );
  let hue = 0;
  for (const c of name) hue = (hue * 31 + (c.codePointAt(0) ?? 0)) % 5;
  set(e, 'data-hue', hue);
}

/** Photos by JID: fetched once with the token, because an img element can send none. */
export class Photos {
  /** The address of each photo; null where there is none, and undefined where that is not known. @type {Map<string, Promise<string | null | undefined>>} */
  #urls = new Map();
  #perch;
  /** Of whom each element is to show the photo, and which one it has seen. @type {WeakMap<Element, { jid: string, of?: Promise<string | null | undefined> }>} */
  #faces = new WeakMap();
  /** Asks for a photo once its place is seen: most buddies of a long list never are. */
  #seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) this.#look(/** @type {HTMLElement} */ (target));
  });

  /** @param {import('../perch.js').Perch} perch */
  constructor(perch) {
    this.#perch = perch;
  }

  /** The photo of an account, as soon as the element is seen; and another one when there is. @param {string} jid @param {HTMLElement} e */
  show(jid, e) {
    const face = this.#faces.get(e);
    if (face && (!face.of || face.of === this.#urls.get(jid))) return; // it waits to be seen, or shows what there is
    this.#faces.set(e, { jid });
    this.#seen.observe(e);
  }

  /** @param {HTMLElement} e */
  #look(e) {
    this.#seen.unobserve(e);
    const face = this.#faces.get(e);
    if (!face) return;
    const of = (face.of = this.#url(face.jid));
    void of.then((url) => {
      if (url === undefined || face.of !== of) return;
      if (url) return e.replaceChildren(h('img', { src: url, alt: '', width: 40, height: 40 }));
      e.querySelector('img')?.remove();
      nameAvatar(e, names.get(e) ?? '');
    });
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
      url = photo.then((b) => b && URL.createObjectURL(b)).catch(() => undefined);
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
    this.#seen.disconnect();
    for (const jid of [...this.#urls.keys()]) this.forget(jid);
  }
}

const shows = { chat: 'wants to talk', away: 'away', dnd: 'do not disturb', xa: 'away for long' };

/** The presence in one word, for class names and people. @param {Pick<Presence, 'available' | 'show'> | undefined} p */
export function availability(p) {
  if (!p?.available) return { word: 'offline', kind: 'offline' };
  return { word: p.show ? shows[p.show] : 'available', kind: p.show ?? 'online' };
}
