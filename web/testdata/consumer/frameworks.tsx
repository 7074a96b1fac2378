// A program on the packages for frameworks. It is compiled by TestFrameworkTypes and never run.
import { Perch, type Conversation, type StoredMessage } from '@perch-im/perch';
import { PerchProvider, useConnection, useContact, useConversations, useMessages, usePerch, useRooms, useRoster } from '@perch-im/react';
import { usePresence, useSession, useSlice, useTyping } from '@perch-im/react';
import * as stores from '@perch-im/svelte';
import type { Readable } from '@perch-im/svelte';

function Chat({ jid }: { jid: string }) {
  const perch = usePerch();
  const list: readonly StoredMessage[] = useMessages(jid);
  const writing: readonly string[] = useTyping(jid);
  const away: boolean = usePresence(jid)?.show === 'away' || useContact(jid)?.presence?.show === 'xa';
  const unread: number = useSlice((s) => s.list.reduce((n, c) => n + c.unread, 0));
  return (
    <form onSubmit={() => void perch.send(jid, 'hello')}>
      {list.map((m) => m.body)} {writing.join()} {away && unread}
    </form>
  );
}

export function App() {
  const conversations: readonly Conversation[] = useConversations();
  const state: string | undefined = useSession()?.state;
  const names: string[] = [...useRooms(), ...useRoster()].map((x) => x.name);
  return (
    <PerchProvider perch={new Perch()} connect>
      {useConnection().state} {state} {names.join()}
      {conversations.map((c) => (
        <Chat key={c.jid} jid={c.jid} />
      ))}
    </PerchProvider>
  );
}

export function svelte(perch: Perch): unknown[] {
  const list: Readable<readonly Conversation[]> = stores.conversations(perch);
  const end: () => void = stores.messages(perch, 'bob@example.net').subscribe((all) => console.log(all.at(-1)?.body));
  return [list, end];
}

export function Mistakes() {
  // @ts-expect-error a provider needs a client
  const without = <PerchProvider />;
  // @ts-expect-error there is no such part
  useSlice((s) => s.budies);
  // @ts-expect-error a list is not written to
  useRoster().pop();
  return without;
}
