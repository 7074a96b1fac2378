// Cards (vCard, XEP-0054): that of somebody, and the own one, to be changed where the service keeps it.
import { attempt, field, h, note, set, sure, text } from './dom.js';
import { avatar } from './person.js';
import { moment } from './times.js';

/** @import { VCard, VCardRequest } from '../types.d.ts' */
/** @typedef {import('./pane.js').Pane} Pane */

const labels = /** @type {[Exclude<keyof VCardRequest & keyof VCard, 'photo'>, string][]} */ ([
  ['full_name', 'Full name'],
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
const lists = ['emails', 'phones'];
/** The largest picture that is taken, in bytes, and its side, in pixels, when it is made smaller. */
const mostBytes = 96 << 10;
const side = 256;

/** A dialog with the picture of an account. @param {Pane} pane @param {string} jid @param {string} name @param {string} label @param {HTMLElement[]} inside */
function open(pane, jid, name, label, inside) {
  const picture = avatar(name);
  picture.classList.add('large');
  pane.photos.show(jid, picture);
  const title = h('h2', { dir: 'auto' }, name);
  const box = h(
    'dialog',
    { class: 'box', 'aria-label': label, onclose: () => box.remove() },
    h('header', {}, picture, title),
    ...inside,
    h('form', { method: 'dialog', class: 'row end' }, h('button', { autofocus: true }, 'Close')),
  );
  document.body.append(box);
  box.showModal();
  return { box, title, picture };
}

/** What a card says. @param {VCard} card @returns {HTMLElement[]} */
const rows = (card) =>
  labels
    .filter(([name]) => name !== 'full_name' && card[name]?.length)
    .flatMap(([name, label]) => [h('dt', {}, label), h('dd', { dir: 'auto' }, [card[name] ?? ''].flat().join(', '))]);

/** @param {Pane} pane @param {string} jid */
export function showCard(pane, jid) {
  const name = pane.nameOf(jid);
  const list = h('dl', {}, h('dt', {}, 'JID'), h('dd', { class: 'mono' }, jid));
  const { title } = open(pane, jid, name, `Card of ${name}`, [list]);
  void attempt(async () => {
    const card = await pane.perch.getVCard(jid);
    if (card.full_name) text(title, card.full_name);
    list.append(...rows(card), h('dt', {}, 'Fetched'), h('dd', {}, moment(card.fetched_at)));
  });
}

/** The own card: read, and where the service keeps cards, written. @param {Pane} pane */
export function showOwnCard(pane) {
  const { perch } = pane;
  const jid = perch.store.session?.jid ?? '';
  const may = Boolean(perch.store.session?.features?.includes('vcard-store'));
  const list = h('dl', {}, h('dt', {}, 'JID'), h('dd', { class: 'mono' }, jid));
  const place = h('div', {}, h('p', { class: 'status', role: 'status' }, 'Reading…'));
  const { title, picture } = open(pane, jid, jid, 'Your card', [list, place]);
  void attempt(async () => {
    // What is saved is the whole card, so another device's changes must be in what it begins with.
    const card = await perch.getOwnVCard({ refresh: may }).catch((e) => {
      if (e.status === 404) return /** @type {VCard} */ ({});
      text(/** @type {Element} */ (place.firstElementChild), 'It could not be read.');
      throw e;
    });
    if (card.full_name) text(title, card.full_name);
    if (may) place.replaceChildren(photo(pane, jid, picture), form(pane, card, title));
    else {
      list.append(...rows(card));
      place.replaceChildren(h('p', { class: 'status' }, 'This service lets nobody change their card here.'));
    }
  });
}

/** The fields of the card. @param {Pane} pane @param {VCard} card @param {HTMLElement} title */
function form(pane, card, title) {
  const inputs = labels.map(([name]) => {
    const value = [card[name] ?? ''].flat().join(', ');
    return name === 'description'
      ? h('textarea', { rows: 3, dir: 'auto' }, value)
      : h('input', { value, autocomplete: 'off', dir: 'auto' });
  });
  const request = () => {
    /** @type {Record<string, string | string[]>} */ const out = {};
    labels.forEach(([name], i) => {
      const value = inputs[i]?.value.trim() ?? '';
      const items = value.split(',').map((v) => v.trim());
      if (value) out[name] = lists.includes(name) ? items.filter(Boolean) : value;
    });
    return /** @type {VCardRequest} */ (out);
  };
  const save = (/** @type {Event} */ e) => {
    e.preventDefault();
    void attempt(async () => {
      const next = request();
      await pane.perch.setOwnVCard({ ...next, ...(await currentPhoto(pane)) });
      if (next.full_name) text(title, next.full_name);
      note('Your card is saved.');
    });
  };
  const hints = /** @type {Record<string, string>} */ ({ emails: ', with commas between them', phones: ', with commas between them' });
  const fields = labels.map(([name, label], i) =>
    field(`${pane.id}-card-${name}`, label + (hints[name] ?? ''), /** @type {HTMLElement} */ (inputs[i])),
  );
  return h('form', { class: 'fields two', onsubmit: save }, ...fields, h('div', { class: 'row end' }, h('button', {}, 'Save')));
}

/** The picture of a card is a part of it: a card without one has none any more. Another device may have set it, of
 * which the cache is not told. @param {Pane} pane */
async function currentPhoto(pane) {
  const blob = await pane.perch.getPhoto('me', { refresh: true });
  return blob ? { photo: { data: await base64(blob) } } : {};
}

/** @param {Pane} pane @param {string} jid @param {HTMLElement} picture */
function photo(pane, jid, picture) {
  const { perch } = pane;
  const file = h('input', { type: 'file', accept: 'image/png,image/jpeg,image/webp,image/gif', hidden: true, onchange: () => take() });
  const again = () => {
    pane.photos.forget(jid);
    pane.photos.show(jid, picture);
    pane.draw();
  };
  const take = () =>
    attempt(async () => {
      const chosen = file.files?.[0];
      file.value = '';
      if (!chosen) return;
      await perch.setOwnPhoto(await base64(chosen.size > mostBytes ? await smaller(chosen) : chosen));
      again();
      note('You have another picture.');
    });
  const none = sure('Remove picture', 'Remove it?', () =>
    attempt(async () => (await perch.removeOwnPhoto(), again(), note('You have no picture any more.'))),
  );
  const choose = h('button', { type: 'button', class: 'quiet', onclick: () => file.click() }, 'Choose a picture');
  set(file, 'aria-label', 'Picture');
  return h('div', { class: 'row wrap' }, choose, none, file);
}

/** @param {Blob} blob */
async function base64(blob) {
  let bytes = '';
  for (const b of new Uint8Array(await blob.arrayBuffer())) bytes += String.fromCharCode(b);
  return btoa(bytes);
}

/** A picture that is too large, as a square of its middle. @param {Blob} blob @returns {Promise<Blob>} */
async function smaller(blob) {
  const bitmap = await createImageBitmap(blob);
  const canvas = h('canvas', { width: side, height: side });
  const n = Math.min(bitmap.width, bitmap.height);
  canvas.getContext('2d')?.drawImage(bitmap, (bitmap.width - n) / 2, (bitmap.height - n) / 2, n, n, 0, 0, side, side);
  bitmap.close();
  return new Promise((done, failed) =>
    canvas.toBlob((b) => (b ? done(b) : failed(new Error('The picture cannot be read.'))), 'image/jpeg', 0.85),
  );
}
