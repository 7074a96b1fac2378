// The state of the package for frameworks. It is compiled by TestPackageTypes and never run.
import { Perch } from '@perch-im/perch';
import type { Conversation, Presence, SessionInfo, StoredMessage, StoreSnapshot } from '@perch-im/perch';
import * as slices from '@perch-im/perch/slices';
import type { Contact, Slice, State, Watched } from '@perch-im/perch/slices';

declare const perch: Perch;

/** As useSyncExternalStore of React is declared. */
declare function useSyncExternalStore<T>(subscribe: (changed: () => void) => () => void, getSnapshot: () => T): T;

export function use(jid: string): unknown[] {
  const whole: StoreSnapshot = useSyncExternalStore(perch.store.subscribe, perch.store.getSnapshot);
  const { subscribe, getSnapshot } = slices.select(perch, slices.messages(jid));
  const list: readonly StoredMessage[] = useSyncExternalStore(subscribe, getSnapshot);
  const roster: Watched<readonly Contact[]> = slices.select(perch, slices.roster);
  const state: State = slices.stateOf(perch).getSnapshot();
  const session: SessionInfo | null = slices.session(state);
  const own: Slice<number> = (s) => s.list.reduce((n, c) => n + c.unread, 0);
  const presence: Presence | undefined = slices.contact(jid)(state)?.presence;
  const conversation: Conversation | undefined = slices.conversation(jid)(state);
  const writing: readonly string[] = slices.typing(jid)(state);
  return [
    whole.buddies.size,
    list.length,
    roster,
    session?.state,
    own(state),
    presence?.show,
    conversation?.unread,
    writing,
    state.outbox.pending,
  ];
}

export function mistakes(state: State): void {
  // @ts-expect-error a snapshot is not written to
  state.buddies.clear();
  // @ts-expect-error nor are its lists
  slices.messages('bob@example.net')(state).push();
  // @ts-expect-error there is no such part
  slices.select(perch, (s) => s.budies);
}
