// Who is signed in, in all tabs of the browser, and the client of this tab.
import { Perch, type SavedState } from '@perch-im/perch';

const tokenKey = 'chat-app.token';
const stateKey = 'chat-app.state';

export const savedToken = (): string | null => localStorage.getItem(tokenKey);

/** Trades a JID and a password for a token of the gateway. */
export async function signIn(jid: string, password: string): Promise<string> {
  const { token } = await Perch.signIn({ jid, password });
  return token ?? '';
}

/** The client for a token. What it knew before a reload of the tab is there at once; what was missed follows. */
export function clientFor(token: string): Perch {
  localStorage.setItem(tokenKey, token);
  const perch = new Perch({ token, share: true, state: savedState(token) });
  addEventListener('pagehide', () => {
    if (savedToken() === token) sessionStorage.setItem(stateKey, JSON.stringify({ token, state: perch.save() }));
  });
  return perch;
}

function savedState(token: string): SavedState | null {
  const saved = JSON.parse(sessionStorage.getItem(stateKey) ?? 'null') as { token: string; state: SavedState } | null;
  return saved?.token === token ? saved.state : null; // another account knows something else
}

/** Signs this browser out, and no other device. */
export async function signOut(perch: Perch): Promise<void> {
  forget();
  await perch.signOut({ all: false }).catch(() => {}); // a gateway that is away ends the token when it expires
}

export function forget(): void {
  localStorage.removeItem(tokenKey);
  sessionStorage.removeItem(stateKey);
}

/** Calls f when another tab signs out. The result ends it. */
export function onForgotten(f: () => void): () => void {
  const changed = (e: StorageEvent) => e.key === tokenKey && e.newValue === null && f();
  addEventListener('storage', changed);
  return () => removeEventListener('storage', changed);
}
