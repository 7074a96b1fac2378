import { usePerch, useSession } from '@perch-im/react';
import { useState, type FormEvent } from 'react';

/** Joins a room, or makes it. */
export function Join({ joined }: { joined: (jid: string) => void }) {
  const perch = usePerch();
  const session = useSession(); // what it can do changes with it
  const [error, setError] = useState('');
  if (!session || !perch.can('rooms')) return null;

  async function submit(e: FormEvent<HTMLFormElement>) {
    e.preventDefault();
    const form = e.currentTarget;
    const fields = new FormData(form);
    const jid = String(fields.get('room')).trim();
    setError('');
    try {
      await perch.joinRoom(jid, { nick: String(fields.get('nick')).trim(), occupants: 'count' });
      form.reset();
      joined(jid);
    } catch (cause) {
      setError(cause instanceof Error ? cause.message : String(cause));
    }
  }

  return (
    <form aria-label="Join a room" onSubmit={(e) => void submit(e)}>
      <input name="room" aria-label="Room" placeholder="tea@rooms.example.net" required />
      <input name="nick" aria-label="Nickname" placeholder="Nickname" required />
      <button>Join</button>
      {error && <p role="alert">{error}</p>}
    </form>
  );
}
