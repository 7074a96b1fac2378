// What a tab keeps for itself: the token and the last state, so that a reload resumes from
// its cursor. What waits to be sent is there too (perch/outbox_storage.js). It is gone with
// the tab; nothing is written anywhere else.

/** @import { SavedState } from '../types.d.ts' */

/** How many messages of a conversation are kept; older ones are in the archive. */
const most = 200;

/** @param {string} slot */
export function storage(slot) {
  const [tokenKey, stateKey] = [`perch:${slot}:token`, `perch:${slot}:state`];
  return {
    token: () => sessionStorage.getItem(tokenKey),
    /** @param {string} token */
    signIn(token) {
      if (sessionStorage.getItem(tokenKey) !== token) sessionStorage.removeItem(stateKey);
      sessionStorage.setItem(tokenKey, token);
    },
    /** A fresh token of the same account. @param {string} token */
    renew(token) {
      sessionStorage.setItem(tokenKey, token);
    },
    forget() {
      sessionStorage.removeItem(tokenKey);
      sessionStorage.removeItem(stateKey);
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
