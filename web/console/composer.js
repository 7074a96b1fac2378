// Where a message is written: its draft is kept, and it may reply to another one, or edit it.
import { Attach } from './attach.js';
import { h, note, set, text } from './dom.js';
import { explain } from './explain.js';
import { summary } from './talks.js';

/** @import { StoredMessage } from '../types.d.ts' */

export class Composer {
  #pane;
  #chat;
  /** What the text is for, if it is no plain message. @type {{ kind: 'reply' | 'edit', m: StoredMessage } | null} */ #about = null;
  /** Whose draft is in the field. */ #jid = '';
  /** Whether nothing may be written here. */ #mute = false;

  /** @param {import('./pane.js').Pane} pane @param {import('./chat.js').Chat} chat */
  constructor(pane, chat) {
    this.#pane = pane;
    this.#chat = chat;
    this.input = h('textarea', {
      rows: 1,
      placeholder: 'Write a message',
      'aria-label': 'Message',
      onkeydown: (/** @type {KeyboardEvent} */ e) => this.#key(e),
      oninput: () => this.#typed(),
      onblur: () => this.#jid && pane.perch.stopTyping(this.#jid),
      onpaste: (/** @type {ClipboardEvent} */ e) => this.take(e, e.clipboardData),
    });
    this.what = h('span', { class: 'what' });
    this.bar = h(
      'div',
      { class: 'about', hidden: true },
      this.what,
      h('button', { type: 'button', class: 'quiet', 'aria-label': 'Write a new message instead', onclick: () => this.cancel() }, '✕'),
    );
    this.files = new Attach(pane, () => this.#drawSend());
    this.send = h('button', {}, 'Send');
    this.element = h(
      'form',
      { class: 'write', onsubmit: (/** @type {Event} */ e) => (e.preventDefault(), this.#send()) },
      this.bar,
      this.files.list,
      this.files.said,
      this.files.input,
      this.files.button,
      this.input,
      this.send,
    );
  }

  /** Attaches the files that were dropped or pasted; there may be none. @param {Event} e @param {DataTransfer | null} from */
  take(e, from) {
    if (!from?.files.length) return;
    e.preventDefault(); // the browser would open the file
    if (this.files.possible) this.files.add(from.files);
  }

  /** Another conversation is open. @param {string} jid */
  open(jid) {
    if (jid === this.#jid) return;
    if (this.#jid) this.#pane.perch.stopTyping(this.#jid);
    this.#jid = jid;
    this.#set(null);
    this.files.open(jid);
    this.input.value = this.#pane.perch.store.conversation(jid).draft ?? '';
  }

  /** A draft of another device, while nothing is written here. */
  draw() {
    const { conversation: c, jid } = this.#chat;
    const mute = c.type === 'room' && !this.#pane.perch.canIn(jid, 'speak');
    const room = this.#pane.perch.store.rooms.get(jid);
    set(this.input, 'disabled', mute);
    this.#mute = mute;
    this.#drawSend();
    set(
      this.input,
      'placeholder',
      !mute ? 'Write a message' : room?.state === 'joined' ? 'Only those with a voice may write' : 'You are not in this room',
    );
    if (!this.#jid || this.#about || document.activeElement === this.input) return;
    const draft = this.#pane.perch.store.conversation(this.#jid).draft ?? '';
    if (this.input.value !== draft) this.input.value = draft;
  }

  #drawSend() {
    const edits = this.#about?.kind === 'edit';
    set(this.files.list, 'hidden', edits);
    set(this.files.button, 'hidden', edits || this.#mute || !this.#pane.perch.can('upload'));
    set(this.send, 'disabled', this.#mute || (!edits && this.files.obstacle !== ''));
  }

  /** @param {StoredMessage} m */
  reply(m) {
    this.#set({ kind: 'reply', m });
    this.input.focus();
  }

  /** @param {StoredMessage} m */
  edit(m) {
    this.#set({ kind: 'edit', m });
    this.input.value = m.body;
    this.input.focus();
  }

  /** Back to a plain message. */
  cancel() {
    const edited = this.#about?.kind === 'edit';
    this.#set(null);
    if (edited) this.input.value = this.#pane.perch.store.conversation(this.#jid).draft ?? '';
    this.input.focus();
  }

  /** @param {{ kind: 'reply' | 'edit', m: StoredMessage } | null} about */
  #set(about) {
    this.#about = about;
    set(this.bar, 'hidden', !about);
    this.#drawSend();
    text(this.send, about?.kind === 'edit' ? 'Save' : 'Send');
    text(this.what, about ? `${about.kind === 'edit' ? 'Editing' : 'Replying to'}: ${summary(about.m)}` : '');
  }

  /** @param {KeyboardEvent} e */
  #key(e) {
    if (e.isComposing) return;
    if (e.key === 'Escape' && this.#about) this.cancel();
    else if (e.key === 'ArrowUp' && !this.input.value && !this.#about) {
      const last = this.#chat.conversation.messages.findLast((m) => this.#chat.actions.for(m).includes('edit'));
      if (!last) return;
      this.edit(last);
    } else if (e.key === 'Enter' && !e.shiftKey) this.#send();
    else return;
    e.preventDefault();
  }

  #typed() {
    this.#pane.perch.typing(this.#jid);
    if (this.#about?.kind !== 'edit') this.#pane.perch.saveDraft(this.#jid, this.input.value);
  }

  #send() {
    const { perch } = this.#pane;
    const body = this.input.value.trim();
    const about = this.#about;
    const jid = this.#jid;
    const plain = about?.kind !== 'edit';
    if (plain && this.files.obstacle) return note(this.files.obstacle);
    const files = plain ? this.files.take() : [];
    if (!body && !files.length) return;
    this.#set(null);
    this.input.value = '';
    this.#chat.toEnd();
    if (about?.kind === 'edit') {
      perch.stopTyping(jid);
      this.input.value = perch.store.conversation(jid).draft ?? '';
      if (body !== about.m.body) this.#run(() => perch.edit(jid, about.m.ref ?? '', body));
      return;
    }
    perch.saveDraft(jid, '');
    const reply = about?.m.ref ? { reply_to: { ref: about.m.ref } } : {};
    // Each file is a message without a text, as most clients know files of no others.
    files.forEach((f, i) => this.#run(() => perch.send(jid, '', { ...(!body && i === 0 && reply), attachments: [f] })));
    if (body) this.#run(() => perch.send(jid, body, reply));
  }

  /** A message that was refused or cancelled shows that itself. @param {() => Promise<unknown>} f */
  #run(f) {
    f().catch((e) => {
      if (e.code === 'outbox-full' || e.status === 401) note(explain(e), 'bad');
    });
  }
}
