import type { StoredMessage } from '@perch-im/perch';
import { useConversation, useMessages, usePerch, useRoom, useTyping } from '@perch-im/react';
import { useCallback, useEffect, useState } from 'react';
import { Composer } from './Composer';
import { useName } from './List';
import { Message } from './Message';
import { Rows } from './Rows';

export function Chat({ jid, close }: { jid: string; close: () => void }) {
  const perch = usePerch();
  const name = useName(jid);
  const room = useRoom(jid);
  const [editing, setEditing] = useState<StoredMessage | null>(null);
  return (
    <section aria-label={name}>
      <header>
        <button className="back" onClick={close}>
          Back
        </button>
        <h2>{name}</h2>
        {room && (
          <>
            <small>
              {room.occupants.count} here{room.subject ? ` · ${room.subject.text}` : ''}
            </small>
            <button onClick={() => void perch.leaveRoom(jid, { forget: true }).then(close)}>Leave</button>
          </>
        )}
      </header>
      <Messages jid={jid} edit={setEditing} />
      <Writing jid={jid} />
      <Composer jid={jid} editing={editing} edited={() => setEditing(null)} />
    </section>
  );
}

function Messages({ jid, edit }: { jid: string; edit: (m: StoredMessage) => void }) {
  const perch = usePerch();
  const messages = useMessages(jid);
  const complete = useConversation(jid)?.complete ?? false;
  const before = !complete && messages.length > 0 ? 1 : 0; // a row for the way to what is older
  const keyOf = useCallback((i: number) => messages[i - before]?.key ?? 'older', [messages, before]);
  useEffect(() => void perch.loadHistory(jid).catch(() => {}), [perch, jid]); // some services have no archive
  useRead(jid);
  return (
    <>
      <Rows
        label="Messages"
        count={before + messages.length}
        height={64}
        newest={messages.findLast((m) => m.direction === 'out')?.key ?? ''}
        keyOf={keyOf}
        row={(i) => {
          const m = messages[i - before];
          if (m) return <Message jid={jid} message={m} edit={edit} />;
          return <button onClick={() => void perch.loadHistory(jid).catch(() => {})}>Older messages</button>;
        }}
      />
      <Said message={messages.at(-1)} />
    </>
  );
}

/** Says the newest message to those who cannot see it. */
function Said({ message: m }: { message: StoredMessage | undefined }) {
  return (
    <p className="unseen" aria-live="polite">
      {m?.direction === 'in' && !m.retracted && m.body}
    </p>
  );
}

/** What is shown while somebody looks was read. */
function useRead(jid: string): void {
  const perch = usePerch();
  const unread = useConversation(jid)?.unread ?? 0;
  useEffect(() => {
    const read = () => {
      if (unread && document.visibilityState === 'visible') void perch.markRead(jid).catch(() => {});
    };
    read();
    document.addEventListener('visibilitychange', read);
    return () => document.removeEventListener('visibilitychange', read);
  }, [perch, jid, unread]);
}

function Writing({ jid }: { jid: string }) {
  const who = useTyping(jid);
  const name = useName(jid);
  if (!who.length) return null;
  return <p className="writing">{who[0] === jid ? name : who.join(', ')} is writing…</p>;
}
