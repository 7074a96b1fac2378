// What the user does, on its way: messages, edits, retractions and reactions stand in the store at
// once and go through the outbox, which has them until the gateway does.

import { findChange } from './changes.js';
import { localError } from './errors.js';
import { newID } from './ids.js';

/** @import { EditExtras, Extras, JID, OwnChange, Reply, Status } from '../types.d.ts' */
/** @import { Entry, Extra, Outbox, Outcome } from './outbox.js' */
/** @import { Rest } from './rest.js' */
/** @import { Store } from './store.js' */
/** @typedef {{ id: string, status: string }} Sent */

/** Fields of a message that are sent with its text. */
const extraFields = /** @type {const} */ ([
  ...['thread', 'subject', 'reply_to', 'mentions', 'attachments', 'markable'],
  ...['unstyled', 'spoiler', 'encryption', 'fallback', 'payloads'],
]);

/** Those that an edit leaves as they are: it sends the whole message again. Mentions would name
 * other places of the text. */
const lastingFields = /** @type {const} */ (['reply_to', 'attachments', 'markable', 'unstyled', 'spoiler']);

/** The extras of a message; of what it replies to the handle is enough.
 * @param {any} m @param {readonly string[]} [fields] @returns {Extra} */
export function extrasOf(m, fields = extraFields) {
  /** @type {any} */ const extras = {};
  for (const field of fields) if (m[field]) extras[field] = m[field];
  if (extras.reply_to?.ref) extras.reply_to = { ref: extras.reply_to.ref };
  else delete extras.reply_to;
  return extras;
}

/** Puts what is written into the store and the outbox. */
export class Sender {
  #store;
  #outbox;
  #started;

  /** @param {Store} store @param {Outbox} outbox @param {() => void} started called before each new entry */
  constructor(store, outbox, started) {
    this.#store = store;
    this.#outbox = outbox;
    this.#started = started;
  }

  /** @param {JID} to @param {string} body @param {Extras} extras @returns {Promise<Sent>} */
  async send(to, body, extras) {
    const id = extras.id ?? newID();
    if (this.#outbox.has(id)) return this.#outbox.wait(id);
    this.#requireRoom(body);
    const message = { id, body, ...extrasOf(extras) };
    const jid = this.#store.addressed(to);
    this.#store.addPending(jid, this.#quoting(jid, message));
    this.#started();
    return this.#outbox.add({ ...message, to });
  }

  /** The message with what it replies to as the store knows it. @param {JID} jid @param {Extra & { id: string, body: string }} m */
  #quoting(jid, { reply_to: to, ...m }) {
    if (!to) return m;
    const quoted = this.#store.conversations.get(jid)?.messages.findLast((x) => x.ref === to.ref);
    const nick = quoted?.room && this.#store.conversation(jid).type === 'room' ? quoted.room.nick : undefined;
    const from = nick ? `${jid}/${nick}` : quoted?.direction === 'out' ? (this.#store.session?.jid ?? '') : jid;
    /** @type {Reply} */ const reply = { ref: to.ref, id: quoted?.id ?? '', ...(quoted && { from, excerpt: quoted.body.slice(0, 200) }) };
    return { ...m, reply_to: reply };
  }

  /** @param {JID} jid @param {OwnChange['kind']} kind @param {string} ref @param {{ id?: string, body?: string, emojis?: string[], reason?: string } & EditExtras} what
   * @returns {Promise<Sent>} */
  async change(jid, kind, ref, { id = newID(), body = '', emojis, reason, ...extras }) {
    if (this.#outbox.has(id)) return this.#outbox.wait(id);
    if (!ref) throw localError('validation', 'The message has no handle yet');
    this.#requireRoom(body);
    const entry = { id, to: jid, body, change: kind, ref, ...(emojis && { emojis }), ...(reason && { reason }), ...extrasOf(extras) };
    this.#store.addChange(jid, ownChange({ ...entry, at: Date.now(), state: 'pending' }, this.#store));
    this.#started();
    return this.#outbox.add(entry);
  }

  /** @param {JID} jid @param {string} ref @param {string} body @param {EditExtras} extras @returns {Promise<Sent>} */
  edit(jid, ref, body, extras) {
    const m = this.#store.conversations.get(jid)?.messages.findLast((x) => x.ref === ref);
    return this.change(jid, 'edit', ref, { ...(m && extrasOf(m, lastingFields)), ...extras, body });
  }

  /** @param {JID} jid @param {string} id @returns {Promise<Sent | undefined>} */
  async retry(jid, id) {
    const m = this.#store.conversations.get(jid)?.messages.find((x) => x.direction === 'out' && x.id === id && x.status === 'failed');
    const change = this.#failedChange(jid, id);
    if (!m && !change) return;
    this.#started();
    if (this.#outbox.has(id)) {
      const outcome = this.#outbox.wait(id);
      if (m) this.#store.sendAgain(jid, id, id);
      else this.#store.moveChange(id, 'pending');
      this.#outbox.retry(id);
      return outcome;
    }
    if (!m) return change && this.#changeAgain(jid, change);
    this.#requireRoom(m.body);
    const message = { id: m.event ? newID() : id, to: jid, body: m.body, ...extrasOf(m) };
    this.#store.sendAgain(jid, id, message.id);
    return this.#outbox.add(message);
  }

  /** A change that the gateway had taken before it failed is another one. @param {JID} jid @param {OwnChange} c */
  #changeAgain(jid, { id, kind, ref, body, emojis, reason }) {
    this.#store.moveChange(id, 'gone');
    if (kind === 'edit') return this.edit(jid, ref, body ?? '', {});
    return this.change(jid, kind, ref, { ...(emojis && { emojis }), ...(reason && { reason }) });
  }

  /** @param {JID} jid @param {string} id */
  #failedChange(jid, id) {
    const change = findChange(this.#store.conversations.get(jid), id);
    return change?.state === 'failed' ? change : undefined;
  }

  /** @param {JID} jid @param {string} id @returns {Promise<boolean>} */
  async cancel(jid, id) {
    if (this.#outbox.has(id)) return this.#outbox.cancel(id);
    if (this.#failedChange(jid, id)) return this.#store.moveChange(id, 'gone');
    return this.#store.remove(jid, id);
  }

  /** Shows an entry of the outbox, unless the store has it. @param {Entry} e */
  show(e) {
    if (e.change) {
      this.#store.addChange(e.to, ownChange(e, this.#store));
      this.#store.moveChange(e.id, e.state, e.error);
      return;
    }
    const jid = this.#store.addressed(e.to);
    this.#store.addPending(jid, this.#quoting(jid, { id: e.id, body: e.body, ...extrasOf(e) }), e.at);
    this.#store.setStatus(e.id, e.state, { error: e.error });
  }

  /** @param {Entry} e @param {Outcome} outcome */
  completed(e, outcome) {
    if (e.change) {
      if (outcome.is === 'failed') this.#store.moveChange(e.id, 'failed', outcome.error);
      else this.#store.moveChange(e.id, outcome.is === 'sent' ? 'accepted' : 'gone');
    } else if (outcome.is === 'sent') this.#store.setStatus(e.id, outcome.status, this.#handle(e, outcome.ref));
    else if (outcome.is === 'failed') this.#store.setStatus(e.id, 'failed', { error: outcome.error });
    else this.dropped(e);
  }

  /** A message has its handle from its answer, but in a room, which alone gives it one: message.sent has it.
   * @param {Entry} e @param {string} [ref] */
  #handle({ to }, ref) {
    return ref && this.#store.conversations.get(this.#store.addressed(to))?.type !== 'room' ? { ref } : {};
  }

  /** The entry is nobody's any more. @param {Entry} e */
  dropped(e) {
    if (e.change) this.#store.moveChange(e.id, 'gone');
    else this.#store.remove(this.#store.addressed(e.to), e.id);
  }

  /** What is pending in a saved state is in the outbox, even if the storage has lost it. */
  mergePending() {
    /** @type {Entry[]} */
    const messages = this.#store.pending().map(([jid, m]) => {
      return { id: m.id, to: jid, body: m.body, at: Date.parse(m.time) || Date.now(), state: 'pending', ...extrasOf(m) };
    });
    /** @type {Entry[]} */
    const changes = this.#store.pendingChanges().map(([jid, c]) => {
      const { id, kind, ref, body = '', emojis, reason } = c;
      return {
        id,
        to: jid,
        body,
        change: kind,
        ref,
        ...(emojis && { emojis }),
        ...(reason && { reason }),
        at: Date.parse(c.at),
        state: 'pending',
      };
    });
    this.#outbox.merge([...messages, ...changes], this.#store.session?.jid ?? '');
  }

  /** @param {string} body */
  #requireRoom(body) {
    if (!this.#outbox.fits(body)) throw localError('outbox-full', 'Too many messages wait to be sent');
  }
}

/** @param {Entry} e @param {Store} store @returns {OwnChange} */
function ownChange({ id, change = 'edit', ref = '', body, emojis, reason, at, state }, store) {
  const what = { ...(change === 'edit' && { body }), ...(emojis && { emojis }), ...(reason && { reason }) };
  return { id, ref, kind: change, state, at: store.gatewayTime(at), ...what };
}

/** Makes the request of an entry. @param {Rest} rest @param {Entry} e @param {AbortSignal} signal
 * @returns {Promise<{ status: Status, ref?: string }>} */
export function deliver(rest, e, signal) {
  const { id, to, body, change, ref = '', emojis = [], reason } = e;
  if (change === 'edit') return rest.patchMessage(to, ref, { id, body, ...extrasOf(e) }, { signal });
  if (change === 'retraction') {
    const taken = rest.deleteMessage(to, ref, { id, ...(reason && { reason }) }, { signal });
    return taken.then((answer) => answer ?? { status: 'accepted' }); // a room that was told to has done it
  }
  if (change === 'reactions') return rest.putReactions(to, ref, emojis, { id, signal });
  return rest.sendMessage({ to, body, id, ...extrasOf(e) }, { signal });
}
