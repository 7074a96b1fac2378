// What a tab keeps for itself: the token and the last state, so that a reload resumes from
// its cursor. What waits to be sent is there too (perch/outbox_storage.js). It is gone with
// the tab; nothing is written anywhere else.

/** @import { SavedState } from '../types.d.ts' */

/** How many messages of a conversation are kept; older ones are in the archive. */
const most = 200;

/** @param {string} slot */
export function storage(slot) {
  const [tokenKey, stateKey, upstreamKey] = [`perch:${slot}:token`, `perch:${slot}:state`, `perch:${slot}:upstream`];
  return {
    token: () => sessionStorage.getItem(tokenKey),
    /** The service that the token is of, "" if nobody has said. */
    upstream: () => sessionStorage.getItem(upstreamKey) ?? '',
    /** @param {string} token @param {string} upstream */
    signIn(token, upstream) {
      if (sessionStorage.getItem(tokenKey) !== token) sessionStorage.removeItem(stateKey);
      sessionStorage.setItem(tokenKey, token);
      sessionStorage.setItem(upstreamKey, upstream);
    },
    /** A fresh token of the same account. @param {string} token */
    renew(token) {
      sessionStorage.setItem(tokenKey, token);
    },
    forget() {
      for (const key of [tokenKey, stateKey, upstreamKey]) sessionStorage.removeItem(key);
    },
    /** @returns {(SavedState & { open?: string }) | null} */
    load() {
      try {
        return JSON.parse(sessionStorage.getItem(stateKey) ?? 'null');
      } catch {
        return null;
      }
    },
    /** @param {SavedState & { open?: string }} state */
    save(state) {
      for (const c of state.conversations) {
        if (c.messages.length > most) Object.assign(c, { messages: c.messages.slice(-most), complete: false, prev: null });
      }
      try {
        sessionStorage.setItem(stateKey, JSON.stringify(state));
      } catch {
        sessionStorage.removeItem(stateKey); // full: a reload takes a fresh snapshot
      }
    },
  };
}
