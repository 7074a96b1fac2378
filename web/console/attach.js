// The files that go with the next message: they are uploaded as soon as they are chosen, and sent with it.
import { h, note, set, sync, text } from './dom.js';
import { explain } from './explain.js';
import { size } from './files.js';

/** @import { Attachment } from '../types.d.ts' */
/** A file that was chosen. @typedef {{ key: string, file: File, sent: number, control: AbortController, done?: Attachment, error?: string, final?: boolean }} Chosen */

/** Files of one message. */
const most = 16;

let count = 0;

export class Attach {
  #pane;
  #changed;
  /** By conversation. @type {Map<string, Chosen[]>} */ #chosen = new Map();
  /** The conversation that is shown. */ #jid = '';

  /** @param {import('./pane.js').Pane} pane @param {() => void} changed */
  constructor(pane, changed) {
    this.#pane = pane;
    this.#changed = changed;
    this.input = h('input', { type: 'file', multiple: true, hidden: true, onchange: () => this.#picked() });
    this.button = h(
      'button',
      { type: 'button', class: 'quiet attach', 'aria-label': 'Attach files', title: 'Attach files', onclick: () => this.input.click() },
      '+',
    );
    this.list = h('ul', { class: 'chosen', 'aria-label': 'Files of the message' });
    this.said = h('p', { class: 'hidden', role: 'status' });
  }

  get #files() {
    return this.#chosen.get(this.#jid) ?? [];
  }

  /** Whether files can be attached here. */
  get possible() {
    return !this.button.hidden;
  }

  /** What keeps the message from being sent; "" for nothing. */
  get obstacle() {
    if (this.#files.some((f) => f.error)) return 'A file was not uploaded: try again, or remove it.';
    return this.#files.some((f) => !f.done) ? 'A file is still on its way.' : '';
  }

  #picked() {
    this.add(this.input.files ?? []);
    this.input.value = ''; // the same file may be chosen again
  }

  /** @param {Iterable<File>} files */
  add(files) {
    const room = most - this.#files.length;
    if ([...files].length > room) note(`At most ${most} files go with a message.`, 'bad');
    const all = [...files].slice(0, room).map((file) => ({ key: String(++count), file, sent: 0, control: new AbortController() }));
    this.#chosen.set(this.#jid, [...this.#files, ...all]);
    for (const f of all) void this.#upload(f);
  }

  /** @param {Chosen} f */
  async #upload(f) {
    const onProgress = (/** @type {number} */ sent) => ((f.sent = sent), this.draw());
    delete f.error;
    f.sent = 0;
    this.draw();
    try {
      f.done = await this.#pane.perch.upload(f.file, { signal: f.control.signal, onProgress });
      text(this.said, `${f.file.name} is uploaded`);
    } catch (e) {
      if (f.control.signal.aborted) return;
      f.error = explain(e);
      f.final = /** @type {any} */ (e).code === 'file-too-large';
      text(this.said, `${f.file.name} was not uploaded: ${f.error}`);
    }
    this.draw();
  }

  /** @param {Chosen} f */
  #remove(f) {
    f.control.abort();
    for (const [jid, all] of this.#chosen) {
      const left = all.filter((other) => other !== f);
      if (left.length) this.#chosen.set(jid, left);
      else this.#chosen.delete(jid);
    }
    this.draw();
    this.button.focus();
  }

  /** Takes what is uploaded, for a message. @returns {Attachment[]} */
  take() {
    const files = this.#files.flatMap((f) => f.done ?? []);
    this.#chosen.delete(this.#jid);
    this.draw();
    return files;
  }

  /** Another conversation is open; what was chosen for the one before stays there. @param {string} jid */
  open(jid) {
    this.#jid = jid;
    this.draw();
  }

  /** Takes back what is on its way. */
  close() {
    for (const f of [...this.#chosen.values()].flat()) f.control.abort();
    this.#chosen.clear();
  }

  draw() {
    sync(
      this.list,
      this.#files,
      (f) => f.key,
      (f) => this.#make(f),
      (e, f) => this.#update(e, f),
    );
    this.#changed();
  }

  /** @param {Chosen} f */
  #make(f) {
    const { name } = f.file;
    return h(
      'li',
      {},
      h('span', { class: 'name' }, name),
      h('small', {}),
      h('progress', { max: 1, 'aria-label': `Upload of ${name}` }),
      h('button', { type: 'button', class: 'link', onclick: () => this.#upload(f) }, 'Try again'),
      h('button', { type: 'button', class: 'quiet', 'aria-label': `Remove ${name}`, onclick: () => this.#remove(f) }, '✕'),
    );
  }

  /** @param {HTMLElement} e @param {Chosen} f */
  #update(e, f) {
    const of = (/** @type {string} */ what) => /** @type {HTMLElement} */ (e.querySelector(what));
    const part = f.file.size ? f.sent / f.file.size : 0;
    const percent = f.done || f.error ? '' : ` · ${Math.floor(100 * part)} %`;
    text(of('small'), f.error ?? `${size(f.file.size)}${percent}`);
    set(of('small'), 'class', f.error ? 'bad' : null);
    set(of('progress'), 'hidden', Boolean(f.done || f.error));
    set(of('progress'), 'value', part);
    set(of('.link'), 'hidden', !f.error || f.final);
  }
}
