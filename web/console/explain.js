// What has failed, in words for people: problems (RFC 9457) name fields as JSON pointers (RFC 6901), or as
// ?name of the query.

const names = /** @type {Record<string, string>} */ ({
  account: 'The account',
  birthday: 'The birthday',
  body: 'The text',
  conversations: 'The conversations',
  current: 'The password of now',
  data: 'The picture',
  description: 'About',
  emails: 'The e-mail address',
  expires_in: 'The end',
  full_name: 'The full name',
  groups: 'The group',
  id: 'The name',
  jid: 'The address',
  new: 'The new password',
  nick: 'The nickname',
  password: 'The password',
  phones: 'The phone number',
  q: 'The text to find',
  since: 'The cursor',
  status: 'The status',
  token: 'The token',
  types: 'The types of events',
  upstream: 'The service',
  url: 'The address',
});

/** The field that a pointer leads to. @param {string} pointer */
export const fieldOf = (pointer) =>
  pointer
    .split(/[/?]/)
    .filter((part) => part && !/^\d+$/.test(part))
    .at(-1) ?? '';

/** @param {string} pointer */
function nameOf(pointer) {
  const field = fieldOf(pointer);
  return names[field] ?? `The ${field.replaceAll('_', ' ') || 'request'}`;
}

/** A text of the gateway without the pointer that it may begin with. @param {string} text */
export function plainly(text) {
  const [, pointer, rest] = /^([/?][\w/]+): (.*)$/s.exec(text) ?? [];
  return pointer && rest ? sentence(pointer, rest) : text;
}

/** Details go on from the name of the field, or stand for themselves. @param {string} pointer @param {string} detail */
const sentence = (pointer, detail) =>
  /^(must|is|has|are|may|cannot|does|needs)\b/.test(detail) ? `${nameOf(pointer)} ${detail}` : `${nameOf(pointer)}: ${detail}`;

/** @param {unknown} e @returns {string} */
export function explain(e) {
  if (e instanceof TypeError && /fetch|network|load failed/i.test(e.message)) return 'The gateway cannot be reached: try again.';
  const { problem, message } = /** @type {import('../perch.js').PerchError} */ (e instanceof Error ? e : new Error(String(e)));
  const [first] = problem?.errors ?? [];
  const said = first?.pointer && problem.errors?.length === 1 ? sentence(first.pointer, first.detail) : plainly(message);
  return said.charAt(0).toUpperCase() + said.slice(1);
}
