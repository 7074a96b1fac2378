// Push messages in 40 lines. The page holds no event stream: with one, the gateway pushes nothing.
const at = new URLSearchParams(location.search);
const gateway = at.get('gateway') ?? 'http://127.0.0.1:8080';
const { Perch } = await import(`${gateway}/perch.js`);

const perch = new Perch({ url: gateway, token: at.get('demo') ?? 'demo-alice' });
// The worker comes from the host of the page, and takes the rest from the gateway.
const options = { worker: `sw.js?gateway=${encodeURIComponent(gateway)}` };
const [state, on, test, off, title, messages] = ['state', 'on', 'test', 'off', 'title', 'messages'].map((id) =>
  document.getElementById(id),
);

/** Does something, and shows how it stands then, or why it has failed. */
async function then(what) {
  try {
    const said = await what();
    const now = await perch.pushState(options);
    state.textContent = said ?? `Push messages: ${now}`;
    [on.disabled, test.disabled, off.disabled] = [now === 'on' || now === 'unsupported', now !== 'on', now !== 'on'];
    return now;
  } catch (e) {
    state.textContent = e.message;
  }
}

/** The messages that a notification was about. */
async function open(jid) {
  title.textContent = jid;
  const { items } = await perch.getArchive({ with: jid, limit: 20 }).catch(() => ({ items: [] }));
  messages.replaceChildren(...items.map((m) => Object.assign(document.createElement('li'), { textContent: `${m.from}: ${m.body}` })));
}

on.onclick = () => then(async () => void (await perch.push(options)));
off.onclick = () => then(() => perch.endPush(options));
test.onclick = () =>
  then(async () => {
    const { id } = await perch.push(options); // that of this browser: others may have push messages, too
    const { status, error } = await perch.testPush(id);
    return error ? `Test: ${error}` : `Test: the push service answered ${status}`;
  });
navigator.serviceWorker?.addEventListener('message', ({ data }) => data.type === 'perch.open' && open(data.push.conversation));
await perch.openSession();
if ((await then(() => {})) === 'on') void perch.push(options); // the browser may have made another subscription
if (location.hash) void open(decodeURIComponent(location.hash.slice(1)));
