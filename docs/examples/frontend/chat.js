// A chat in about 60 lines. Reconnect, resume and resets are perch.js's business: this
// file draws what the store has, each time that the store has changed.
const at = new URLSearchParams(location.search);
const gateway = at.get('gateway') ?? 'http://127.0.0.1:8080';
const { Perch } = await import(`${gateway}/perch.js`);

const perch = new Perch({ url: gateway, token: at.get('demo') ?? 'demo-alice' });
const { store } = perch;
const [who, state, messages, write, body] = ['who', 'state', 'messages', 'write', 'body'].map((id) => document.getElementById(id));

function element(tag, text, properties = {}) {
  return Object.assign(document.createElement(tag), { textContent: text }, properties);
}

function drawBuddies() {
  const chosen = who.value;
  who.replaceChildren(
    ...[...store.buddies.values()].map((buddy) => {
      const presence = store.presence.get(buddy.jid);
      const words = presence?.available ? presence.status || presence.show || 'here' : 'away';
      return element('option', `${buddy.name || buddy.jid}: ${words}`, { value: buddy.jid });
    }),
  );
  if (chosen) who.value = chosen;
  else void open();
}

function drawMessages() {
  const conversation = store.conversations.get(who.value);
  messages.replaceChildren(
    ...(conversation?.messages ?? []).map((m) =>
      element('li', `${m.direction === 'in' ? '' : 'You: '}${m.body} ${m.status ? `(${m.status})` : ''}`),
    ),
  );
  if (conversation?.typing === 'composing') messages.append(element('li', '…'));
}

function drawState() {
  const { connection } = perch;
  state.textContent = connection.state === 'live' ? `${store.session?.state ?? ''} over ${connection.transport}` : connection.state;
}

async function open() {
  if (!who.value) return;
  drawMessages();
  await perch.loadHistory(who.value).catch(() => {}); // an upstream may have no archive
}

who.addEventListener('change', open);
write.addEventListener('submit', (event) => {
  event.preventDefault();
  if (!body.value.trim()) return;
  void perch.send(who.value, body.value).catch((problem) => (state.textContent = problem.message));
  body.value = '';
});

store.subscribe(({ what }) => {
  if (what === 'conversations') drawMessages();
  else if (what === 'buddies' || what === 'presence') drawBuddies();
  else drawState();
});
perch.on('connection', drawState);
perch.connect();
