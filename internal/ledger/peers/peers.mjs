// Foreign XMPP clients for the ledger: several accounts in one process, on @xmpp/client.
// The lines on stdin and stdout are those of peers.py, without its audits. The authority of
// the server's certificate comes in NODE_EXTRA_CA_CERTS.
import { createInterface } from 'node:readline';
import { client, xml } from '@xmpp/client';

const emit = (line) => process.stdout.write(JSON.stringify(line) + '\n');
const store = () => xml('store', { xmlns: 'urn:xmpp:hints' });
const bare = (jid) => jid.split('/')[0];

// What a message that is about another one has in it.
const relations = {
  edit: (line) => [xml('body', {}, line.body), xml('replace', { xmlns: 'urn:xmpp:message-correct:0', id: line.target })],
  retract: (line) => [xml('retract', { xmlns: 'urn:xmpp:message-retract:1', id: line.target }), store()],
  react: (line) => [xml('reactions', { xmlns: 'urn:xmpp:reactions:0', id: line.target },
    ...line.emojis.map((e) => xml('reaction', {}, e))), store()],
};
const contentOf = (line) => (line.cmd === 'relate' ? relations[line.kind](line) : [xml('body', {}, line.body)]);
const muc = 'http://jabber.org/protocol/muc';
const retry = 1000; // ms until a room is tried again
const isRelation = (stanza) => ['replace', 'retract', 'reactions'].some((name) => stanza.getChild(name));

// Takes the login in one step (XEP-0388) off what a server offers: where features follow that login, as they do on
// ejabberd 24, the library resumes the stream that it has only just bound, and is left without stream management.
function withoutOneStep(element) {
  if (element.is('features')) {
    element.children = element.children.filter((child) => child.attrs?.xmlns !== 'urn:xmpp:sasl:2');
  }
}

// An account that stays online and in its rooms. One that is a device has no presence but in rooms.
class Person {
  constructor(o, p) {
    this.who = p.name;
    this.device = p.device;
    this.rooms = new Map(); // nicks, by JID
    this.inside = new Set();
    this.waiting = [];
    this.stuck = 0;
    const [username, domain] = p.jid.split('@');
    this.xmpp = client({
      service: `xmpp://${o.host}:${o.port}`, domain, username, password: p.password, timeout: 20000,
    });
    this.xmpp.prependListener('element', withoutOneStep);
    this.sm = this.xmpp.streamManagement;
    this.sm.on('ack', (stanza) => this.report('acked', stanza));
    this.sm.on('fail', (stanza) => this.report('unsure', stanza));
    this.xmpp.on('error', () => {}); // what is lost is tried again, and said by "disconnect"
    this.xmpp.on('disconnect', () => {
      this.inside.clear();
      emit({ event: 'offline', who: this.who });
    });
    this.xmpp.on('online', () => this.online());
    this.sm.on('resumed', () => this.online());
    this.xmpp.on('stanza', (stanza) => this.take(stanza));
    this.start();
  }

  // The library tries again by itself only after it was connected once.
  start() {
    this.xmpp.start().catch((e) => emit({ event: 'failed', who: this.who, reason: String(e) }));
  }

  async online() {
    if (!this.device) await this.xmpp.send(xml('presence')).catch(() => {});
    emit({ event: 'online', who: this.who });
    for (const room of this.rooms.keys()) this.enter(room);
    this.flush();
  }

  // Joins a room without its history, or again one that it is in: that does no harm.
  enter(room) {
    if (this.xmpp.status !== 'online') return;
    this.xmpp.send(xml('presence', { to: `${room}/${this.rooms.get(room)}` },
      xml('x', { xmlns: muc }, xml('history', { maxstanzas: '0' })))).catch(() => {});
  }

  enterLater(room) {
    this.inside.delete(room);
    setTimeout(() => this.enter(room), retry);
  }

  ready() {
    return this.xmpp.status === 'online' && this.sm.enabled;
  }

  // No other code gives up a login that is stuck.
  watch() {
    if (this.ready()) this.stuck = 0;
    else if (++this.stuck % 3 === 0) {
      this.xmpp.disconnect().catch(() => {}).finally(() => this.xmpp.reconnect.scheduleReconnect());
    }
  }

  flush() {
    if (!this.ready()) return;
    const list = this.waiting;
    this.waiting = [];
    for (const line of list) {
      const toRoom = line.cmd === 'say';
      if (!this.ready() || toRoom && !this.inside.has(line.to)) {
        this.waiting.push(line);
        continue;
      }
      // A message that failed may have gone out all the same, and be acknowledged after a resume.
      this.xmpp.send(xml('message', { to: line.to, id: line.id, type: toRoom ? 'groupchat' : 'chat' }, ...contentOf(line)))
        .catch(() => emit({ event: 'unsure', who: this.who, id: line.id }));
    }
  }

  sendLater(line) {
    this.waiting.push(line);
    this.flush();
  }

  report(event, stanza) {
    if (stanza.is('message') && (stanza.getChild('body') || isRelation(stanza))) emit({ event, who: this.who, id: stanza.attrs.id });
  }

  take(stanza) {
    const from = bare(stanza.attrs.from ?? '');
    if (stanza.is('presence') && this.rooms.has(from)) this.occupant(stanza, from);
    else if (stanza.is('presence')) this.presence(from, stanza.attrs.type ?? 'available');
    if (!stanza.is('message') || stanza.attrs.type === 'groupchat') return;
    if (stanza.attrs.type === 'error') {
      if (this.rooms.has(from)) this.enterLater(from);
      const reason = stanza.getChild('error')?.children.find((c) => c.name)?.name ?? '';
      emit({ event: 'bounce', who: this.who, id: stanza.attrs.id, reason });
      return;
    }
    const body = stanza.getChildText('body');
    if (body && !isRelation(stanza)) emit({ event: 'message', who: this.who, from, id: stanza.attrs.id, body });
    if (body && stanza.getChild('request', 'urn:xmpp:receipts')) {
      this.xmpp.send(xml('message', { to: stanza.attrs.from, type: 'chat' },
        xml('received', { xmlns: 'urn:xmpp:receipts', id: stanza.attrs.id }))).catch(() => {});
    }
  }

  // Presence of somebody in a room: what counts is that of itself.
  occupant(stanza, room) {
    const own = stanza.getChild('x', `${muc}#user`)?.getChildren('status').some((s) => s.attrs.code === '110');
    const type = stanza.attrs.type ?? 'available';
    if (type === 'error' || own && type === 'unavailable') this.enterLater(room);
    else if (own && !this.inside.has(room)) {
      this.inside.add(room);
      emit({ event: 'entered', who: this.who, from: room });
      this.flush();
    }
  }

  presence(from, type) {
    if (type === 'subscribe') { // every request is accepted, and one is sent in return
      for (const answer of ['subscribed', 'subscribe']) {
        this.xmpp.send(xml('presence', { to: from, type: answer })).catch(() => {});
      }
    }
    if ((type === 'available' || type === 'unavailable') && from !== this.xmpp.jid?.bare().toString()) {
      emit({ event: 'presence', who: this.who, from, reason: type });
    }
  }
}

const people = new Map();
let options;
const lines = createInterface({ input: process.stdin });
lines.on('line', (text) => {
  const line = JSON.parse(text);
  if (!options) {
    options = line;
    for (const p of line.people) people.set(p.name, new Person(line, p));
  } else if (line.cmd === 'enter') {
    const person = people.get(line.who);
    person.rooms.set(line.to, line.nick);
    person.enter(line.to);
  } else if (line.cmd === 'send' || line.cmd === 'relate' || line.cmd === 'say') {
    people.get(line.who).sendLater(line);
  }
});
lines.on('close', () => process.exit(0));
// Stream management may become ready a moment after "online".
setInterval(() => people.forEach((p) => p.flush()), 200);
setInterval(() => people.forEach((p) => p.watch()), 5000);
