// Finding messages by their text, in what the archive of the account has.
import { conversationOf } from '../perch/pages.js';
import { attempt, h, set, text } from './dom.js';
import { summary } from './talks.js';
import { recent, showTime } from './times.js';

/** @import { ArchiveItem } from '../types.d.ts' */
/** @typedef {import('./pane.js').Pane} Pane */

/** Results of a page. */
const pageSize = 20;
/** How many characters of a text stand before what was found, and at most in all. */
const before = 40;
const mostShown = 300;

/** @param {Pane} pane */
export function showSearch(pane) {
  const { talking } = pane;
  const chat = talking && pane.perch.store.conversations.get(talking)?.type === 'chat' ? talking : '';
  const q = h('input', { type: 'search', required: true, maxlength: 256, 'aria-label': 'Text to find', placeholder: 'Text to find' });
  const only = h('input', { type: 'checkbox' });
  const list = h('ul', { class: 'found', 'aria-label': 'Messages found' });
  const state = h('p', { class: 'status', role: 'status' });
  const more = h('button', { class: 'quiet older', hidden: true, onclick: () => read(true) }, 'Older ones');
  /** @type {{ q: string, with?: string, before?: string }} */ let query = { q: '' };
  let asked = 0;
  const wanted = () => ({ q: q.value.trim(), ...(only.checked && { with: chat }) });
  const read = async (further = false) => {
    const turn = ++asked;
    if (!further) query = wanted();
    text(state, 'Looking…');
    const found = await attempt(async () => {
      const page = await pane.perch.getArchive({ ...query, limit: pageSize });
      if (turn !== asked) return; // another text is looked for
      const rows = page.items.map((m) => row(pane, m, query.q, () => box.close())).reverse();
      if (further) list.append(...rows);
      else list.replaceChildren(...rows);
      query.before = page.prev ?? undefined;
      set(more, 'hidden', !page.prev);
      text(state, list.childElementCount || page.prev ? '' : 'Nothing was found.');
    });
    if (!found && turn === asked) text(state, 'The archive cannot be searched now.');
  };
  const submit = (/** @type {Event} */ e) => (e.preventDefault(), q.value.trim() && read());
  const box = h(
    'dialog',
    { class: 'box', 'aria-label': 'Search messages', onclose: () => box.remove() },
    h('header', {}, h('h2', {}, 'Search messages')),
    h('form', { class: 'row', onsubmit: submit }, q, h('button', { class: 'quiet' }, 'Search')),
    chat && h('label', { class: 'row' }, only, `Only with ${pane.nameOf(chat)}`),
    state,
    list,
    more,
    h('form', { method: 'dialog', class: 'row end' }, h('button', {}, 'Close')),
  );
  document.body.append(box);
  box.showModal();
}

/** @param {Pane} pane @param {ArchiveItem} m @param {string} q @param {() => void} close */
function row(pane, m, q, close) {
  const jid = conversationOf(m, m.direction);
  const name = pane.nameOf(jid);
  const go = () => (close(), pane.talk(jid), pane.chat.find(m.ref ?? '', m.id));
  return h(
    'li',
    {},
    h(
      'button',
      { class: 'hit', onclick: go },
      h('strong', {}, m.direction === 'out' ? `You to ${name}` : name),
      timeOf(m.time),
      h(
        'span',
        { class: 'status', dir: 'auto' },
        ...marked(m.retracted || m.encryption || m.spoiler ? summary(m) : m.body || summary(m), q),
      ),
    ),
  );
}

/** @param {string} t */
function timeOf(t) {
  const e = h('time', {});
  showTime(e, t, recent);
  return e;
}

/** The part of a text that has what was looked for, which is marked. @param {string} t @param {string} q */
function marked(t, q) {
  const at = t.toLowerCase().indexOf(q.toLowerCase());
  if (at < 0) return [t.slice(0, mostShown)];
  const from = at > before ? at - before : 0;
  return [from ? '…' : '', t.slice(from, at), h('mark', {}, t.slice(at, at + q.length)), t.slice(at + q.length, at + mostShown)];
}
