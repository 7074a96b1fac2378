// The text of a message as elements: addresses of the web become links, and code keeps its form (XEP-0393, 4.2
// and 5.3). Nothing of the text is lost but the fences of a block.
import { h } from './dom.js';

/** What may stand in a line: code, or an address. */
const inline = /`([^`\n]+)`|\bhttps?:\/\/[^\s<>"'`\u2066-\u2069\u202a-\u202e]+/gi;
/** What ends a sentence and no address. */
const trailing = new Set('.,:;!?…\'"»”’]}*_~');

/** What begins and ends a block of code. */
const fence = '\u0060'.repeat(3);

/** A foreign text may not hold up the page, so no part of it is looked at again and again. step is called for each
 * line, and for each character that an address is shortened by.
 * @param {string} body @param {() => void} [step] @returns {(Node | string)[]} */
export function rich(body, step = () => {}) {
  /** @type {(Node | string)[]} */ const out = [];
  const lines = body.split('\n');
  /** @type {string[]} */ let said = [];
  const flush = () => {
    if (said.length) for (const part of spans(said.join('\n'), step)) out.push(part);
    said = [];
  };
  for (let i = 0; i < lines.length; i++) {
    step();
    if (!lines[i]?.startsWith(fence)) {
      said.push(lines[i] ?? '');
      continue;
    }
    flush();
    let last = i + 1; // one without an end goes on to that of the message
    for (; last < lines.length && lines[last]?.trimEnd() !== fence; last++) step();
    out.push(h('pre', { tabindex: 0, dir: 'ltr' }, h('code', {}, lines.slice(i + 1, last).join('\n'))));
    i = last;
  }
  flush();
  return out;
}

/** @param {string} t @param {() => void} step @returns {(Node | string)[]} */
function spans(t, step) {
  const out = [];
  let at = 0;
  for (const m of t.matchAll(inline)) {
    const [found, code] = m;
    const address = code === undefined ? addressIn(found, step) : '';
    if (code === undefined && !address) continue;
    out.push(t.slice(at, m.index));
    at = m.index + (code === undefined ? address.length : found.length);
    out.push(code === undefined ? link(address) : h('code', { dir: 'ltr' }, code));
  }
  out.push(t.slice(at));
  return out.filter(Boolean);
}

/** The address that a text begins with, without what belongs to the sentence; "" if it is none. A parenthesis at
 * the end is a part of the address if it was opened there. @param {string} found @param {() => void} step */
function addressIn(found, step) {
  let unopened = 0;
  for (const c of found) unopened += Number(c === ')') - Number(c === '(');
  let end = found.length;
  for (; end > 0; end--, step()) {
    const c = found.charAt(end - 1);
    if (c === ')' && unopened > 0) unopened--;
    else if (!trailing.has(c)) break;
  }
  const address = found.slice(0, end);
  const url = URL.canParse(address) ? new URL(address) : null;
  return url && ['http:', 'https:'].includes(url.protocol) && url.hostname ? address : '';
}

/** What is seen is what was written; where it leads has another browsing context, and is not told from where.
 * @param {string} address */
const link = (address) => h('a', { href: new URL(address).href, target: '_blank', rel: 'noopener noreferrer', dir: 'ltr' }, address);

const controls = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const rightToLeft = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;

/** A name inside of a sentence: one that is written from right to left, or that has controls of direction, must not
 * turn the rest around (Unicode Standard Annex 9). @param {string} name */
export function isolated(name) {
  const plain = name.replace(controls, '');
  return rightToLeft.test(plain) ? `\u2068${plain}\u2069` : plain;
}
