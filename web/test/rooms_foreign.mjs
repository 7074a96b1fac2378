// The others in a room, as foreign clients: what they send is XML of these stories.
import { stage } from './kit.mjs';

const esc = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll("'", '&apos;');

/** One who is not behind the gateway. */
export class Foreign {
  #n = 0;

  constructor(who, jid) {
    this.who = who;
    this.jid = jid;
  }

  raw(xml) {
    return stage('raw', { who: this.who, xml });
  }

  join(room, nick) {
    return this.raw(`<presence to='${room}/${nick}'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>`);
  }

  leave(room, nick) {
    return this.raw(`<presence to='${room}/${nick}' type='unavailable'/>`);
  }

  /** Resolves with the id of the message. */
  async say(to, body, { type = 'groupchat', more = '' } = {}) {
    const id = `${this.who}-${++this.#n}`;
    const text = body ? `<body>${esc(body)}</body>` : '';
    await this.raw(`<message to='${to}' type='${type}' id='${id}'>${text}${more}</message>`);
    return id;
  }

  writes(room) {
    return this.say(room, '', { more: "<composing xmlns='http://jabber.org/protocol/chatstates'/>" });
  }

  react(room, stanzaID, emojis) {
    const all = emojis.map((e) => `<reaction>${e}</reaction>`).join('');
    const hint = "<store xmlns='urn:xmpp:hints'/>";
    return this.say(room, '', { more: `<reactions xmlns='urn:xmpp:reactions:0' id='${stanzaID}'>${all}</reactions>${hint}` });
  }

  edit(room, id, body) {
    return this.say(room, body, { more: `<replace xmlns='urn:xmpp:message-correct:0' id='${id}'/>` });
  }

  /** By the room. */
  invite(room, to, reason) {
    const invite = `<invite to='${to}'><reason>${esc(reason)}</reason></invite>`;
    return this.raw(`<message to='${room}'><x xmlns='http://jabber.org/protocol/muc#user'>${invite}</x></message>`);
  }

  /** Makes the room one that is open to all, and found by all. */
  open(room) {
    const field = (name, value) => `<field var='${name}'><value>${value}</value></field>`;
    const fields = field('FORM_TYPE', 'http://jabber.org/protocol/muc#roomconfig') + field('muc#roomconfig_publicroom', 1);
    const form = `<x xmlns='jabber:x:data' type='submit'>${fields}</x>`;
    return this.raw(
      `<iq type='set' to='${room}' id='o${++this.#n}'><query xmlns='http://jabber.org/protocol/muc#owner'>${form}</query></iq>`,
    );
  }
}
