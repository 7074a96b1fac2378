// Requests to the admin API. The token is asked for in a form and kept in sessionStorage: it is
// in no address, and gone with the tab.

const place = 'perch:admin:token';

export class Refused extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export const token = {
  get: () => sessionStorage.getItem(place) ?? '',
  /** @param {string} t */
  set: (t) => sessionStorage.setItem(place, t),
  forget: () => sessionStorage.removeItem(place),
};

/**
 * One request; path is below /admin/v1/. An answer without a body is null.
 * @param {string} method @param {string} path @param {object} [body]
 * @returns {Promise<any>}
 */
export async function ask(method, path, body) {
  /** @type {Record<string, string>} */ const headers = {};
  if (token.get()) headers.Authorization = `Bearer ${token.get()}`;
  if (body) headers['Content-Type'] = 'application/json';
  const res = await fetch(`/admin/v1/${path}`, {
    method,
    headers,
    body: body ? JSON.stringify(body) : null,
    signal: AbortSignal.timeout(30_000),
    cache: 'no-store',
  });
  const answer = parsed(await res.text());
  if (!res.ok) throw new Refused(res.status, answer?.detail ?? answer?.title ?? `status ${res.status}`);
  if (answer === undefined) throw new Error('what answers is no admin API of Perch');
  return answer;
}

/** JSON; null where there is nothing, and undefined where there is something else: a proxy answers with
 * a page of its own. @param {string} text @returns {any} */
function parsed(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return undefined;
  }
}
