import type { Buddy, Conversation } from '@perch-im/perch';
import type { State } from '@perch-im/perch/slices';
import { useConversations, usePresence, useSlice } from '@perch-im/react';
import { memo, useCallback, useMemo } from 'react';
import { count } from './renders';
import { Rows } from './Rows';

type Show = (jid: string) => void;

/** The buddies without their presence, whose changes are no matter of the list. */
const people = (s: State) => [...s.buddies.values()].sort((a, b) => (a.name || a.jid).localeCompare(b.name || b.jid));

/** The conversations, then the buddies with whom there is none. */
export function List({ open, show }: { open: string; show: Show }) {
  count('list');
  const conversations = useConversations();
  const buddies = useSlice(people);
  const others = useMemo(() => {
    const known = new Set(conversations.map((c) => c.jid));
    return buddies.filter((b) => !known.has(b.jid));
  }, [conversations, buddies]);
  const entry = useCallback(
    (i: number): Conversation | Buddy => conversations[i] ?? others[i - conversations.length]!,
    [conversations, others],
  );
  const keyOf = useCallback((i: number) => entry(i).jid, [entry]);
  return (
    <Rows
      label="Conversations and people"
      count={conversations.length + others.length}
      height={48}
      keyOf={keyOf}
      row={(i) => {
        const c = conversations[i];
        const { jid, name } = entry(i);
        if (c) return <Row conversation={c} open={jid === open} show={show} />;
        return <Person jid={jid} name={name || jid} open={jid === open} show={show} />;
      }}
    />
  );
}

/** What others call an address. */
export const useName = (jid: string) => useSlice((s) => s.buddies.get(jid)?.name || s.conversations.get(jid)?.name || jid);

const Row = memo(function Row({ conversation: c, open, show }: { conversation: Conversation; open: boolean; show: Show }) {
  count(c.jid);
  const name = useName(c.jid);
  const last = c.last_message;
  const preview = c.draft ? `Draft: ${c.draft}` : last?.retracted ? 'deleted' : (last?.body ?? '');
  return (
    <button aria-current={open} onClick={() => show(c.jid)}>
      {c.type === 'chat' && <Dot jid={c.jid} />} <b>{name}</b>{' '}
      {c.unread > 0 && <span className="unread">{c.unread_exact ? c.unread : `${c.unread}+`}</span>}
      <small>{preview}</small>
    </button>
  );
});

const Person = memo(function Person({ jid, name, open, show }: { jid: string; name: string; open: boolean; show: Show }) {
  count(jid);
  return (
    <button aria-current={open} onClick={() => show(jid)}>
      <Dot jid={jid} /> <b>{name}</b>
    </button>
  );
});

function Dot({ jid }: { jid: string }) {
  count(`dot ${jid}`);
  const p = usePresence(jid);
  const state = !p?.available ? 'offline' : (p.show ?? 'online');
  return <span className={`dot ${state}`} role="img" aria-label={state} title={p?.status || state} />;
}
