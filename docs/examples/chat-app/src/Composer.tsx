import type { StoredMessage } from '@perch-im/perch';
import { usePerch, useSession } from '@perch-im/react';
import { useEffect, useRef, useState, type FormEvent } from 'react';

type Props = { jid: string; editing: StoredMessage | null; edited: () => void };

export function Composer({ jid, editing, edited }: Props) {
  const perch = usePerch();
  useSession(); // what it can do changes with it
  const [text, setText] = useState(() => perch.store.conversation(jid).draft ?? '');
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    setText(editing ? editing.body : (perch.store.conversation(jid).draft ?? ''));
    input.current?.focus();
  }, [perch, jid, editing]);

  function write(value: string) {
    setText(value);
    if (editing) return;
    perch.saveDraft(jid, value); // on every device
    perch.typing(jid);
  }

  function submit(e: FormEvent) {
    e.preventDefault();
    if (!text.trim()) return;
    if (editing?.ref) void perch.edit(jid, editing.ref, text).catch(() => {});
    else void perch.send(jid, text).catch(() => {}); // the message says why
    if (!editing) perch.saveDraft(jid, '');
    setText('');
    edited();
  }

  return (
    <form className="composer" onSubmit={submit}>
      {editing && (
        <p>
          Editing.{' '}
          <button type="button" onClick={edited}>
            Cancel
          </button>
        </p>
      )}
      {perch.can('upload') && <Attach jid={jid} />}
      <input ref={input} aria-label="Message" value={text} onChange={(e) => write(e.target.value)} autoComplete="off" />
      <button>{editing ? 'Save' : 'Send'}</button>
    </form>
  );
}

/** Sends files, one after the other. */
function Attach({ jid }: { jid: string }) {
  const perch = usePerch();
  const [sent, setSent] = useState<number | null>(null);
  const [error, setError] = useState('');

  async function send(files: File[]) {
    setError('');
    try {
      for (const file of files) await perch.sendFile(jid, file, { onProgress: (n, total) => setSent(n / total) });
    } catch (cause) {
      setError(cause instanceof Error ? cause.message : String(cause));
    }
    setSent(null);
  }

  return (
    <label className="attach">
      Attach
      <input type="file" multiple aria-label="Files" onChange={(e) => void send([...(e.target.files ?? [])])} />
      {sent !== null && <progress value={sent} />}
      {error && <span role="alert">{error}</span>}
    </label>
  );
}
