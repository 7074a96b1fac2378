import type { StoredMessage } from '@perch-im/perch';
import { useConversation, useMessages, usePerch, useRoom, useTyping } from '@perch-im/react';
import { useEffect, useRef, useState } from 'react';
import { Composer } from './Composer';
import { useName } from './List';
import { Message } from './Message';

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
  const end = useRef<HTMLLIElement>(null);
  const newest = messages.at(-1)?.key;
  useEffect(() => void perch.loadHistory(jid).catch(() => {}), [perch, jid]); // some services have no archive
  useEffect(() => void end.current?.scrollIntoView(), [newest]);
  useRead(jid);
  return (
    <div role="log" aria-label="Messages">
      <ol>
        {!complete && messages.length > 0 && (
          <li>
            <button onClick={() => void perch.loadHistory(jid).catch(() => {})}>Older messages</button>
          </li>
        )}
        {messages.map((m) => (
          <Message key={m.key} jid={jid} message={m} edit={edit} />
        ))}
        <li ref={end} />
      </ol>
    </div>
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
