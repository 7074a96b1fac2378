import { useState, type FormEvent } from 'react';
import { signIn } from './account';

export function SignIn({ notice, signedIn }: { notice: string; signedIn: (token: string) => void }) {
  const [error, setError] = useState(notice);
  const [busy, setBusy] = useState(false);

  async function submit(e: FormEvent<HTMLFormElement>) {
    e.preventDefault();
    const fields = new FormData(e.currentTarget);
    const text = (name: string) => String(fields.get(name) ?? '').trim();
    setBusy(true);
    try {
      signedIn(text('token') || (await signIn(text('jid'), String(fields.get('password')))));
    } catch (cause) {
      setError(cause instanceof Error ? cause.message : String(cause));
      setBusy(false);
    }
  }

  return (
    <form className="sign-in" aria-label="Sign in" onSubmit={(e) => void submit(e)}>
      <h1>Chats</h1>
      {error && <p role="alert">{error}</p>}
      <label>
        JID <input name="jid" autoComplete="username" placeholder="alice@example.net" />
      </label>
      <label>
        Password <input name="password" type="password" autoComplete="current-password" />
      </label>
      <details>
        <summary>With a token</summary>
        <label>
          Token <input name="token" autoComplete="off" placeholder="demo-alice" />
        </label>
      </details>
      <button disabled={busy}>Sign in</button>
    </form>
  );
}
