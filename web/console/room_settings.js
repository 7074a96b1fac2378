// What can be done with a room: its subject, whom to invite, the own nick, its members and settings; to
// leave it, and to end it. Only what may succeed is offered.
import { attempt, field, h, note, sure, text } from './dom.js';

/** @import { Affiliation, Room } from '../types.d.ts' */
/** @typedef {import('./pane.js').Pane} Pane */

/** @param {Pane} pane @param {string} jid */
export function showSettings(pane, jid) {
  const room = pane.perch.store.rooms.get(jid);
  if (!room) return;
  const may = (/** @type {import('../perch.js').RoomRight} */ what) => pane.perch.canIn(jid, what);
  const close = h('button', { onclick: () => box.close() }, 'Close');
  const box = h(
    'dialog',
    { class: 'box', 'aria-label': `Room ${pane.nameOf(jid)}`, onclose: () => box.remove() },
    h('header', {}, h('h2', {}, pane.nameOf(jid))),
    h('p', { class: 'mono' }, jid),
    room.subject && h('p', { dir: 'auto' }, room.subject.text, room.subject.by && h('small', {}, ` (by ${room.subject.by})`)),
    may('subject') && subject(pane, room),
    may('invite') && invitation(pane, jid),
    room.state === 'joined' && nick(pane, room),
    volume(pane, room),
    may('members') && folded('Members', () => members(pane, jid)),
    may('configure') && folded('Settings', () => settings(pane, jid)),
    ends(pane, room, () => box.close()),
    h('div', { class: 'row end' }, close),
  );
  document.body.append(box);
  box.showModal();
}

/** A form of one field. @param {string} label @param {string} value @param {string} button @param {(value: string) => Promise<unknown>} f @param {string} done */
function one(label, value, button, f, done) {
  const input = h('input', { value, 'aria-label': label, placeholder: label, autocomplete: 'off', maxlength: 1000 });
  const submit = (/** @type {Event} */ e) => {
    e.preventDefault();
    void attempt(async () => (await f(input.value.trim()), note(done)));
  };
  return h('form', { class: 'row', onsubmit: submit }, input, h('button', { class: 'quiet' }, button));
}

/** @param {Pane} pane @param {Room} room */
const subject = (pane, room) =>
  one('Subject', room.subject?.text ?? '', 'Set subject', (s) => pane.perch.setSubject(room.jid, s), 'The subject is on its way.');

/** @param {Pane} pane @param {string} jid */
const invitation = (pane, jid) =>
  one('Whom to invite (JID)', '', 'Invite', (to) => pane.perch.inviteToRoom(jid, to), 'The invitation is on its way.');

/** @param {Pane} pane @param {Room} room */
const nick = (pane, room) =>
  one('Your nick here', room.nick, 'Take nick', (n) => pane.perch.changeRoom(room.jid, { nick: n }), 'Asked for.');

/** Which messages come, and whether the room is joined by itself. @param {Pane} pane @param {Room} room */
function volume(pane, room) {
  const { jid } = room;
  const select = h(
    'select',
    {
      'aria-label': 'Which messages come',
      onchange: () => attempt(() => pane.perch.changeRoom(jid, { delivery: /** @type {any} */ (select.value) })),
    },
    ...[
      ['all', 'All messages'],
      ['mentions', 'Those that name you'],
      ['none', 'None'],
    ].map(([value, label]) => h('option', { value, selected: room.delivery === value }, label)),
  );
  const auto = h('input', {
    type: 'checkbox',
    checked: room.bookmark?.autojoin,
    onchange: () => attempt(() => pane.perch.changeRoom(jid, { autojoin: auto.checked })),
  });
  return h('div', { class: 'row wrap' }, select, h('label', { class: 'row' }, auto, 'Join by itself'));
}

/** Something that is asked for when it is unfolded. @param {string} title @param {() => Promise<HTMLElement>} make */
function folded(title, make) {
  const inside = h('div', {}, 'Reading…');
  const load = async () => {
    if (!box.open) return;
    if (!(await attempt(async () => inside.replaceChildren(await make())))) text(inside, 'It could not be read.');
  };
  const box = h('details', { ontoggle: load }, h('summary', {}, title), inside);
  return box;
}

// Members.

const lists = /** @type {[Exclude<Affiliation, 'none'>, string][]} */ ([
  ['member', 'Members'],
  ['admin', 'Admins'],
  ['owner', 'Owners'],
  ['outcast', 'Banned'],
]);

/** @param {Pane} pane @param {string} jid */
async function members(pane, jid) {
  const { perch } = pane;
  const owner = perch.canIn(jid, 'configure');
  const which = h(
    'select',
    { 'aria-label': 'Which list', onchange: () => attempt(draw) },
    ...lists.map(([value, label]) => h('option', { value }, label)),
  );
  const list = h('ul', { class: 'people-here' });
  const give = (/** @type {string} */ who, /** @type {Affiliation} */ a) =>
    attempt(async () => (await perch.setMember(jid, who, a), await draw()));
  const draw = async () => {
    const affiliation = /** @type {Exclude<Affiliation, 'none'>} */ (which.value);
    const { items } = await perch.members(jid, { affiliation });
    if (affiliation !== which.value) return; // another list is asked for
    const mine = perch.store.session?.jid;
    const may = owner || affiliation === 'member' || affiliation === 'outcast';
    const row = (/** @type {import('../types.d.ts').Member} */ m) =>
      h(
        'li',
        { class: 'row' },
        h('span', { class: 'name', title: m.reason ?? null }, m.jid),
        may && m.jid !== mine && sure('Take off', 'Take off the list?', () => give(m.jid, 'none')),
      );
    list.replaceChildren(...(items.length ? items.map(row) : [h('li', { class: 'status' }, 'Nobody')]));
  };
  await draw();
  const who = h('input', { 'aria-label': 'Account to add (JID)', placeholder: 'JID', autocomplete: 'off', required: true });
  const add = async (/** @type {Event} */ e) => {
    e.preventDefault();
    if (await give(who.value.trim(), /** @type {Affiliation} */ (which.value))) who.value = '';
  };
  return h(
    'div',
    { class: 'fields' },
    which,
    list,
    h('form', { class: 'row', onsubmit: add }, who, h('button', { class: 'quiet' }, 'Add')),
  );
}

// Settings.

const texts = /** @type {const} */ ({ name: 'Name', description: 'Description', password: 'Password' });
const switches = /** @type {const} */ ({
  members_only: 'Members only',
  public: 'In the directory',
  persistent: 'Stays when it is empty',
  moderated: 'Visitors may not speak',
  change_subject: 'Everybody may change the subject',
  allow_invites: 'Everybody may invite',
  archive: 'Keeps its messages',
});

/** The settings that the room has. @param {Pane} pane @param {string} jid */
async function settings(pane, jid) {
  /** @type {any} */ const config = await pane.perch.roomConfig(jid);
  const inputs = /** @type {Record<string, HTMLInputElement>} */ ({});
  const rows = [];
  for (const [name, label] of Object.entries(texts)) {
    if (!(name in config)) continue;
    inputs[name] = h('input', {
      value: config[name] ?? '',
      autocomplete: 'off',
      type: name === 'password' ? 'password' : 'text',
    });
    rows.push(field(`${pane.id}-room-${name}`, label, inputs[name]));
  }
  for (const [name, label] of Object.entries(switches)) {
    if (!(name in config)) continue;
    inputs[name] = h('input', { type: 'checkbox', checked: config[name] });
    rows.push(h('label', { class: 'row' }, inputs[name], label));
  }
  const save = (/** @type {Event} */ e) => {
    e.preventDefault();
    /** @type {any} */ const change = {};
    for (const [name, input] of Object.entries(inputs)) {
      const value = input.type === 'checkbox' ? input.checked : input.value;
      if (value !== /** @type {any} */ (config[name] ?? '')) change[name] = value;
    }
    if (!Object.keys(change).length) return;
    void attempt(async () => (Object.assign(config, await pane.perch.setRoomConfig(jid, change)), note('The room has it.')));
  };
  return h('form', { class: 'fields', onsubmit: save }, ...rows, h('button', { class: 'quiet' }, 'Save'));
}

// The ends.

/** @param {Pane} pane @param {Room} room @param {() => void} close */
function ends(pane, { jid, state }, close) {
  const { perch } = pane;
  const end = (/** @type {() => Promise<unknown>} */ f) => () => attempt(async () => (await f(), close()));
  const inside = state === 'joined' || state === 'joining';
  return h(
    'div',
    { class: 'row wrap' },
    inside && h('button', { class: 'quiet', onclick: end(() => perch.leaveRoom(jid)) }, 'Leave'),
    sure(
      'Forget',
      'Leave and forget it?',
      end(() => perch.leaveRoom(jid, { forget: true })),
    ),
    perch.canIn(jid, 'destroy') &&
      sure(
        'Destroy',
        'End it for everybody?',
        end(() => perch.destroyRoom(jid)),
      ),
  );
}
