// What the tests without a gateway share: a clock that they move, a storage, and requests that they answer.
import { beforeEach, mock } from 'node:test';

export const start = Date.parse('2026-11-28T10:00:00Z');

/** Each test of the file begins with the clock at start, which nothing but the test moves. */
export function stopClock() {
  beforeEach(() => {
    mock.restoreAll();
    mock.timers.reset();
    mock.timers.enable({ apis: ['setTimeout', 'Date'], now: start });
  });
}

/** Runs everything that waits for promises only. */
export async function flushMicrotasks(turns = 400) {
  for (let n = 0; n < turns; n++) await Promise.resolve();
}

/** Moves the clock step by step, so that what a timer starts is over before the next one. */
export async function advance(ms, step = 100) {
  for (let gone = 0; gone < ms; gone += step) {
    mock.timers.tick(Math.min(step, ms - gone));
    await flushMicrotasks(40);
  }
}

/** A Web Storage. */
export function memory() {
  const items = new Map();
  return {
    items,
    get length() {
      return items.size;
    },
    key: (i) => [...items.keys()][i] ?? null,
    getItem: (k) => items.get(k) ?? null,
    setItem: (k, v) => void items.set(k, v),
    removeItem: (k) => void items.delete(k),
  };
}

/** A fetch whose requests are kept, and answered by the test with status and body; status 0 is none. */
export function recorded(answer) {
  const requests = [];
  const fetch = async (url, init) => {
    const { pathname, search } = new URL(url);
    const r = { method: init.method, path: decodeURIComponent(pathname) + search, body: init.body && JSON.parse(init.body) };
    requests.push(r);
    const [status, body] = await answer(r);
    if (status === 0) throw new TypeError('fetch failed');
    return Response.json(body, { status });
  };
  return { requests, fetch };
}
