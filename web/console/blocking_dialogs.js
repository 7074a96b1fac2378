// Blocking the other side of a conversation, with a report if that is wanted, and the list of all that is blocked.
import { attempt, field, h, note, set, sure, sync, text } from './dom.js';

/** @import { BlockReport } from '../types.d.ts' */
/** @typedef {import('./pane.js').Pane} Pane */

/** Most messages that a report names. */
const mostNamed = 5;
/** What the server is told, if anything. @type {[BlockReport['reason'] | '', string][]} */
const reports = [
  ['', 'Do not report'],
  ['spam', 'Report as spam'],
  ['abuse', 'Report as abuse'],
];

/** Asks before the other side of a conversation is blocked. @param {Pane} pane @param {import('./chat.js').Chat} chat */
export function showBlock(pane, { jid, conversation }) {
  const name = pane.nameOf(jid);
  const reason = h(
    'select',
    { onchange: () => set(more, 'hidden', !reason.value) },
    ...reports.map(([value, t]) => h('option', { value }, t)),
  );
  const what = h('textarea', { rows: 3, maxlength: 500, id: `${pane.id}-what` });
  const named = conversation.messages.flatMap((m) => (m.direction === 'in' && m.archive ? [m.archive] : [])).slice(-mostNamed);
  const more = h(
    'div',
    { class: 'field', hidden: true },
    h('label', { for: what.id }, 'What has happened (may be empty)'),
    what,
    h(
      'p',
      { class: 'status' },
      'A service that takes no reports ignores it.',
      named.length > 0 && ' It names the last messages from there.',
    ),
  );
  const report = () => {
    const kind = /** @type {BlockReport['reason'] | ''} */ (reason.value);
    return kind
      ? { reason: kind, ...(what.value.trim() && { text: what.value.trim() }), ...(named.length > 0 && { stanza_ids: named }) }
      : undefined;
  };
  const block = (/** @type {Event} */ e) => {
    e.preventDefault();
    void attempt(async () => (await pane.perch.block(jid, report()), box.close()));
  };
  const box = h(
    'dialog',
    { class: 'box', 'aria-label': `Block ${name}`, onclose: () => box.remove() },
    h('header', {}, h('h2', {}, `Block ${name}?`)),
    h('p', { class: 'mono' }, jid),
    h('p', {}, 'Nothing from there arrives any more, on none of your devices, and you look offline to each other. What was said stays.'),
    h(
      'form',
      { class: 'fields', onsubmit: block },
      field(`${pane.id}-report`, 'Report to your service', reason),
      more,
      h(
        'div',
        { class: 'row end' },
        h('button', { type: 'button', class: 'quiet', onclick: () => box.close() }, 'Cancel'),
        h('button', { class: 'danger' }, 'Block'),
      ),
    ),
  );
  document.body.append(box);
  box.showModal();
}

/** The list of all, to take entries off it and to add some. @param {Pane} pane */
export function showBlocked(pane) {
  const { perch } = pane;
  const list = h('ul', { class: 'people-here blocked', 'aria-label': 'Blocked addresses' });
  const state = h('p', { class: 'status', role: 'status' });
  const jid = h('input', { required: true, placeholder: 'eve@example.org', autocomplete: 'off', spellcheck: 'false' });
  const add = (/** @type {Event} */ e) => {
    e.preventDefault();
    void attempt(async () => (await perch.block(jid.value.trim()), (jid.value = '')));
  };
  const row = (/** @type {string} */ entry) => {
    const unblock = () => attempt(async () => (await perch.unblock(entry), jid.focus()));
    return h(
      'li',
      { class: 'row', 'data-jid': entry },
      h('span', { class: 'name' }, entry.includes('@') ? entry : `everybody of ${entry}`),
      h('button', { class: 'quiet', 'aria-label': `Unblock ${entry}`, onclick: unblock }, 'Unblock'),
    );
  };
  const all = sure('Unblock all', 'Unblock everybody?', () =>
    attempt(async () => (await perch.unblockAll(), jid.focus(), note('Nobody is blocked.'))),
  );
  const draw = () => {
    const { items = [], complete = true } = perch.store.blocked ?? {};
    sync(
      list,
      items,
      (entry) => entry,
      row,
      () => {},
    );
    text(state, complete ? (items.length ? '' : 'Nobody is blocked.') : 'There are more than are shown here.');
    set(all, 'hidden', items.length < 2);
  };
  const end = perch.store.subscribe((c) => c.what === 'blocked' && draw());
  const box = h(
    'dialog',
    { class: 'box', 'aria-label': 'Blocked', onclose: () => (end(), box.remove()) },
    h('header', {}, h('h2', {}, 'Blocked')),
    state,
    list,
    h(
      'form',
      { class: 'fields', onsubmit: add },
      field(`${pane.id}-blocked`, 'Account or domain to block', jid),
      h('div', { class: 'row end' }, all, h('button', { class: 'quiet' }, 'Block it')),
    ),
    h('form', { method: 'dialog', class: 'row end' }, h('button', {}, 'Close')),
  );
  draw();
  document.body.append(box);
  box.showModal();
}
