// A client as somebody would write it on the types that openapi-typescript makes of
// openapi.yaml. It is compiled by `make lint`, never run: it fails to compile when the
// description says something else than the gateway's clients rely on.
import type { components, operations, paths } from '../bin/openapi.js';

type Schemas = components['schemas'];
type Body<Op extends keyof operations> =
  operations[Op] extends { requestBody?: { content: { 'application/json': infer B } } } ? B : never;
type Answer<Op extends keyof operations, Status extends number> =
  operations[Op] extends { responses: { [S in Status]: { content: { 'application/json': infer A } } } } ? A : never;

export class PerchError extends Error {
  constructor(readonly problem: Schemas['Problem']) { super(problem.title); }

  /** Whether the same request may succeed later. */
  get temporary(): boolean {
    switch (this.problem.code) {
      case 'session-offline': case 'draining': case 'storage-unavailable': case 'quota-exceeded': case 'upstream-timeout':
        return true;
      default:
        return false;
    }
  }
}

export class Client {
  constructor(private readonly base: string, private readonly token: string) {}

  buddies(cursor?: string): Promise<Answer<'listBuddies', 200>> {
    return this.call('GET', '/v1/buddies', `?include=presence${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
  }

  addBuddy(body: Body<'addBuddy'>): Promise<Answer<'addBuddy', 200 | 201>> { return this.call('POST', '/v1/buddies', '', body); }
  send(body: Body<'sendMessage'>): Promise<Answer<'sendMessage', 202>> { return this.call('POST', '/v1/messages', '', body); }
  setPresence(body: Body<'setOwnPresence'>): Promise<Answer<'setOwnPresence', 200>> { return this.call('PUT', '/v1/presence/me', '', body); }
  session(): Promise<Answer<'getSession', 200>> { return this.call('GET', '/v1/session', ''); }
  poll(since: string): Promise<Answer<'streamEvents', 200>> { return this.call('GET', '/v1/events', `?wait=30&since=${encodeURIComponent(since)}`); }

  private async call<T>(method: string, path: keyof paths, query: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = { Authorization: `Bearer ${this.token}` };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    const answer = await fetch(this.base + path + query, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
    if (!answer.ok) throw new PerchError(await answer.json() as Schemas['Problem']);
    return await answer.json() as T;
  }
}

// What must stay true of the types.
export async function uses(client: Client): Promise<string[]> {
  const page = await client.buddies();
  const away = page.items.filter((b) => b.presence?.show === 'away' || b.ask === null && b.subscription === 'both');
  const next: string | null = page.next;
  const { state, retry_at }: { state: 'connecting' | 'online' | 'reconnecting' | 'suspended' | 'closed'; retry_at: string | null } = await client.session();
  await client.send({ to: 'bob@example.net', body: `${state} ${retry_at} ${next}` });
  await client.setPresence({ show: null });
  // @ts-expect-error the field is called body
  await client.send({ to: 'bob@example.net', text: 'x' });
  // @ts-expect-error there is no such show
  await client.setPresence({ show: 'busy' });
  return away.map((b) => b.name);
}
