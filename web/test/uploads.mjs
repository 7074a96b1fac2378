// Files by perch.js in Node: the slot, the bytes with progress, the way through the gateway, and an end at
// any time. Chromium does the same in uploads_console.mjs, by XMLHttpRequest.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Perch } from '../perch.js';
import { putFile } from '../perch/uploads_put.js';
import { until } from './kit.mjs';
import { StandIn } from './standin.mjs';
import { Storage } from './storage.mjs';

const bob = 'bob@example.net';
const cat = (size = 300_000) => new File([new Uint8Array(size).fill(7)], 'cat.png', { type: 'image/png' });

/** A client of a gateway and an upload service of its own. */
const story = (options, play) => async () => {
  const storage = await new Storage().listen();
  const gateway = await new StandIn({ storage, ...options }).listen();
  const perch = new Perch({ url: gateway.url, token: 'demo-alice' });
  try {
    await play({ storage, gateway, perch });
  } finally {
    perch.disconnect();
    await gateway.close();
    await storage.close();
  }
};
const writes = (gateway) => gateway.requests.map((r) => r.what);

test(
  'straight: the slot, its headers, the bytes, progress, and what a message needs',
  story({}, async ({ storage, gateway, perch }) => {
    const marks = [];
    const got = await perch.upload(cat(), { onProgress: (...mark) => marks.push(mark) });
    assert.deepEqual(got, { url: storage.get(`${storage.url}/put/1/cat.png`), name: 'cat.png', type: 'image/png', size: 300_000 });
    assert.deepEqual(gateway.requests, [{ what: 'POST /v1/uploads', body: { name: 'cat.png', size: 300_000, type: 'image/png' } }]);
    const { headers, bytes } = storage.only;
    assert.equal(bytes.length, 300_000);
    assert.deepEqual(
      [headers['content-type'], headers['content-length'], headers.authorization, headers['transfer-encoding']],
      ['image/png', '300000', 'Bearer slot', undefined],
    );
    assert.ok(marks.length > 4, `got ${marks.length} calls of onProgress, want one for each 64 KiB`);
    assert.ok(
      marks.every(([sent, total], i) => total === 300_000 && (i === 0 || sent >= marks[i - 1][0])),
      JSON.stringify(marks),
    );
    assert.deepEqual(marks.at(-1), [300_000, 300_000]);
  }),
);

test(
  'bytes without a name, of no type, and none at all',
  story({}, async ({ storage, gateway, perch }) => {
    assert.deepEqual(await perch.upload(new Blob([]), { name: 'empty' }), { url: `${storage.url}/get/1/empty`, name: 'empty', size: 0 });
    assert.deepEqual([storage.only.headers['content-length'], storage.only.bytes.length], ['0', 0]);
    assert.equal((await perch.upload(new Blob(['x']))).name, 'file');
    assert.deepEqual(gateway.requests.at(-1).body, { name: 'file', size: 1 });
    assert.equal((await perch.upload(cat(1), { name: 'b.txt', type: 'text/plain' })).type, 'text/plain');
  }),
);

test(
  'sendFile: the message has the file, and its text if there is one',
  story({}, async ({ storage, gateway, perch }) => {
    await perch.sendFile(bob, cat(5));
    await perch.sendFile(bob, cat(6), { body: 'look' });
    const sent = gateway.requests.filter((r) => r.what === 'POST /v1/messages').map((r) => r.body);
    const attachment = (n, size) => ({ url: `${storage.url}/get/${n}/cat.png`, name: 'cat.png', type: 'image/png', size });
    assert.deepEqual(
      sent.map(({ id: _, ...m }) => m),
      [
        { to: bob, body: '', attachments: [attachment(1, 5)] },
        { to: bob, body: 'look', attachments: [attachment(2, 6)] },
      ],
    );
  }),
);

test(
  'a service that cannot be reached: through the gateway, if that takes files',
  story({ proxy: 'on' }, async ({ storage, gateway, perch }) => {
    storage.slot = (name) => `http://127.0.0.1:1/put/${name}`; // nobody listens there
    const marks = [];
    assert.equal((await perch.upload(cat(), { onProgress: (sent) => marks.push(sent) })).url, 'http://127.0.0.1:1/get/cat.png');
    assert.deepEqual(writes(gateway), ['POST /v1/uploads', 'PUT /v1/uploads/u1']);
    assert.equal(storage.only.bytes.length, 300_000);
    assert.equal(storage.only.headers.authorization, 'Bearer demo-alice');
    assert.equal(marks.at(-1), 300_000);
    gateway.proxy = 'off';
    await assert.rejects(perch.upload(cat()), (e) => e.code === 'upload-refused' && /cannot be reached/.test(e.message));
  }),
);

test(
  'only through the gateway: the service is not tried',
  story({ proxy: 'only' }, async ({ storage, gateway, perch }) => {
    await perch.upload(cat(1));
    assert.deepEqual(storage.requests, []);
    assert.deepEqual(writes(gateway), ['POST /v1/uploads', 'PUT /v1/uploads/u1']);
  }),
);

test(
  'through the gateway alone: another host gets no token',
  story({ proxy: 'only' }, async ({ storage, gateway, perch }) => {
    for (const at of [storage.url, storage.url.replace('http:', '')]) {
      gateway.proxyAt = at;
      await assert.rejects(perch.upload(cat(1)), { code: 'upload-refused' });
    }
    assert.deepEqual(storage.requests, []);
  }),
);

test(
  'through the gateway: a busy one is waited for, a slot that it has forgotten is asked for anew, once',
  story({ proxy: 'only' }, async ({ gateway, perch }) => {
    gateway.passing = [409, 429, 404];
    await perch.upload(cat(1));
    const put = (n) => `PUT /v1/uploads/u${n}`;
    assert.deepEqual(writes(gateway), ['POST /v1/uploads', put(1), put(1), put(1), 'POST /v1/uploads', put(2)]);
    gateway.passing = [404, 404];
    await assert.rejects(perch.upload(cat(1)), { status: 404 });
    gateway.passing = [503];
    await assert.rejects(perch.upload(cat(1)), { status: 503 });
  }),
);

test(
  'a token that was refused for the bytes is asked for again',
  story({ proxy: 'only' }, async ({ gateway, storage }) => {
    const asked = [];
    const perch = new Perch({ url: gateway.url, token: ({ refused }) => (asked.push(refused), refused ? 'fresh' : 'old') });
    gateway.passing = [401];
    await perch.upload(cat());
    assert.deepEqual(asked, [false, true]);
    assert.deepEqual([storage.only.headers.authorization, storage.only.bytes.length], ['Bearer fresh', 300_000]);
  }),
);

test(
  'refusals: too large, by the service, and by the service behind the gateway',
  story({ proxy: 'on' }, async ({ storage, gateway, perch }) => {
    storage.maxSize = 10;
    await assert.rejects(perch.upload(cat(11)), (e) => e.status === 413 && e.code === 'file-too-large' && e.problem.max_size === 10);
    assert.deepEqual(storage.requests, []);
    storage.refuses = 507;
    const refusal = (e) => e.code === 'upload-refused' && e.status === 502 && e.problem.upstream_status === 507 && !e.temporary;
    await assert.rejects(perch.upload(cat(10)), refusal);
    assert.deepEqual(writes(gateway).slice(1), ['POST /v1/uploads'], 'what the service has refused');
    gateway.proxy = 'only';
    await assert.rejects(perch.upload(cat(10)), refusal);
    storage.refuses = 0;
    await perch.upload(cat(10));
  }),
);

test(
  'one after the other, in the order of the calls; one that is taken back lets the next one begin',
  story({}, async ({ storage, perch }) => {
    storage.pausesAfter = 10;
    const control = new AbortController();
    const waiting = new AbortController();
    const first = perch.upload(cat(40_000_000), { name: '1', signal: control.signal });
    const second = perch.upload(cat(1), { name: '2', signal: waiting.signal });
    const third = perch.upload(cat(2), { name: '3' });
    await until('the first', () => storage.requests.length === 1);
    waiting.abort(new Error('no longer wanted'));
    await assert.rejects(second, /no longer wanted/);
    control.abort();
    await assert.rejects(first, { name: 'AbortError' });
    storage.resume();
    assert.equal((await third).name, '3');
    assert.deepEqual(storage.requests, ['PUT /put/1/1', 'PUT /put/2/3']);
    assert.equal(storage.only.bytes.length, 2);
    await assert.rejects(perch.upload(cat(1), { signal: AbortSignal.abort() }), { name: 'AbortError' });
    assert.equal(storage.requests.length, 2);
  }),
);

test(
  'taken back while the gateway is busy',
  story({ proxy: 'only' }, async ({ gateway, perch }) => {
    gateway.passing = Array(1000).fill(409);
    const control = new AbortController();
    const upload = perch.upload(cat(1), { signal: control.signal });
    await until('it is tried', () => writes(gateway).length > 1);
    control.abort();
    await assert.rejects(upload, { name: 'AbortError' });
    const tried = writes(gateway).length;
    gateway.passing = [];
    await perch.upload(cat(1));
    assert.equal(writes(gateway).length, tried + 2);
  }),
);

test('nothing is left behind: of a service that answers before it has read all, and of what was taken back before', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((r) => r === 'Timeout').length;
  const before = timers();
  const marks = [];
  const put = { url: 'http://up.test/', headers: {}, file: cat(), signal: new AbortController().signal, moved: (n) => marks.push(n) };
  /** @type {ReadableStreamDefaultReader} */ let rest;
  const early = async (_, { body }) => {
    rest = body.getReader();
    await rest.read();
    return new Response(null, { status: 507 });
  };
  assert.equal((await putFile(early, put)).status, 507);
  const seen = marks.length;
  while (!(await rest.read()).done);
  assert.equal(marks.length, seen, 'progress is told after the end');
  assert.equal(timers(), before, 'a timer is left');
  await assert.rejects(putFile(early, { ...put, signal: AbortSignal.abort() }), { name: 'AbortError' });
  assert.equal(timers(), before, 'a timer is left of what was taken back');
});

test(
  'can: where gateway and session have it',
  story({}, async ({ gateway, perch }) => {
    assert.equal(perch.can('upload'), false);
    perch.connect();
    await until('it can', () => perch.can('upload'));
    assert.equal(gateway.streams, 1);
  }),
);
