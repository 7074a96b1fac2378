// A gateway with conversations in a few lines: one account, alice, on a log of events and an
// archive that are arrays. It serves the console and the examples too. The stories that need what the
// embedded service has not are played on it.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const web = fileURLToPath(new URL('..', import.meta.url));
export const own = 'alice@example.net';
const related = ['message-edit', 'message-react', 'message-retract'];
const types = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.html': 'text/html' };

export class StandIn {
  /** Requests as "METHOD path", with their bodies. */ requests = [];
  /** The messages by ref, oldest first. */ messages = new Map();
  /** The conversations by JID. */ conversations = new Map();
  /** Who is offline. */ away = new Set();
  /** What the session can do besides. */ more = [];
  /** What the first page is told, as text. */ services = 'null';
  /** Answers every write with a problem of this status. */ refuses = 0;

  #log = [];
  #streams = new Set();
  #server;
  #features;
  #epoch = 'e1';
  /** Where files go, by the path that takes them. */ #slots = new Map();
  /** Push subscriptions by id, and the key of the gateway. */ push = new Map();
  pushKey = 'BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs';
  /** Statuses with which the next files are refused. */ passing = [];

  /** The folder of the pages that are served. */ site = web;
  /** How many messages a page has, whatever was asked for; 0: as many as were asked for. */ pageSize = 0;

  /** @param storage an upload service (storage.mjs), to which the gateway passes files on as proxy says: off, on or only */
  constructor({
    features = ['conversations', ...related],
    buddies = ['bob@example.net', 'carol@example.net'],
    storage,
    proxy = 'off',
  } = {}) {
    this.#features = storage ? [...features, 'uploads'] : features;
    this.storage = storage;
    this.proxy = proxy;
    /** Before the path of what goes through the gateway. */ this.proxyAt = '';
    this.buddies = buddies.map((jid) => ({ jid, name: name(jid), groups: [], subscription: 'both', ask: null, approved: false }));
  }

  async listen() {
    this.#server = createServer((req, res) => this.#serve(req, res));
    await new Promise((done) => this.#server.listen(0, '127.0.0.1', done));
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
    return this;
  }

  close() {
    for (const s of this.#streams) s.end();
    this.#server.closeAllConnections();
    return new Promise((done) => this.#server.close(done));
  }

  /** Ends all streams; clients resume. */
  cut() {
    for (const s of this.#streams) s.destroy();
  }

  get streams() {
    return this.#streams.size;
  }

  // The other side.

  /** A message of somebody. */
  receive(from, body, more = {}) {
    const n = this.messages.size + 1;
    return this.#add({ id: `m${n}`, ref: `im${n}`, from: `${from}/phone`, to: own, body, ...more }, from);
  }

  edit(ref, body) {
    const m = this.messages.get(ref);
    Object.assign(m, { body, edited: { count: (m.edited?.count ?? 0) + 1, at: now() } });
    const { time: _t, with: _w, ...data } = m;
    this.event('message.edited', data);
  }

  retract(ref, by, reason) {
    const m = this.messages.get(ref);
    m.retracted = { at: now(), by, ...(reason && { reason }) };
    m.body = '';
    this.event('message.retracted', { ref, id: m.id, conversation: m.with, ...m.retracted });
  }

  react(ref, from, emojis) {
    const m = this.messages.get(ref);
    m.sets = { ...m.sets, [from]: emojis };
    m.reactions = [...new Set(Object.values(m.sets).flat())].map((emoji) => {
      const by = Object.keys(m.sets).filter((jid) => m.sets[jid].includes(emoji));
      return { emoji, by, own: by.includes(own) };
    });
    this.event('message.reactions', { ref, id: m.id, conversation: m.with, from, emojis, reactions: m.reactions });
  }

  /** The other side has read. */
  readBy(by, ref) {
    this.conversation(by).peer_read = { ref, time: this.messages.get(ref).time };
    this.event('message.read', { conversation: by, by, ref });
  }

  // The gateway.

  event(type, data, durable = true) {
    const f = { ...(durable && { id: `${this.#epoch}-${this.#log.length + 1}` }), type, time: now(), data };
    if (durable) this.#log.push(f);
    for (const s of this.#streams) write(s, f);
  }

  conversation(jid) {
    const c = this.conversations.get(jid) ?? {
      ...{ jid, type: 'chat', name: '', notify: 'all', pinned: false, archived: false, last_message: null, last_activity_at: null },
      ...{ unread: 0, unread_exact: true, mentions: 0, read: null, peer_read: null, draft: null },
    };
    this.conversations.set(jid, c);
    return c;
  }

  #add(message, jid) {
    const time = now();
    const m = { stanza_id: `s${this.messages.size + 1}`, kind: 'chat', source: 'live', ...message };
    this.messages.set(m.ref, { ...m, time, with: jid });
    const c = this.conversation(jid);
    const out = m.from.startsWith(own);
    Object.assign(c, { last_message: this.messages.get(m.ref), last_activity_at: time, unread: c.unread + (out ? 0 : 1) });
    this.event(out ? 'message.sent' : 'message.received', m);
    this.#changed(c);
    return m.ref;
  }

  #changed(c) {
    const { last_message: _, ...rest } = c;
    this.event('conversation.changed', rest, false);
  }

  #session() {
    return {
      jid: own,
      resource: 'perch',
      state: 'online',
      reason: '',
      retry_at: null,
      since: now(),
      upstream: 'stand-in',
      delivery: 'A',
      features: ['archive', ...related, ...(this.storage ? ['uploads'] : []), ...this.more],
      last_stanza_at: null,
      ping_rtt_ms: null,
      streams: this.#streams.size,
    };
  }

  async #serve(req, res) {
    const url = new URL(req.url, 'http://x');
    if (!url.pathname.startsWith('/v1/')) return serveFile(this.site, url.pathname, res, this.services);
    const cors = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Headers': '*', 'Access-Control-Allow-Methods': '*' };
    for (const [k, v] of Object.entries(cors)) res.setHeader(k, v);
    if (req.method === 'OPTIONS') return res.writeHead(204).end();
    if (url.pathname === '/v1/events') return this.#stream(url, res);
    if (url.pathname.startsWith('/v1/uploads/')) return this.#pass(req, res, url.pathname);
    let text = '';
    for await (const chunk of req) text += chunk;
    const body = text ? JSON.parse(text) : undefined;
    const path = decodeURIComponent(url.pathname);
    this.requests.push({ what: `${req.method} ${path}`, body });
    const [status, answer] = this.#answer(req.method, path.split('/').slice(2), url.searchParams, body);
    const problem =
      status >= 400
        ? { status, code: status === 404 ? 'item-not-found' : 'forbidden', title: 'refused', detail: 'the stand-in refuses', ...answer }
        : answer;
    if (status === 204) return res.writeHead(204).end();
    res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(problem));
  }

  /** Passes a file on to the upload service. */
  async #pass(req, res, path) {
    this.requests.push({ what: `PUT ${path}` });
    const put = this.#slots.get(path);
    const refusal = this.passing.shift() ?? (put ? 0 : 404);
    const answer = (status, body, headers) =>
      res.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
    if (refusal)
      return answer(
        refusal,
        { status: refusal, code: 'refused', title: 'refused', detail: 'the stand-in refuses' },
        { 'Retry-After': '0' },
      );
    const { status } = await this.storage.take(put, req);
    if (status !== 201)
      return answer(502, { status: 502, code: 'upload-refused', title: 'refused', detail: 'refused', upstream_status: status });
    return answer(201, { get_url: this.storage.get(put) });
  }

  #slot({ name: file, size }) {
    if (size > this.storage.maxSize)
      return [413, { code: 'file-too-large', detail: 'the file is too large', max_size: this.storage.maxSize }];
    const id = `u${this.#slots.size + 1}`;
    const put = this.storage.slot(file);
    this.#slots.set(`/v1/uploads/${id}`, put);
    const slot = {
      id,
      put: { url: put, headers: this.storage.headers },
      get_url: this.storage.get(put),
      expires_at: now(),
      max_size: this.storage.maxSize,
    };
    const proxied = { proxy_url: `${this.proxyAt}/v1/uploads/${id}`, ...(this.proxy === 'only' && { proxy_only: true }) };
    return [201, { ...slot, ...(this.proxy !== 'off' && proxied) }];
  }

  #stream(url, res) {
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    const since = url.searchParams.get('since') ?? '';
    const resumed = since.startsWith(`${this.#epoch}-`);
    const tip = `${this.#epoch}-${this.#log.length}`;
    const send = (type, data) => write(res, { type, time: now(), data });
    const whole = (items) => ({ as_of: tip, part: 1, last: true, items });
    send('hello', {
      ...{ protocol: 1, connection_id: 'c', server: { name: 'stand-in', version: '0' }, heartbeat_ms: 25_000, resumed },
      ...{ reset_reason: resumed ? null : 'first', tip, session: this.#session(), ...(this.#features && { features: this.#features }) },
    });
    if (resumed) for (const f of this.#log.slice(Number(since.split('-')[1]))) write(res, f);
    else {
      send('roster.snapshot', whole(this.buddies));
      send('invitations.snapshot', whole([]));
    }
    send(
      'presence.snapshot',
      whole(
        this.buddies.map(({ jid }) => ({
          jid,
          available: !this.away.has(jid),
          show: null,
          status: '',
          priority: 0,
          resources: [],
          updated_at: null,
          stale: false,
        })),
      ),
    );
    send('live', { tip });
    this.#streams.add(res);
    res.on('close', () => this.#streams.delete(res));
  }

  /** @returns {[number, any?]} */
  #answer(method, [what, jid, part, ref, verb], query, body) {
    if (this.refuses && method !== 'GET') return [this.refuses];
    if (what === 'session') return [200, this.#session()];
    if (what === 'presence' && jid === 'me') return [200, { available: true, show: null, status: '', priority: 0 }];
    if (what === 'chat-states') return (this.event('typed', { to: jid, ...body }, false), [204]);
    if (what === 'archive') return [200, this.#page(query.get('with'), query, true)];
    if (what === 'messages' && method === 'POST') return this.#send(body);
    if (what === 'uploads' && this.storage) return this.#slot(body);
    if (what === 'push') return this.#push(method, jid, body);
    if (what !== 'conversations' || !this.#features) return [404];
    if (!jid) {
      const all = [...this.conversations.values()].sort((a, b) => (a.last_activity_at < b.last_activity_at ? 1 : -1));
      return [
        200,
        {
          items: all.map((c) => ({ ...c, last_message: c.last_message && { ...c.last_message, body: c.last_message.body.slice(0, 200) } })),
          next: null,
          complete: true,
        },
      ];
    }
    const c = this.conversation(jid);
    if (!part && method === 'GET') return [200, c];
    if (!part) {
      Object.assign(c, body);
      this.#changed(c);
      return [200, c];
    }
    if (part === 'read') return this.#read(c, body.ref);
    if (!ref) return [200, this.#page(jid, query, false)];
    const id = body?.id ?? query.get('id');
    if (!this.messages.has(ref)) return [404];
    if (verb === 'reactions') this.react(ref, own, body.emojis);
    else if (method === 'PATCH') this.edit(ref, body.body);
    else if (method === 'DELETE') this.retract(ref, own, query.get('reason'));
    return [202, { id, ref, status: 'accepted' }];
  }

  #push(method, id, body) {
    if (!id) return [200, { application_server_key: this.pushKey, items: [...this.push.values()] }];
    if (method === 'DELETE') return [this.push.delete(id) ? 204 : 404];
    const made = !this.push.has(id);
    this.push.set(id, { id, host: new URL(body.endpoint).host, state: 'active', ...body });
    return [made ? 201 : 200, this.push.get(id)];
  }

  #send({ id, to, body, reply_to, ...more }) {
    const ref = `o${id}`;
    if (this.messages.has(ref)) return [202, { id, ref, status: 'accepted' }];
    const quoted = reply_to && this.messages.get(reply_to.ref);
    const reply = quoted && { ref: reply_to.ref, id: quoted.id, from: quoted.from.split('/')[0], excerpt: quoted.body };
    const text = body || (more.attachments ?? []).map((a) => a.url).join('\n');
    this.#add({ ...more, id, ref, from: `${own}/perch`, to, body: text, ...(reply && { reply_to: reply }) }, to);
    this.event('message.status', { id, ref, status: 'acked', time: now() });
    return [202, { id, ref, status: 'accepted' }];
  }

  #read(c, ref) {
    const m = this.messages.get(ref);
    if (!m) return [404];
    const later = [...this.messages.values()].filter((x) => x.with === c.jid && !x.from.startsWith(own) && x.time > m.time);
    Object.assign(c, { read: { ref, time: m.time }, unread: later.length });
    this.event('conversation.read', { jid: c.jid, read: c.read, unread: c.unread, mentions: 0 });
    return [200, { jid: c.jid, read: c.read, unread: c.unread, mentions: 0 }];
  }

  #page(jid, query, archive) {
    const limit = this.pageSize || Number(query.get('limit') ?? 50);
    const all = [...this.messages.values()].filter((m) => m.with === jid);
    const before = query.get('before');
    const end = before ? all.findIndex((m) => m.stanza_id === before) : all.length;
    const items = all.slice(Math.max(0, end - limit), end);
    const plain = items.map(({ with: _w, sets: _s, ...m }) =>
      archive
        ? {
            ...m,
            id: m.stanza_id,
            message_id: m.id,
            source: undefined,
            direction: m.from.startsWith(own) ? 'out' : 'in',
            time_is_arrival: false,
          }
        : m,
    );
    const complete = end - limit <= 0;
    return { items: plain, relations: [], dropped: [], next: null, prev: complete ? null : items[0].stanza_id, complete };
  }
}

const now = () => new Date().toISOString();
const name = (jid) => jid[0].toUpperCase() + jid.slice(1).split('@')[0];
const write = (res, f) => res.write(`data: ${JSON.stringify(f)}\n\n`);

function serveFile(site, path, res, services) {
  const file = join(site, normalize(path === '/' ? '/index.html' : path));
  try {
    const text = path.startsWith('/test/') ? null : readFileSync(file, 'utf8');
    if (text === null) throw new Error('not served');
    const body = path === '/' ? text.replace('{{.Services}}', services.replaceAll('"', '&quot;')) : text;
    res.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'text/plain', 'Access-Control-Allow-Origin': '*' }).end(body);
  } catch {
    res.writeHead(404).end();
  }
}
