// A push service (RFC 8030) and the devices behind it: each message is held against the signature of the gateway
// (RFC 8292) by the crypto of Node, and decrypted by http_ece, which is not ours.
import assert from 'node:assert/strict';
import { createECDH, createPublicKey, randomBytes, verify } from 'node:crypto';
import { createServer } from 'node:http';
import ece from 'http_ece';
import { until } from './kit.mjs';

const json = (text) => JSON.parse(Buffer.from(text, 'base64url'));

export class PushService {
  /** What came, decrypted, in order. */ messages = [];
  /** What was wrong with messages. */ faults = [];
  /** The status of the next answers; 201 when there is none. */ answers = [];
  #devices = new Map();
  #server;

  async listen() {
    this.#server = createServer((req, res) => void this.#take(req, res));
    await new Promise((done) => this.#server.listen(0, '127.0.0.1', done));
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
    return this;
  }

  async close() {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
    assert.deepEqual(this.faults, [], 'every message of the gateway is valid');
  }

  /** What a browser has after pushManager.subscribe. */
  subscribe(name, key) {
    const ecdh = createECDH('prime256v1');
    ecdh.generateKeys();
    const auth = randomBytes(16);
    this.#devices.set(`/push/${name}`, { name, ecdh, auth, key });
    return {
      endpoint: `${this.url}/push/${name}`,
      expirationTime: null,
      keys: { p256dh: ecdh.getPublicKey('base64url'), auth: auth.toString('base64url') },
    };
  }

  unsubscribe(name) {
    this.#devices.delete(`/push/${name}`);
  }

  /** Waits until so many messages have come. */
  async count(n) {
    await until(
      () => `${n} messages, of which have come ${JSON.stringify(this.messages)}`,
      () => this.messages.length >= n,
      40_000,
    );
    assert.equal(this.messages.length, n, JSON.stringify(this.messages));
    return this.messages.at(-1);
  }

  async #take(req, res) {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const device = this.#devices.get(req.url);
    if (!device) return void res.writeHead(410).end();
    const status = this.answers.shift() ?? 201;
    try {
      this.messages.push(this.#read(req, body, device, status));
    } catch (e) {
      this.faults.push(`${e.stack}`);
      return void res.writeHead(400).end();
    }
    res.writeHead(status).end();
  }

  #read({ method, headers }, body, { name, ecdh, auth, key }, status) {
    assert.deepEqual([method, headers['content-encoding']], ['POST', 'aes128gcm']);
    assert.ok(body.length <= 4096, `${body.length} bytes`);
    assert.match(headers.topic, /^[\w-]{1,32}$/);
    const [, token, by] = /^vapid t=([\w.-]+), k=([\w-]+)$/.exec(headers.authorization);
    assert.equal(by, key, 'the key of the subscription');
    const [head, claims, signature] = token.split('.');
    const point = Buffer.from(by, 'base64url');
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((b) => b.toString('base64url'));
    const publicKey = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x, y } });
    const signed = verify(
      'sha256',
      Buffer.from(`${head}.${claims}`),
      { key: publicKey, dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    );
    const { aud, exp, sub } = json(claims);
    const left = exp - Date.now() / 1000;
    assert.deepEqual([signed, json(head).alg, aud, left > 0 && left <= 86_400], [true, 'ES256', this.url, true]);
    const text = ece.decrypt(body, { version: 'aes128gcm', privateKey: ecdh, authSecret: auth });
    return { name, status, contact: sub, ttl: headers.ttl, urgency: headers.urgency, topic: headers.topic, push: JSON.parse(text) };
  }
}
