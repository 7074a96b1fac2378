// The REST calls of the gateway (openapi.yaml), one method for each operation.

import { PerchError } from './errors.js';

/** @import { AcceptedInvitation, AcceptRequest, ArchivePage, BlockList, BlockReport, Buddy, BuddyPatch, BuddyRequest } from '../types.d.ts' */
/** @import { ChatState, Credentials, Frame, Invitation, JID, JIDAnswer, MessageAnswer } from '../types.d.ts' */
/** @import { MessageRecord, MessageRequest, OwnPresence, OwnPresenceRequest, Page, Presence } from '../types.d.ts' */
/** @import { PresenceList, SessionInfo, SignInAnswer, Ticket, VCard, VCardRequest } from '../types.d.ts' */
/** @import { ConversationData, ConversationKind, ConversationPage, ConversationPatch, ConversationRead } from '../types.d.ts' */
/** @import { ConversationMessage, MessageEditRequest, MessagePage, MessageQuery, Upload, UploadRequest } from '../types.d.ts' */
/** @import { NewToken, TokenList, TokenRequest } from '../types.d.ts' */
/** @import { PutWebhook, Webhook, WebhookAttempt, WebhookList, WebhookRequest } from '../types.d.ts' */
/** @import { PushAttempt, PushList, PushRequest, PushSubscription } from '../types.d.ts' */

/** @param {JID} jid @param {string} [ref] */
const pathOf = (jid, ref) => `/v1/conversations/${encodeURIComponent(jid)}${ref ? `/messages/${encodeURIComponent(ref)}` : ''}`;

/** The REST calls of one account. Every call rejects with PerchError, or with fetch's own error
 * when there was no answer. */
export class Rest {
  #http;
  /** Where the gateway is. @type {URL} */ url;

  /** @param {import('./http.js').HTTPClient} http @param {string | URL} [url] the page's own origin if not given */
  constructor(http, url) {
    this.#http = http;
    this.url = new URL(url ?? globalThis.location?.origin ?? 'http://127.0.0.1:8080');
  }

  /** Makes any call, such as one that has no method here. A query value that is undefined or
   * null is left out; a list is repeated.
   * @template [T=any]
   * @param {string} method
   * @param {string} path
   * @param {{ query?: Record<string, any>, body?: unknown, headers?: Record<string, string>, as?: 'json' | 'blob',
   *   signal?: AbortSignal }} [o]
   * @returns {Promise<T>}
   */
  async request(method, path, o = {}) {
    const url = new URL(path, this.url);
    for (const [name, value] of Object.entries(o.query ?? {})) {
      for (const v of [value].flat()) if (v !== undefined && v !== null) url.searchParams.append(name, v);
    }
    return this.#http.request(method, url, o);
  }

  /** @returns {Promise<SessionInfo>} */
  getSession() {
    return this.request('GET', '/v1/session');
  }

  /** Opens the session of the token and waits for it. @returns {Promise<SignInAnswer>} */
  openSession() {
    return this.request('POST', '/v1/session');
  }

  /** A refreshed credential takes over the live session. @param {Credentials} credential @returns {Promise<void>} */
  async replaceCredentials(credential) {
    await this.request('PUT', '/v1/session/credentials', { body: credential });
    this.#http.replaceToken('token' in credential ? credential.token : undefined);
  }

  /** Gives the account another password, on its XMPP server and for this session, whose token stays valid.
   * Fails with 403 when `current` is not the password, 422 when the server does not take the new one, and
   * 501 where there is no password to change. @param {string} current @param {string} fresh @returns {Promise<void>} */
  async changePassword(current, fresh) {
    await this.request('PUT', '/v1/session/password', { body: { current, new: fresh } });
  }

  /** Ends the XMPP session itself, and everything that the gateway keeps of it; a token of createToken ends
   * itself alone. With `all: true` the session ends whichever token asks, if it may; with `all: false` the token
   * alone: this device, and no other. @param {{ all?: boolean }} [o] @returns {Promise<void>} */
  async signOut(o = {}) {
    await this.request('DELETE', '/v1/session', { query: o.all === undefined ? {} : { all: o.all ? '1' : '0' } });
  }

  /** The tokens that lead to the session and may do no more than this one: when each was used last, and from
   * where, and never their text. @returns {Promise<TokenList>} */
  listTokens() {
    return this.request('GET', '/v1/tokens');
  }

  /** A token for another device, a bot or a service, that may do no more than this one. Its text (`token`) is in
   * this answer alone. @param {TokenRequest} token @returns {Promise<NewToken>} */
  createToken(token) {
    return this.request('POST', '/v1/tokens', { body: token });
  }

  /** Ends a token, on every node and with its streams. @param {string} id @returns {Promise<void>} */
  async revokeToken(id) {
    await this.request('DELETE', `/v1/tokens/${encodeURIComponent(id)}`);
  }

  /** The servers that events of the session are sent to, each with its state. @returns {Promise<WebhookList>} */
  listWebhooks() {
    return this.request('GET', '/v1/webhooks');
  }

  /** @param {string} id @returns {Promise<Webhook>} */
  getWebhook(id) {
    return this.request('GET', `/v1/webhooks/${encodeURIComponent(id)}`);
  }

  /** Makes a webhook, or puts it anew, which enables it, too. Its secret (`secret`) is in the answer when it was made
   * or rotated, and in no other. It ends with the token of this client. @param {string} id of your own: 1 to 64 of A-Z a-z 0-9 - _
   * @param {WebhookRequest} webhook @returns {Promise<PutWebhook>} */
  putWebhook(id, webhook) {
    return this.request('PUT', `/v1/webhooks/${encodeURIComponent(id)}`, { body: webhook });
  }

  /** @param {string} id @returns {Promise<void>} */
  async deleteWebhook(id) {
    await this.request('DELETE', `/v1/webhooks/${encodeURIComponent(id)}`);
  }

  /** Makes one call without events; `error` of the answer says why it has not arrived. @param {string} id @returns {Promise<WebhookAttempt>} */
  testWebhook(id) {
    return this.request('POST', `/v1/webhooks/${encodeURIComponent(id)}/test`);
  }

  /** Sends again what follows a cursor, such as that of an event. @param {string} id @param {string} since @returns {Promise<Webhook>} */
  replayWebhook(id, since) {
    return this.request('POST', `/v1/webhooks/${encodeURIComponent(id)}/replay`, { body: { since } });
  }

  /** The push subscriptions of the session, and the key that browsers subscribe with. @returns {Promise<PushList>} */
  listPush() {
    return this.request('GET', '/v1/push');
  }

  /** Puts a push subscription, under an id of your own; it ends with the token of this client.
   * @param {string} id @param {PushRequest} subscription @returns {Promise<PushSubscription>} */
  putPush(id, subscription) {
    return this.request('PUT', `/v1/push/${encodeURIComponent(id)}`, { body: subscription });
  }

  /** @param {string} id @returns {Promise<void>} */
  async removePush(id) {
    await this.request('DELETE', `/v1/push/${encodeURIComponent(id)}`);
  }

  /** Sends a message to a push subscription now, and waits for what the push service says. @param {string} id @returns {Promise<PushAttempt>} */
  testPush(id) {
    return this.request('POST', `/v1/push/${encodeURIComponent(id)}/test`);
  }

  /**
   * @param {{ group?: string, q?: string, limit?: number, cursor?: string, include?: 'presence' }} [query]
   * @returns {Promise<Page<Buddy>>}
   */
  listBuddies(query = {}) {
    return this.request('GET', '/v1/buddies', { query });
  }

  /** @param {BuddyRequest} buddy @returns {Promise<Buddy>} */
  addBuddy(buddy) {
    return this.request('POST', '/v1/buddies', { body: buddy });
  }

  /** @param {JID} jid @returns {Promise<Buddy>} */
  getBuddy(jid) {
    return this.request('GET', `/v1/buddies/${encodeURIComponent(jid)}`);
  }

  /** @param {JID} jid @param {BuddyPatch} change @returns {Promise<Buddy>} */
  updateBuddy(jid, change) {
    return this.request('PATCH', `/v1/buddies/${encodeURIComponent(jid)}`, { body: change });
  }

  /** @param {JID} jid @returns {Promise<void>} */
  removeBuddy(jid) {
    return this.request('DELETE', `/v1/buddies/${encodeURIComponent(jid)}`);
  }

  /** @param {{ limit?: number, cursor?: string }} [query] @returns {Promise<Page<Invitation>>} */
  listInvitations(query = {}) {
    return this.request('GET', '/v1/invitations', { query });
  }

  /** @param {JID} jid @param {AcceptRequest} [how] @returns {Promise<AcceptedInvitation>} */
  acceptInvitation(jid, how = {}) {
    return this.request('POST', `/v1/invitations/${encodeURIComponent(jid)}/accept`, { body: how });
  }

  /** @param {JID} jid @returns {Promise<Invitation>} */
  declineInvitation(jid) {
    return this.request('POST', `/v1/invitations/${encodeURIComponent(jid)}/decline`);
  }

  /** @param {JID[]} [jid] @returns {Promise<PresenceList>} */
  listPresence(jid = []) {
    return this.request('GET', '/v1/presence', { query: { jid } });
  }

  /** @param {JID} jid @returns {Promise<Presence>} */
  getPresence(jid) {
    return this.request('GET', `/v1/presence/${encodeURIComponent(jid)}`);
  }

  /** @returns {Promise<OwnPresence>} */
  getOwnPresence() {
    return this.request('GET', '/v1/presence/me');
  }

  /** Replaces the whole presence. @param {OwnPresenceRequest} presence @returns {Promise<OwnPresence>} */
  setOwnPresence(presence) {
    return this.request('PUT', '/v1/presence/me', { body: presence });
  }

  /** @param {JID} jid @param {{ refresh?: boolean }} [o] @returns {Promise<VCard>} */
  getVCard(jid, o = {}) {
    return this.request('GET', `/v1/vcards/${encodeURIComponent(jid)}`, { query: o.refresh ? { refresh: 1 } : {} });
  }

  /** @param {{ refresh?: boolean }} [o] @returns {Promise<VCard>} */
  getOwnVCard(o) {
    return this.getVCard('me', o);
  }

  /** @param {VCardRequest} card @returns {Promise<void>} */
  setOwnVCard(card) {
    return this.request('PUT', '/v1/vcards/me', { body: card });
  }

  /** Whom the account blocks, on all of its devices. @returns {Promise<BlockList>} */
  listBlocked() {
    return this.request('GET', '/v1/blocked');
  }

  /** Blocks an account, one of its devices, or a domain; with a report the server is told why.
   * @param {JID} jid @param {BlockReport} [report] @returns {Promise<void>} */
  async block(jid, report) {
    await this.request('PUT', `/v1/blocked/${encodeURIComponent(jid)}`, { body: report ? { report } : {} });
  }

  /** @param {JID} jid @returns {Promise<void>} */
  async unblock(jid) {
    await this.request('DELETE', `/v1/blocked/${encodeURIComponent(jid)}`);
  }

  /** @returns {Promise<void>} */
  async unblockAll() {
    await this.request('DELETE', '/v1/blocked', { query: { all: 1 } });
  }

  /** @param {string} data a PNG, JPEG, WebP or GIF in Base64, of at most 96 KiB @returns {Promise<void>} */
  async setOwnPhoto(data) {
    await this.request('PUT', '/v1/vcards/me/photo', { body: { data } });
  }

  /** @returns {Promise<void>} */
  async removeOwnPhoto() {
    await this.request('DELETE', '/v1/vcards/me/photo');
  }

  /** What contacts are to call the account: at most 256 characters in one line. @param {string} nick @returns {Promise<void>} */
  async setOwnNick(nick) {
    await this.request('PUT', '/v1/vcards/me/nick', { body: { nick } });
  }

  /** @returns {Promise<void>} */
  async removeOwnNick() {
    await this.request('DELETE', '/v1/vcards/me/nick');
  }

  /** The photo of a card, null where there is none. @param {JID} jid @param {{ refresh?: boolean }} [o] @returns {Promise<Blob | null>} */
  async getPhoto(jid, o = {}) {
    try {
      const query = o.refresh ? { refresh: 1 } : {};
      return await this.request('GET', `/v1/vcards/${encodeURIComponent(jid)}/photo`, { as: 'blob', query });
    } catch (e) {
      if (e instanceof PerchError && e.status === 404) return null;
      throw e;
    }
  }

  /**
   * Of one account or room, or with q a search, which needs no with.
   * @param {{ with?: JID, q?: string, limit?: number, before?: string, after?: string, start?: string, end?: string }} query
   * @returns {Promise<ArchivePage>}
   */
  getArchive(query) {
    return this.request('GET', '/v1/archive', { query });
  }

  /** Sends a stanza that is written as XML, where can('stanzas'). Resolves with the answer to an iq, and with
   * undefined for a message or presence, and for an iq that is the answer to a "stanza" frame. @param {string} xml @returns {Promise<string | undefined>} */
  async sendStanza(xml) {
    return (await this.request('POST', '/v1/stanzas', { body: { xml } })).xml;
  }

  /** @param {string} account @returns {Promise<JIDAnswer>} */
  lookupJID(account) {
    return this.request('GET', '/v1/jids', { query: { account } });
  }

  /**
   * Makes one request, past the outbox and its order; send does more.
   * @param {MessageRequest} message
   * @param {{ signal?: AbortSignal }} [o]
   * @returns {Promise<MessageAnswer>}
   */
  sendMessage(message, o = {}) {
    return this.request('POST', '/v1/messages', { body: message, signal: o.signal });
  }

  /** Asks for a slot for a file; Perch.upload does more. @param {UploadRequest} file @param {{ signal?: AbortSignal }} [o] @returns {Promise<Upload>} */
  createUpload(file, o = {}) {
    return this.request('POST', '/v1/uploads', { body: file, signal: o.signal });
  }

  /** @param {string} id @returns {Promise<MessageRecord>} */
  getMessage(id) {
    return this.request('GET', `/v1/messages/${encodeURIComponent(id)}`);
  }

  /** The conversations by their last activity. @param {{ limit?: number, cursor?: string, unread?: 1, type?: ConversationKind }} [query]
   * @returns {Promise<ConversationPage>} */
  listConversations(query = {}) {
    return this.request('GET', '/v1/conversations', { query });
  }

  /** @param {JID} jid @returns {Promise<ConversationData>} */
  getConversation(jid) {
    return this.request('GET', pathOf(jid));
  }

  /** @param {JID} jid @param {ConversationPatch} change @returns {Promise<ConversationData>} */
  patchConversation(jid, change) {
    return this.request('PATCH', pathOf(jid), { body: change });
  }

  /** Moves the read position, forward only; with receipts the other side may be told.
   * @param {JID} jid @param {{ ref: string, receipts?: boolean }} position @returns {Promise<ConversationRead>} */
  putRead(jid, position) {
    return this.request('PUT', `${pathOf(jid)}/read`, { body: position });
  }

  /** @param {JID} jid @param {MessageQuery} [query] @returns {Promise<MessagePage>} */
  listMessages(jid, query = {}) {
    return this.request('GET', `${pathOf(jid)}/messages`, { query });
  }

  /** @param {JID} jid @param {string} ref @returns {Promise<ConversationMessage>} */
  getConversationMessage(jid, ref) {
    return this.request('GET', pathOf(jid, ref));
  }

  /** Makes one request; Perch.edit does more. The message is the whole one from now on, its id the
   * idempotency key. @param {JID} jid @param {string} ref @param {MessageEditRequest} message
   * @param {{ signal?: AbortSignal }} [o] @returns {Promise<MessageAnswer>} */
  patchMessage(jid, ref, message, o = {}) {
    return this.request('PATCH', pathOf(jid, ref), { body: message, ...o });
  }

  /** Makes one request; Perch.retract does more. There is no answer where a room was told to retract a
   * message of somebody else, and has. @param {JID} jid @param {string} ref
   * @param {{ id?: string, reason?: string }} [query] @param {{ signal?: AbortSignal }} [o] @returns {Promise<MessageAnswer | undefined>} */
  deleteMessage(jid, ref, query = {}, o = {}) {
    return this.request('DELETE', pathOf(jid, ref), { query, ...o });
  }

  /** Makes one request; Perch.react does more. @param {JID} jid @param {string} ref @param {string[]} emojis all of the account's
   * @param {{ id?: string, signal?: AbortSignal }} [o] @returns {Promise<MessageAnswer>} */
  putReactions(jid, ref, emojis, { id, ...o } = {}) {
    return this.request('PUT', `${pathOf(jid, ref)}/reactions`, { body: { emojis, ...(id && { id }) }, ...o });
  }

  /** @param {JID} jid @param {ChatState} state @returns {Promise<void>} */
  setChatState(jid, state) {
    return this.request('PUT', `/v1/chat-states/${encodeURIComponent(jid)}`, { body: { state } });
  }

  /** @returns {Promise<Ticket>} */
  createTicket() {
    return this.request('POST', '/v1/events/tickets');
  }

  /** One long poll, for programs that want no stream.
   * @param {{ since?: string, wait?: number, limit?: number, types?: string }} [query]
   * @returns {Promise<{ events: Frame[], next: string, reset: { reason: string } | null }>} */
  poll(query = {}) {
    return this.request('GET', '/v1/events', { query });
  }
}
