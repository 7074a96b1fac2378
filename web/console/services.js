// The XMPP services of the gateway, as the first page was told of them.

/** An account to try a service with; its token is published. @typedef {{ name: string, token: string }} Account */
/** See web.Service. @typedef {{ upstream: string, label: string, about?: string, password?: boolean, sign_in?: string, scope?: string, hint?: string, link_cutter?: string,
 *   accounts?: Account[] }} Service */

/** @type {Service[]} */
export const services = JSON.parse(document.documentElement.dataset.services || 'null') ?? [];

/** The published accounts of all services, in order. @type {Account[]} */
export const accounts = services.flatMap((s) => s.accounts ?? []);

/** @param {string | undefined} upstream */
export const serviceOf = (upstream) => services.find((s) => s.upstream === upstream);

/** The published account of a token, if it is one. @param {string} token */
export const accountOf = (token) => accounts.find((a) => a.token === token);
