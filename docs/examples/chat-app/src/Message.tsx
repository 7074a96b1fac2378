import type { StoredMessage } from '@perch-im/perch';
import { usePerch } from '@perch-im/react';
import { memo } from 'react';
import { useName } from './List';
import { count } from './renders';

/** Nothing here waits for the gateway: perch.js shows what was done at once, and puts it right when it is refused. */
export const Message = memo(function Message(p: { jid: string; message: StoredMessage; edit: (m: StoredMessage) => void }) {
  const { jid, message: m, edit } = p;
  count(m.key);
  const perch = usePerch();
  const name = useName(jid);
  const own = m.direction === 'out';
  const failed = m.change?.state === 'failed' ? m.change : m.status === 'failed' ? m : null;
  const react = (emoji: string) => {
    const before = (m.reactions ?? []).filter((r) => r.own).map((r) => r.emoji);
    const after = before.includes(emoji) ? before.filter((e) => e !== emoji) : [...before, emoji];
    void perch.react(jid, m.ref!, after).catch(() => {}); // the message says why
  };
  return (
    <div className={own ? 'message own' : 'message'}>
      <p>
        <b>{own ? 'You' : (m.room?.nick ?? name)}</b> <Text message={m} /> {m.edited && <small>(edited)</small>}{' '}
        {own && <small>{m.status}</small>}
      </p>
      {m.reactions?.map((r) => (
        <button key={r.emoji} aria-pressed={r.own} onClick={() => react(r.emoji)}>
          {r.emoji} {r.by.length}
        </button>
      ))}
      {m.ref && !m.retracted && (
        <span className="actions">
          {perch.can('react') && <button onClick={() => react('👍')}>Like</button>}
          {own && perch.can('edit') && <button onClick={() => edit(m)}>Edit</button>}
          {own && perch.can('retract') && <button onClick={() => void perch.retract(jid, m.ref!).catch(() => {})}>Delete</button>}
        </span>
      )}
      {failed && (
        <span role="alert">
          Not sent: {failed.error} <button onClick={() => void perch.retry(jid, failed.id).catch(() => {})}>Try again</button>
          <button onClick={() => void perch.cancel(jid, failed.id)}>Dismiss</button>
        </span>
      )}
    </div>
  );
});

function Text({ message: m }: { message: StoredMessage }) {
  if (m.retracted) return <i>deleted</i>;
  const files = (m.attachments ?? []).filter((a) => /^https?:/.test(a.url));
  const body = files.some((a) => a.url === m.body) ? '' : m.body;
  return (
    <>
      {body}
      {files.map((a) => (
        <a key={a.url} href={a.url} target="_blank" rel="noopener noreferrer">
          {a.name ?? a.url}
        </a>
      ))}
    </>
  );
}
