// "Copy as curl": every action of the console is a request that works in a terminal too.
import { h, note } from './dom.js';
import { Menu } from './menu.js';
import { accountOf } from './services.js';

/** @typedef {{ method?: string, path: string, body?: unknown, accept?: string }} Call */

const table = () => import('./calls.js');

/** @param {string} s */
const quote = (s) => `'${s.replaceAll("'", `'\\''`)}'`;

/** The command of a call. A token that is no published one stays out of the clipboard.
 * @param {Call} call @param {string} token @param {string} [origin] */
export function curl(call, token, origin = location.origin) {
  const bearer = accountOf(token) ? quote(`Authorization: Bearer ${token}`) : '"Authorization: Bearer $TOKEN"';
  const parts = ['curl', call.accept ? '-N' : '', '-H', bearer];
  if (call.accept) parts.push('-H', quote(`Accept: ${call.accept}`));
  if (call.method && call.method !== 'GET' && !(call.method === 'POST' && call.body !== undefined)) parts.push('-X', call.method);
  if (call.body !== undefined) parts.push('-H', quote('Content-Type: application/json'), '-d', quote(JSON.stringify(call.body)));
  return [...parts, quote(origin + call.path)].filter(Boolean).join(' ');
}

/** @param {Call} call @param {string} token */
export async function copy(call, token) {
  const command = curl(call, token);
  try {
    await navigator.clipboard.writeText(command);
    note('Copied: the same as a curl command');
  } catch {
    const area = h('textarea', { readonly: true, rows: 5, 'aria-label': 'curl command' }, command);
    const box = h(
      'dialog',
      { class: 'box', 'aria-label': 'The same as a curl command', onclose: () => box.remove() },
      area,
      h('form', { method: 'dialog' }, h('button', {}, 'Close')),
    );
    document.body.append(box);
    box.showModal();
    area.select();
  }
}

/** The one menu of an account with all that can be copied. @param {import('./pane.js').Pane} pane */
export const curlMenu = (pane) =>
  new Menu(`${pane.id}-curl`, 'Copy as curl', 'curl', async () => {
    const { callsOf } = await table();
    return callsOf(pane).map(({ heading, calls }) => ({
      heading,
      items: calls.map(([label, call]) => ({ label, run: () => copy(call, pane.token) })),
    }));
  });
