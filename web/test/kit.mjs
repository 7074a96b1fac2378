// What the stories share: the scenery, and waiting.
import assert from 'node:assert/strict';
import { Perch } from '../perch.js';

export const { PERCH_URL: url = '', PERCH_DIRECT: direct = '', PERCH_CONTROL: control = '' } = process.env;

/** Moves the scenery; see stage_test.go. */
export async function stage(what, query = {}) {
  const answer = await fetch(`${control}/${what}`, { method: 'POST', body: JSON.stringify(query) });
  const text = await answer.text();
  assert.equal(answer.status, 200, `${what}: ${text}`);
  return JSON.parse(text);
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Waits until f gives something true. */
export async function until(what, f, limit = 20_000) {
  const end = Date.now() + limit;
  for (;;) {
    const value = await f();
    if (value) return value;
    if (Date.now() > end) assert.fail(`never happened: ${await (typeof what === 'function' ? what() : what)}`);
    await sleep(20);
  }
}

/** A client that reconnects quickly. */
export function client(options = {}) {
  return new Perch({ url, token: 'demo-alice', backoff: { base: 5, cap: 60 }, ...options });
}

export const live = (perch) =>
  until(
    () => `live (${JSON.stringify(perch.connection)})`,
    () => perch.connection.state === 'live',
  );

export const bodies = (perch, jid, direction = 'in') =>
  (perch.store.conversations.get(jid)?.messages ?? []).filter((m) => m.direction === direction).map((m) => m.body);

/** The store equals a fresh snapshot: of REST, and of a client without a saved state. */
export async function isFresh(perch, options = {}) {
  const fresh = client({ url: direct, transport: 'sse', ...options });
  fresh.connect();
  try {
    await live(fresh);
    const view = (p) => [p.store.buddies, p.store.presence, p.store.invitations].map((m) => sorted(m).map(canonical));
    await until(
      () => (assert.deepEqual(view(perch), view(fresh)), 'the same'),
      () => JSON.stringify(view(perch)) === JSON.stringify(view(fresh)),
      10_000,
    );
    const { items } = await fresh.listBuddies({ limit: 200 });
    assert.deepEqual(sorted(new Map(items.map((b) => [b.jid, b]))), sorted(perch.store.buddies));
  } finally {
    fresh.disconnect();
  }
}

// The fields of an object have no order of their own.
const canonical = (o) => JSON.stringify(Object.fromEntries(Object.entries(o).sort()));

const sorted = (map) => [...map.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, v]) => v);

/** Every message once, in order. */
export function once(got, want, what) {
  assert.deepEqual(
    got.filter((b) => want.includes(b)),
    want,
    what,
  );
}
