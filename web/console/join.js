// Finding, joining and making rooms.
import { attempt, field, h, note, set, text } from './dom.js';

/** @import { DirectoryRoom } from '../types.d.ts' */
/** @typedef {import('./pane.js').Pane} Pane */

/** @param {Pane} pane */
export function showJoin(pane) {
  const done = (/** @type {string} */ jid) => (box.close(), pane.talk(jid));
  const box = h(
    'dialog',
    { class: 'box', 'aria-label': 'Rooms', onclose: () => box.remove() },
    h('header', {}, h('h2', {}, 'Rooms')),
    directory(pane, done),
    h('details', {}, h('summary', {}, 'By its address'), byAddress(pane, done)),
    making(pane, done),
    autojoin(pane),
    h('form', { method: 'dialog', class: 'row end' }, h('button', {}, 'Close')),
  );
  document.body.append(box);
  box.showModal();
}

/** The public rooms, as far as they were asked for. @param {Pane} pane @param {(jid: string) => void} done */
function directory(pane, done) {
  const q = h('input', { type: 'search', 'aria-label': 'Find a room', placeholder: 'Find a room' });
  const list = h('ul', { class: 'people-here', 'aria-label': 'Rooms found' });
  const state = h('p', { class: 'status', role: 'status' });
  const more = h('button', { class: 'quiet older', hidden: true, onclick: () => read(true) }, 'More rooms');
  /** @type {string | null} */ let next = null;
  let asked = 0;
  const read = async (further = false) => {
    const turn = ++asked;
    const cursor = further && next ? { cursor: next } : {};
    text(state, 'Looking…');
    const found = await attempt(async () => {
      const page = await pane.perch.directory({ q: q.value.trim() || undefined, limit: 50, ...cursor });
      if (turn !== asked) return; // another text is looked for
      const rows = page.items.map((r) => row(pane, r, done));
      if (further) list.append(...rows);
      else list.replaceChildren(...rows);
      next = page.next;
      set(more, 'hidden', !next);
      text(state, list.childElementCount || next ? '' : 'No public rooms here.');
    });
    if (!found && turn === asked) text(state, 'The directory cannot be read.');
  };
  void read();
  const submit = (/** @type {Event} */ e) => (e.preventDefault(), read());
  return h('div', {}, h('form', { class: 'row', onsubmit: submit }, q, h('button', { class: 'quiet' }, 'Find')), state, list, more);
}

/** @param {Pane} pane @param {DirectoryRoom} room @param {(jid: string) => void} done */
function row(pane, { jid, name, occupants }, done) {
  const joined = pane.perch.store.rooms.get(jid)?.state === 'joined';
  const go = () => (joined ? done(jid) : attempt(async () => (await pane.perch.joinRoom(jid), done(jid))));
  const label = joined ? 'Open' : 'Join';
  return h(
    'li',
    { class: 'row', 'data-jid': jid },
    h('span', { class: 'name', title: jid, dir: 'auto' }, name || jid),
    occupants !== null && h('small', {}, `${occupants} here`),
    h('button', { class: 'quiet', 'aria-label': `${label} ${name || jid}`, onclick: go }, label),
  );
}

/** @param {Pane} pane @param {(jid: string) => void} done */
function byAddress(pane, done) {
  const { id, perch } = pane;
  const jid = h('input', { required: true, placeholder: 'tea@rooms.example.org', autocomplete: 'off', spellcheck: 'false' });
  const nick = h('input', { autocomplete: 'off' });
  const password = h('input', { type: 'password', autocomplete: 'off' });
  const keep = h('input', { type: 'checkbox', checked: true });
  const how = () => ({
    ...(nick.value.trim() && { nick: nick.value.trim() }),
    ...(password.value && { password: password.value }),
    ...(!keep.checked && { autojoin: null }),
  });
  const join = (/** @type {Event} */ e) => {
    e.preventDefault();
    void attempt(async () => done((await perch.joinRoom(jid.value.trim(), how())).jid));
  };
  return h(
    'form',
    { class: 'fields', onsubmit: join },
    field(`${id}-room`, 'Address of the room', jid),
    field(`${id}-room-nick`, 'Your nick there (or that of before)', nick),
    field(`${id}-room-password`, 'Its password, if it has one', password),
    h('label', { class: 'row' }, keep, 'Keep it in my list'),
    h('div', { class: 'row end' }, h('button', {}, 'Join')),
  );
}

/** A room of one's own: its address is made of the name. @param {Pane} pane @param {(jid: string) => void} done */
function making(pane, done) {
  const { id, perch } = pane;
  const name = h('input', { required: true, autocomplete: 'off', maxlength: 200 });
  const service = h('input', {
    required: true,
    autocomplete: 'off',
    spellcheck: 'false',
    value: perch.store.session?.services?.muc[0] ?? '',
  });
  const closed = h('input', { type: 'checkbox' });
  const found = h('input', { type: 'checkbox', checked: true });
  const ask = async () => {
    // The gateway knows the services of a server once somebody has looked for rooms.
    const { services } = await perch.getSession();
    service.value ||= services?.muc[0] ?? '';
  };
  const make = (/** @type {Event} */ e) => {
    e.preventDefault();
    const jid = `${localPart(name.value)}@${service.value.trim()}`;
    const config = { name: name.value.trim(), members_only: closed.checked, public: found.checked, persistent: true };
    void attempt(async () => {
      if ((await perch.directory({ service: service.value.trim(), q: jid }).catch(() => null))?.items.some((r) => r.jid === jid))
        throw new Error('There is a room of this name already.');
      done((await perch.joinRoom(jid, { config })).jid);
    });
  };
  const form = h(
    'form',
    { class: 'fields', onsubmit: make },
    field(`${id}-new`, 'Name', name),
    field(`${id}-new-service`, 'Service', service),
    h('label', { class: 'row' }, closed, 'For members only'),
    h('label', { class: 'row' }, found, 'In the directory'),
    h('div', { class: 'row end' }, h('button', {}, 'Make')),
  );
  return h('details', { ontoggle: () => ask().catch(() => {}) }, h('summary', {}, 'Make a room'), form);
}

/** Letters, digits and hyphens, which every address may have. @param {string} name */
const localPart = (name) =>
  name
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '') || `room-${Date.now().toString(36)}`;

/** @param {Pane} pane */
function autojoin(pane) {
  const { perch } = pane;
  const change = () =>
    attempt(
      async () => (await perch.setAutojoin(box.checked), note(box.checked ? 'The rooms of your bookmarks are joined.' : 'They are left.')),
    );
  const box = h('input', { type: 'checkbox', onchange: change });
  void perch.getSession().then(
    (s) => (box.checked = s.rooms === 'autojoin'),
    () => {},
  );
  return h('label', { class: 'row' }, box, 'Join the rooms of my bookmarks by themselves');
}
