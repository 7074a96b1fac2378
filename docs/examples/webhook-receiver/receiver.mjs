// Receives a webhook of Perch, with nothing but Node's own modules.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const { WEBHOOK_SECRET, WEBHOOK_STATE: state = 'webhook-calls.txt', PORT = '8000' } = process.env;
// While a secret is rotated there are two: the new one, a blank, and the old one.
const secrets = WEBHOOK_SECRET.split(' ').map((s) => Buffer.from(s.replace('whsec_', ''), 'base64'));
const tolerance = 5 * 60; // seconds between this clock and the gateway's
const most = 16 << 20; // bytes of a body

/** Whether a secret of the webhook has signed this call, not long ago (standardwebhooks.com). */
function verified(headers, body) {
  const at = headers['webhook-timestamp'] ?? '';
  if (!/^\d+$/.test(at) || Math.abs(Date.now() / 1000 - Number(at)) > tolerance) return false;
  const given = (headers['webhook-signature'] ?? '').split(' ').map((g) => Buffer.from(g));
  return secrets.some((secret) => {
    const mac = createHmac('sha256', secret).update(`${headers['webhook-id']}.${at}.`).update(body);
    const mine = Buffer.from(`v1,${mac.digest('base64')}`);
    return given.some((g) => g.length === mine.length && timingSafeEqual(g, mine));
  });
}

/** What your program does. When it throws, the call is repeated. */
async function work(data) {
  if (data.reset) console.log('# events are missing, read what you need by the API:', data.reset);
  for (const { type, data: message } of data.events) {
    if (type === 'message.received') console.log(`${message.from}: ${message.body}`);
  }
}

// The ids of calls that were worked on, on disk: the last ones are enough, as calls come in order.
let ids = existsSync(state) ? readFileSync(state, 'utf8').split('\n').slice(-1000) : [];

async function take(id, body) {
  if (ids.includes(id)) return; // a repeat: its first answer was lost
  const payload = JSON.parse(body);
  if (payload.type === 'events') await work(payload.data);
  ids = [...ids.slice(-999), id];
  // Best in the same transaction as the work: between the two a crash has it done twice.
  writeFileSync(`${state}.new`, ids.join('\n'));
  renameSync(`${state}.new`, state);
}

async function bodyOf(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    if ((size += chunk.length) > most) throw new Error('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

let before = Promise.resolve(); // calls are worked on one after the other, as they come

const server = createServer(async (request, response) => {
  try {
    const body = await bodyOf(request);
    if (request.method !== 'POST' || !verified(request.headers, body)) return response.writeHead(401).end();
    const turn = before.then(() => take(request.headers['webhook-id'], body));
    before = turn.catch(() => {});
    await turn;
    response.writeHead(204).end();
  } catch (err) {
    // Anything but 2xx: Perch tries again, later and later.
    console.log('# not done:', err.message);
    response.writeHead(500).end();
  }
});
server.listen(Number(PORT), '127.0.0.1', () => console.log(`# waiting for calls on ${server.address().port}`));
