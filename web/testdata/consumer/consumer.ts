// A program on the package as npm packs it. It is compiled by TestPackageTypes and never run:
// it fails to compile when a type does not resolve, or has become any.
import { Perch, PerchError, Store } from '@perch-im/perch';
import type { Buddy, Change, ConnectionState, Frame, MessageData, Options, OutboxState, Page, Problem, SavedState } from '@perch-im/perch';

/** True for any alone. */
type IsAny<T> = 0 extends 1 & T ? true : false;
type Never<T extends false> = T;

export type NoneIsAny = [
  Never<IsAny<Perch>>,
  Never<IsAny<Store>>,
  Never<IsAny<Buddy>>,
  Never<IsAny<Change>>,
  Never<IsAny<Frame>>,
  Never<IsAny<MessageData>>,
  Never<IsAny<SavedState>>,
  Never<IsAny<Problem['code']>>,
  Never<IsAny<PerchError['problem']['title']>>,
  Never<IsAny<Awaited<ReturnType<Perch['getSession']>>['state']>>,
  Never<IsAny<ReturnType<Store['addPending']>>>,
];

const options: Options = { url: new URL('http://127.0.0.1:8080'), token: async ({ refused }) => (refused ? 'fresh' : 'old'), share: true };

export async function use(saved: SavedState | null): Promise<string[]> {
  const answer = await Perch.signIn({ jid: 'alice@example.net', password: 'secret' }, options);
  const perch = new Perch({ ...options, token: answer.token ?? '', state: saved });
  const store: Store = perch.store;
  const stopListening = perch.on('message.received', (f) => console.log(f.data.body, f.id));
  perch.on('connection', (c: ConnectionState) => console.log(c.retryIn));
  perch.on('outbox', (o: OutboxState) => console.log(o.pending));
  store.subscribe((change) => console.log(change.what, change.jid));
  perch.connect();
  perch.reconnect();
  const { id, status } = await perch.send('bob@example.net', 'Hello', { thread: 't' });
  const page: Page<Buddy> = await perch.listBuddies({ include: 'presence', limit: 10 });
  const custom = await perch.request<{ state: string }>('GET', '/v1/session', { query: { a: [1, 2] } });
  try {
    await perch.replaceCredentials({ token: 'fresh' });
    await perch.signOut();
  } catch (e) {
    if (e instanceof PerchError && e.code === 'session-offline' && e.temporary) console.log(e.problem.title, e.retryAfter);
  }
  const file = await perch.upload(new Blob(['x']), {
    name: 'x.txt',
    onProgress: (sent: number, total: number) => console.log(sent / total),
  });
  await perch.sendFile('bob@example.net', new Blob(['x']), { body: file.url, signal: new AbortController().signal });
  stopListening();
  perch.disconnect();
  const older: number = await perch.loadHistory('bob@example.net', 10);
  return [id, status, custom.state, String(older), perch.save().cursor, ...page.items.map((b) => b.name)];
}

export function mistakes(perch: Perch): void {
  // @ts-expect-error there is no such option
  new Perch({ tokn: 'x' });
  // @ts-expect-error the body is a text
  void perch.send('bob@example.net', 1);
  // @ts-expect-error there is no such show
  void perch.setOwnPresence({ show: 'busy' });
  // @ts-expect-error a buddy has no such field
  void perch.getBuddy('bob@example.net').then((b) => b.nickname);
  // @ts-expect-error a problem has no such code
  void ((e: PerchError) => e.code === 'teapot');
}
