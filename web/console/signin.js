// The first page: a published account, a JID with its password, a token, or the consent page of a service.
import { field, h, set, text } from './dom.js';
import { explain, fieldOf } from './explain.js';
import { avatar } from './person.js';
import { serviceOf, services } from './services.js';

/** @import { SignInRequest } from '../types.d.ts' */

const stateKey = 'perch:oauth';
const client = () => import('../perch.js');
const several = services.length > 1;

/** What goes on with a token. @typedef {(token: string, upstream?: string) => void} Enter */

/** @param {string} slot @param {Enter} enter */
export function signIn(slot, enter) {
  const trial = services.filter((s) => s.accounts?.length);
  const pages = services.filter((s) => s.sign_in);
  const passwords = services.filter((s) => s.password);
  const token = () => withToken(slot, enter);
  return h(
    'section',
    { class: 'card signin', 'aria-labelledby': `${slot}-hello` },
    h('h1', { id: `${slot}-hello`, tabindex: -1 }, trial.length ? 'Who are you today?' : 'Sign in'),
    h(
      'p',
      { class: 'lead' },
      'The gateway keeps one XMPP session for each account. Looking at it here changes nothing about it, and closing this page does not end it.',
    ),
    trial.map((s) => offered(s, enter)),
    pages.map((s) =>
      h(
        'button',
        { class: 'quiet wide', onclick: () => leave(slot, s.upstream) },
        pages.length > 1 ? `Sign in on the page of ${s.label}` : 'Sign in on the service’s own page',
      ),
    ),
    passwords.length > 0 && withPassword(slot, passwords, enter),
    passwords.length > 0 ? h('details', {}, h('summary', {}, 'With a token'), token()) : [h('h2', {}, 'With a token'), token()],
  );
}

/** The accounts that a service offers. @param {import('./services.js').Service} service @param {Enter} enter */
function offered({ label, about, accounts = [] }, enter) {
  const person = (/** @type {import('./services.js').Account} */ { name, token }) =>
    h('button', { class: 'person', onclick: () => enter(token) }, avatar(name), h('span', {}, name), h('small', {}, token));
  return h(
    'section',
    { class: 'offered', 'aria-label': label },
    h('h2', {}, label),
    about ? h('p', { class: 'status' }, about) : null,
    h('div', { class: 'people' }, accounts.map(person)),
  );
}

/** A form that shows in itself why it was refused, with the focus on the field that it is about.
 * @param {string} label @param {HTMLElement[]} fields @param {Record<string, HTMLInputElement | HTMLSelectElement>} named by the field of the request
 * @param {(event: Event) => Promise<void>} submit */
function refusable(label, fields, named, submit) {
  const why = h('p', { class: 'refusal', role: 'alert', id: `${Object.values(named)[0]?.id}-why` });
  const button = h('button', {}, label);
  const calm = () => {
    text(why, '');
    for (const e of Object.values(named)) for (const a of ['aria-invalid', 'aria-describedby']) set(e, a, null);
  };
  const refused = (/** @type {unknown} */ e) => {
    const pointer = /** @type {any} */ (e).problem?.errors?.[0]?.pointer ?? '';
    const about = named[fieldOf(pointer)] ?? Object.values(named).at(-1);
    text(why, explain(e));
    if (!about) return;
    set(about, 'aria-invalid', 'true');
    set(about, 'aria-describedby', why.id);
    about.focus();
  };
  const go = async (/** @type {Event} */ e) => {
    e.preventDefault();
    calm();
    button.disabled = true;
    text(button, 'Signing in…');
    await submit(e).catch((error) => refused(error));
    button.disabled = false;
    text(button, label);
  };
  return h('form', { class: 'fields', onsubmit: go, oninput: calm }, ...fields, why, h('div', { class: 'row end' }, button));
}

/** A choice of services, where there are several. @param {string} usual what is chosen by saying nothing @param {import('./services.js').Service[]} among */
const choice = (usual, among) =>
  h('select', { name: 'upstream' }, h('option', { value: '' }, usual), ...among.map((s) => h('option', { value: s.upstream }, s.label)));

/** @param {string} slot @param {import('./services.js').Service[]} among @param {Enter} enter */
function withPassword(slot, among, enter) {
  const jid = h('input', { name: 'jid', autocomplete: 'username', required: true, placeholder: 'you@example.org', spellcheck: 'false' });
  const password = h('input', { name: 'password', type: 'password', autocomplete: 'current-password', required: true });
  const upstream = choice('That of the address', among);
  const submit = async () => {
    const { Perch } = await client();
    /** @type {SignInRequest} */
    const account = { jid: jid.value.trim(), password: password.value, ...(upstream.value && { upstream: upstream.value }) };
    const answer = await Perch.signIn(account);
    if (answer.token) enter(answer.token);
  };
  const fields = [
    field(`${slot}-jid`, 'JID', jid),
    field(`${slot}-password`, 'Password', password),
    ...(several ? [field(`${slot}-upstream`, 'Service', upstream)] : []),
  ];
  return refusable('Sign in', fields, { jid, ...(several && { upstream }), password }, submit);
}

/** A token is looked at before the page is left to it. @param {string} slot @param {Enter} enter */
function withToken(slot, enter) {
  const upstream = choice('That of the token', services);
  const token = h('input', { name: 'token', type: 'password', autocomplete: 'off', required: true, spellcheck: 'false' });
  const submit = async () => {
    const { Perch, PerchError } = await client();
    const given = token.value.trim();
    // fetch itself would refuse it, in words of its own (RFC 6750, 2.1)
    if (!/^[\x21-\x7e]+$/.test(given))
      throw new Error('A token has no spaces and only letters, digits and signs of ASCII: copy it alone, and whole.');
    try {
      await new Perch({ token: given, upstream: upstream.value }).getSession();
    } catch (e) {
      if (e instanceof PerchError && ![401, 403, 422, 429].includes(e.status)) return enter(given, upstream.value); // the page says how it goes
      throw e;
    }
    enter(given, upstream.value);
  };
  const fields = [
    field(`${slot}-token`, 'Bearer token', token),
    ...(several ? [field(`${slot}-of`, 'Service of the token', upstream)] : []),
  ];
  return refusable('Open', fields, { ...(several && { upstream }), token }, submit);
}

/** Leads to the consent page (RFC 6749, 4.2.1) of a service. state ties its answer to this tab. @param {string} slot @param {string} upstream */
export function leave(slot, upstream) {
  const state = `${slot}.${crypto.randomUUID()}.${upstream}`;
  sessionStorage.setItem(stateKey, state);
  const service = serviceOf(upstream);
  const url = new URL(service?.sign_in ?? '', location.origin);
  url.search = String(
    new URLSearchParams({
      client_id: 'perch-console',
      response_type: 'token',
      scope: service?.scope ?? '',
      redirect_uri: location.origin + location.pathname + location.search,
      state,
    }),
  );
  location.assign(url);
}

/** Takes the answer of the consent page out of the address, so that it stays in no history.
 * The result is what went wrong, "" if nothing did. @param {(slot: string, token: string, upstream: string) => void} signedIn */
export function returned(signedIn) {
  const answer = new URLSearchParams(location.hash.slice(1));
  if (!answer.has('state')) return '';
  history.replaceState(null, '', location.pathname + location.search);
  const state = sessionStorage.getItem(stateKey);
  sessionStorage.removeItem(stateKey);
  if (!state || answer.get('state') !== state) return 'The sign-in was not started here, so its answer is not used. Please try again.';
  const token = answer.get('access_token');
  if (!token) return answer.get('error') === 'access_denied' ? 'You said no on the sign-in page.' : 'The sign-in page gave no token.';
  const [slot = '', , ...upstream] = state.split('.');
  signedIn(slot, token, upstream.join('.'));
  return '';
}
