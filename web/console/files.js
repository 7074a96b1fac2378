// The files of a message, as links: nothing is fetched before the user asks for it.
import { h, set, sync, text } from './dom.js';

/** @import { Attachment } from '../types.d.ts' */

const pictures = /\.(avif|gif|jpe?g|png|webp)$/i;

/** @param {HTMLElement} e @param {Attachment[]} files */
export function drawFiles(e, files) {
  const rows = files.map((f, i) => ({ f, key: `${i} ${JSON.stringify(f)}` }));
  sync(
    e,
    rows,
    (r) => r.key,
    (r) => fileRow(r.f),
    () => {}, // a picture that is shown stays
  );
}

/** @param {Attachment} f */
function fileRow(f) {
  const url = addressOf(f.url);
  const label = f.name || f.description || (url ? `${url.host}${url.pathname}` : f.url);
  const link = url ? h('a', { href: url.href, target: '_blank', rel: 'noopener noreferrer' }, label) : h('span', {}, label);
  const is = f.type ? f.type.startsWith('image/') : pictures.test(url?.pathname ?? '');
  return h(
    'li',
    { class: 'file' },
    link,
    h('small', {}, [f.type, f.size && size(f.size)].filter(Boolean).join(', ')),
    url && is && picture(url, f.description || label),
  );
}

/** A button that fetches a picture. @param {URL} url @param {string} label */
function picture(url, label) {
  const place = h('div', { class: 'picture' });
  const show = (/** @type {boolean} */ on) => {
    set(button, 'aria-expanded', on);
    text(button, on ? 'Hide picture' : 'Show picture');
    if (!on) return place.replaceChildren();
    const failed = () => place.replaceChildren(h('small', {}, 'The picture cannot be shown here: open the link.'));
    const img = h('img', {
      alt: label,
      referrerpolicy: 'no-referrer',
      onload: () => img.scrollIntoView({ block: 'nearest' }),
      onerror: failed,
    });
    place.replaceChildren(img);
    img.src = url.href;
  };
  const toggle = () => show(!place.firstChild);
  const button = h('button', { class: 'link', 'aria-expanded': 'false', onclick: toggle }, 'Show picture');
  return [button, place];
}

/** The address of a file, if it is one of the web. @param {string} address */
function addressOf(address) {
  const url = URL.canParse(address) ? new URL(address) : null;
  return url && ['http:', 'https:'].includes(url.protocol) ? url : null;
}

/** @param {number} bytes */
export function size(bytes) {
  const units = ['B', 'kB', 'MB', 'GB'];
  const n = Math.max(0, Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3)));
  return `${Number((bytes / 1000 ** n).toPrecision(2))} ${units[n]}`;
}
