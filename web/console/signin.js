// The first page: a demo account, a token, a JID with its password, or the consent page.
import { Perch } from '../perch.js';
import { attempt, h } from './dom.js';
import { avatar } from './person.js';

const signInPage = document.documentElement.dataset.signin ?? '';
const stateKey = 'perch:oauth';

/** @param {string} slot @param {string[]} accounts @param {(token: string) => void} enter */
export function signIn(slot, accounts, enter) {
  const token = h('input', {
    id: `${slot}-token`,
    name: 'token',
    type: 'password',
    autocomplete: 'off',
    required: true,
    spellcheck: 'false',
  });
  const jid = h('input', {
    id: `${slot}-jid`,
    name: 'jid',
    autocomplete: 'username',
    required: true,
    placeholder: 'you@example.org',
    spellcheck: 'false',
  });
  const password = h('input', {
    id: `${slot}-password`,
    name: 'password',
    type: 'password',
    autocomplete: 'current-password',
    required: true,
  });
  return h(
    'section',
    { class: 'card signin', 'aria-labelledby': `${slot}-hello` },
    h('h1', { id: `${slot}-hello` }, 'Who are you today?'),
    h(
      'p',
      { class: 'lead' },
      'The gateway keeps one XMPP session for each account. Looking at it here changes nothing about it, and closing this page does not end it.',
    ),
    accounts.length > 0 && [
      h('h2', {}, 'Demo accounts'),
      h(
        'div',
        { class: 'people' },
        accounts.map((name) =>
          h(
            'button',
            { class: 'person', onclick: () => enter(`demo-${name}`) },
            avatar(name),
            h('span', {}, capital(name)),
            h('small', {}, `demo-${name}`),
          ),
        ),
      ),
    ],
    signInPage && h('p', {}, h('button', { class: 'quiet wide', onclick: () => leave(slot) }, 'Sign in on the service’s own page')),
    h('h2', {}, 'With a token'),
    h(
      'form',
      { class: 'row', onsubmit: (/** @type {Event} */ e) => (e.preventDefault(), enter(token.value.trim())) },
      h('label', { for: token.id, class: 'hidden' }, 'Bearer token'),
      token,
      h('button', {}, 'Open'),
    ),
    h(
      'details',
      {},
      h('summary', {}, 'With a JID and a password'),
      h(
        'form',
        {
          class: 'fields',
          onsubmit: (/** @type {Event} */ e) => {
            e.preventDefault();
            void attempt(async () => {
              const answer = await Perch.signIn({ jid: jid.value.trim(), password: password.value });
              if (answer.token) enter(answer.token);
            });
          },
        },
        h('label', { for: jid.id }, 'JID'),
        jid,
        h('label', { for: password.id }, 'Password'),
        password,
        h('button', {}, 'Sign in'),
      ),
    ),
  );
}

/** @param {string} s */
const capital = (s) => s.charAt(0).toUpperCase() + s.slice(1);

/** Leads to the consent page (RFC 6749, 4.2.1). state ties its answer to this tab. @param {string} slot */
export function leave(slot) {
  const state = `${slot}.${crypto.randomUUID()}`;
  sessionStorage.setItem(stateKey, state);
  const url = new URL(signInPage, location.origin);
  url.search = String(
    new URLSearchParams({
      client_id: 'perch-console',
      response_type: 'token',
      scope: 'wl.messenger',
      redirect_uri: location.origin + location.pathname + location.search,
      state,
    }),
  );
  location.assign(url);
}

/** Takes the answer of the consent page out of the address, so that it stays in no history.
 * The result is what went wrong, "" if nothing did. @param {(slot: string, token: string) => void} signedIn */
export function returned(signedIn) {
  const answer = new URLSearchParams(location.hash.slice(1));
  if (!answer.has('state')) return '';
  history.replaceState(null, '', location.pathname + location.search);
  const state = sessionStorage.getItem(stateKey);
  sessionStorage.removeItem(stateKey);
  if (!state || answer.get('state') !== state) return 'The sign-in was not started here, so its answer is not used. Please try again.';
  const token = answer.get('access_token');
  if (!token) return answer.get('error') === 'access_denied' ? 'You said no on the sign-in page.' : 'The sign-in page gave no token.';
  signedIn(state.split('.')[0] ?? '', token);
  return '';
}
