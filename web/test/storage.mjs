// An upload service (XEP-0363) in a few lines: it takes files by PUT and serves them, to pages of other
// origins only when it is told to (cors).
import { createServer } from 'node:http';

export class Storage {
  /** What was put, by path: { type, bytes }. */ files = new Map();
  /** Requests as "METHOD path". */ requests = [];
  /** Whether other origins may use it. */ cors = true;
  /** Answers each PUT with this status. */ refuses = 0;
  /** Headers that a slot asks for. */ headers = { Authorization: 'Bearer slot' };
  /** The largest file. */ maxSize = 200_000_000;
  /** Bytes after which it reads nothing more until it is told to. */ pausesAfter = Infinity;

  #server;
  #count = 0;
  /** What waits for the rest of a file. */ #resume = [];

  async listen() {
    this.#server = createServer((req, res) => this.#serve(req, res));
    await new Promise((done) => this.#server.listen(0, '127.0.0.1', done));
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
    return this;
  }

  close() {
    this.resume();
    this.#server.closeAllConnections();
    return new Promise((done) => this.#server.close(done));
  }

  /** Reads on. */
  resume() {
    this.pausesAfter = Infinity;
    for (const f of this.#resume.splice(0)) f();
  }

  slot = (name) => `${this.url}/put/${++this.#count}/${encodeURIComponent(name)}`;
  get = (put) => put.replace('/put/', '/get/');

  /** Takes the bytes of a request. */
  async take(put, req) {
    const chunks = [];
    let size = 0;
    try {
      for await (const chunk of req) {
        chunks.push(chunk);
        size += chunk.length;
        if (size > this.pausesAfter) await new Promise((done) => this.#resume.push(done));
      }
    } catch {
      return { status: 0 }; // the client has left
    }
    if (!req.complete) return { status: 0 };
    if (this.refuses) return { status: this.refuses };
    this.files.set(new URL(put).pathname, { headers: req.headers, bytes: Buffer.concat(chunks) });
    return { status: 201 };
  }

  async #serve(req, res) {
    this.requests.push(`${req.method} ${req.url}`);
    if (this.cors) {
      res.setHeader('Access-Control-Allow-Origin', '*');
      res.setHeader('Access-Control-Allow-Headers', 'Content-Type, Authorization');
      res.setHeader('Access-Control-Allow-Methods', 'GET, PUT');
    }
    if (req.method === 'OPTIONS') return res.writeHead(this.cors ? 200 : 405).end();
    if (req.method === 'PUT') return res.writeHead((await this.take(`${this.url}${req.url}`, req)).status || 400).end();
    const file = this.files.get(req.url.replace('/get/', '/put/'));
    if (!file) return res.writeHead(404).end();
    return res.writeHead(200, { 'Content-Type': file.headers['content-type'] ?? 'application/octet-stream' }).end(file.bytes);
  }

  /** The only file that was put. */
  get only() {
    if (this.files.size !== 1) throw new Error(`got ${this.files.size} files, want one`);
    return [...this.files.values()][0];
  }
}
