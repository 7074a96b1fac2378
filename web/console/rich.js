// The text of a message as elements: addresses of the web become links, and code keeps its form (XEP-0393, 4.2
// and 5.3). Nothing of the text is lost but the fences of a block.
import { h } from './dom.js';

/** What may stand in a line: code, or an address. */
const inline = /`([^`\n]+)`|\bhttps?:\/\/[^\s<>"'`\u2066-\u2069\u202a-\u202e]+/gi;
/** What ends a sentence and no address. */
const trailing = /[.,:;!?…'"»”’\]}*_~]+$/;

/** What begins and ends a block of code. */
const fence = '\u0060'.repeat(3);

/** @param {string} body @returns {(Node | string)[]} */
export function rich(body) {
  /** @type {(Node | string)[]} */ const out = [];
  const lines = body.split('\n');
  /** @type {string[]} */ let said = [];
  const flush = () => (said.length && out.push(...spans(said.join('\n'))), (said = []));
  for (let i = 0; i < lines.length; i++) {
    if (!lines[i]?.startsWith(fence)) {
      said.push(lines[i] ?? '');
      continue;
    }
    flush();
    const end = lines.findIndex((l, n) => n > i && l.trimEnd() === fence);
    const last = end < 0 ? lines.length : end; // one without an end goes on to that of the message
    out.push(h('pre', { tabindex: 0, dir: 'ltr' }, h('code', {}, lines.slice(i + 1, last).join('\n'))));
    i = last;
  }
  flush();
  return out;
}

/** @param {string} t @returns {(Node | string)[]} */
function spans(t) {
  const out = [];
  let at = 0;
  for (const m of t.matchAll(inline)) {
    const [found, code] = m;
    const address = code === undefined ? addressIn(found) : '';
    if (code === undefined && !address) continue;
    out.push(t.slice(at, m.index));
    at = m.index + (code === undefined ? address.length : found.length);
    out.push(code === undefined ? link(address) : h('code', { dir: 'ltr' }, code));
  }
  out.push(t.slice(at));
  return out.filter(Boolean);
}

/** The address that a text begins with, without what belongs to the sentence; "" if it is none. @param {string} found */
function addressIn(found) {
  let address = found;
  for (;;) {
    const shorter = address.replace(trailing, '');
    const open = shorter.split('(').length < shorter.split(')').length && shorter.endsWith(')');
    const next = open ? shorter.slice(0, -1) : shorter;
    if (next === address) break;
    address = next;
  }
  const url = URL.canParse(address) ? new URL(address) : null;
  return url && ['http:', 'https:'].includes(url.protocol) && url.hostname ? address : '';
}

/** What is seen is what was written; where it leads has another browsing context, and is not told from where.
 * @param {string} address */
const link = (address) => h('a', { href: new URL(address).href, target: '_blank', rel: 'noopener noreferrer', dir: 'ltr' }, address);
