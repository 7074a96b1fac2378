// One buddy: how it is called here, its groups, and its end.
import { listed } from './adding.js';
import { attempt, field, h, note, sure } from './dom.js';

/** @typedef {import('./pane.js').Pane} Pane */

/** @param {Pane} pane @param {string} jid */
export function showBuddy(pane, jid) {
  const { perch, id } = pane;
  const buddy = perch.store.buddies.get(jid);
  if (!buddy) return;
  const shown = pane.nameOf(jid);
  const name = h('input', { value: buddy.name, autocomplete: 'off', maxlength: 200, dir: 'auto', autofocus: true });
  const known = new Set([...perch.store.buddies.values()].flatMap((b) => b.groups));
  const groups = h('input', { value: buddy.groups.join(', '), autocomplete: 'off', dir: 'auto' });
  const suggestions = [...known]
    .sort()
    .map((g) =>
      h('button', { type: 'button', class: 'filter', onclick: () => (groups.value = listed(`${groups.value}, ${g}`).join(', ')) }, g),
    );
  const save = (/** @type {Event} */ e) => {
    e.preventDefault();
    void attempt(async () => {
      await perch.updateBuddy(jid, { name: name.value.trim(), groups: listed(groups.value) });
      box.close();
      note(`${pane.nameOf(jid)} is changed.`);
    });
  };
  const remove = () =>
    attempt(async () => {
      await perch.removeBuddy(jid);
      box.close();
      note(`${shown} is no buddy any more.`);
    });
  const box = h(
    'dialog',
    { class: 'box', 'aria-label': `Name and groups of ${shown}`, onclose: () => box.remove() },
    h('header', {}, h('h2', { dir: 'auto' }, shown)),
    h('p', { class: 'mono' }, jid),
    h(
      'form',
      { class: 'fields', onsubmit: save },
      field(`${id}-buddy-name`, 'Name', name),
      field(`${id}-buddy-groups`, 'Groups, with commas between them', groups),
      suggestions.length ? h('div', { class: 'row wrap', role: 'group', 'aria-label': 'Groups that there are' }, ...suggestions) : null,
      h(
        'div',
        { class: 'row wrap end' },
        sure('Remove', 'Remove for good?', remove),
        h('button', { type: 'button', class: 'quiet', onclick: () => box.close() }, 'Cancel'),
        h('button', {}, 'Save'),
      ),
    ),
  );
  document.body.append(box);
  box.showModal();
}

/** Makes the other side of a conversation a buddy. @param {Pane} pane @param {string} jid */
export const addBuddy = (pane, jid) =>
  attempt(async () => {
    await pane.perch.addBuddy({ jid });
    note(`${pane.nameOf(jid)} is in your list; the invitation is on its way.`);
  });
