// The list of conversations with what is unread, and messages that are edited, replied to, reacted to
// and retracted, in 100 lines. Nothing here waits for an answer: perch.js changes its store at once, sends
// what was done, also after an outage or a reload, and puts it right when it is refused.
const at = new URLSearchParams(location.search);
const gateway = at.get('gateway') ?? 'http://127.0.0.1:8080';
const { Perch } = await import(`${gateway}/perch.js`);

const perch = new Perch({ url: gateway, token: at.get('demo') ?? 'demo-alice' });
const { store } = perch;
const [state, list, title, messages, write, about, body] = ['state', 'list', 'title', 'messages', 'write', 'about', 'body'].map((id) =>
  document.getElementById(id),
);
let open = ''; // JID of the chat that is shown
let editing = null; // the message that is edited
let repliedTo = null; // the message that is replied to

function element(tag, text, properties = {}, ...children) {
  const e = Object.assign(document.createElement(tag), { textContent: text }, properties);
  e.append(...children);
  return e;
}

const button = (text, onclick) => element('button', text, { type: 'button', onclick });
const nameOf = (jid) => store.buddies.get(jid)?.name || store.conversations.get(jid)?.name || jid;

const row = (jid, text) => element('li', '', {}, button(`${nameOf(jid)}${text}`, show.bind(null, jid)));

function drawList() {
  const others = [...store.buddies.keys()].filter((jid) => !store.list.some((c) => c.jid === jid));
  const chats = store.list.map(({ jid, unread, draft, last_message: last }) => {
    const preview = draft ?? (last?.retracted ? 'deleted' : (last?.body ?? ''));
    return row(jid, `${unread ? ` (${unread})` : ''}: ${preview}`);
  });
  list.replaceChildren(...chats, ...others.map((jid) => row(jid, '')));
}

function drawMessage(m) {
  const reactions = (m.reactions ?? []).map((r) => button(`${r.emoji} ${r.by.length}`, () => react(m, r.emoji)));
  const own = m.direction === 'out';
  const actions = m.ref && !m.retracted ? [] : null;
  if (perch.can('react')) actions?.push(button('👍', () => react(m, '👍')));
  if (perch.can('reply')) actions?.push(button('Reply', () => begin(null, m)));
  if (perch.can('edit') && own) actions?.push(button('Edit', () => begin(m, null)));
  if (perch.can('retract') && own) actions?.push(button('Delete', () => tell(perch.retract(open, m.ref))));
  if (m.change?.state === 'failed') actions?.push(button(`Dismiss: ${m.change.error}`, () => perch.cancel(open, m.change.id)));
  const quote = m.reply_to ? [element('blockquote', m.reply_to.excerpt ?? '…')] : [];
  const text = m.retracted ? 'deleted' : `${m.body}${m.edited ? ' (edited)' : ''}`;
  return element('li', '', {}, ...quote, element('p', `${own ? 'You' : nameOf(open)}: ${text}`), ...reactions, ...(actions ?? []));
}

function drawMessages() {
  const c = store.conversations.get(open);
  title.textContent = c ? nameOf(open) : '';
  messages.replaceChildren(...(c?.messages ?? []).map(drawMessage));
  if (c?.unread && !document.hidden) perch.markRead(open).catch(() => {});
}

function react(m, emoji) {
  const own = (m.reactions ?? []).filter((r) => r.own).map((r) => r.emoji);
  tell(perch.react(open, m.ref, own.includes(emoji) ? own.filter((e) => e !== emoji) : [...own, emoji]));
}

function begin(edited, quoted) {
  [editing, repliedTo] = [edited, quoted];
  about.textContent = edited ? `Editing: ${edited.body}` : quoted ? `Replying to: ${quoted.body}` : '';
  body.value = edited?.body ?? store.conversations.get(open)?.draft ?? '';
  body.focus();
}

async function show(jid) {
  open = jid;
  begin(null, null);
  drawMessages();
  await perch.loadHistory(jid).catch(() => {}); // an upstream may have no archive
}

const tell = (promise) => promise.catch((problem) => (state.textContent = problem.message));

body.addEventListener('input', () => {
  perch.typing(open);
  if (!editing) perch.saveDraft(open, body.value);
});
write.addEventListener('submit', (event) => {
  event.preventDefault();
  if (!open || !body.value.trim()) return;
  if (editing) tell(perch.edit(open, editing.ref, body.value));
  else tell(perch.send(open, body.value, repliedTo ? { reply_to: { ref: repliedTo.ref } } : {}));
  if (!editing) perch.saveDraft(open, '');
  begin(null, null);
});
store.subscribe(() => (drawList(), drawMessages()));
perch.on('connection', ({ state: now }) => (state.textContent = now));
perch.on('live', () => tell(perch.loadConversations()));
perch.connect();
