// One event stream for all tabs of a browser with the same token.

import { newID } from './ids.js';
import { Stream } from './stream.js';

/** @import { ConnectionState, Frame, SavedState } from '../types.d.ts' */
/** @import { Announcement } from './outbox.js' */
/** @import { Port, StreamOptions } from './stream.js' */

/**
 * What one tab posts to the others. join: it has no state yet. welcome: the state of the
 * leader, for one tab or for all ("*"). reconnect: the leader shall not wait any longer.
 * @typedef {{ kind: 'join' | 'reconnect' } | { kind: 'welcome', to: string, saved: SavedState } | { kind: 'frame', frame: Frame } |
 *   { kind: 'state', state: Partial<ConnectionState> } | { kind: 'outbox', announcement: Announcement }} Post
 */

/** Silence after which the leader's lock is taken away, in milliseconds: the tab may be suspended. */
const leaderSilence = 90_000;

/** Tabs that share one stream. The one that holds the lock leads: it has the stream, posts
 * every frame to the others, and sends what any of them has written. When it closes, the next
 * one resumes from its own cursor and sends what is left. */
export class Tabs {
  #options;
  #port;
  #id = newID();
  /** @type {BroadcastChannel | null} */ #channel = null;
  /** Of the leader. @type {Stream | null} */ #stream = null;
  #stopping = new AbortController();
  #releaseLock = () => {};
  /** Whether a tab that follows has the leader's state. */ #joined = false;
  /** Ends the wait for a silent leader. @type {ReturnType<typeof setTimeout> | undefined} */ #timer;

  /** Reports whether the platform has what sharing needs; some of it only in secure contexts. */
  static possible() {
    return Boolean(globalThis.navigator?.locks && globalThis.BroadcastChannel && globalThis.crypto?.subtle);
  }

  /** @param {StreamOptions} options @param {Port} port */
  constructor(options, port) {
    this.#options = options;
    this.#port = port;
  }

  start() {
    this.#port.state({ state: 'connecting', transport: 'tab' });
    void this.#join();
  }

  stop() {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    this.#stream?.stop();
    this.#releaseLock();
    this.#channel?.close();
  }

  reconnectNow() {
    if (this.#stream) this.#stream.reconnectNow();
    else this.#broadcast({ kind: 'reconnect' });
  }

  /** Posts what happened to a message of the outbox. @param {Announcement} announcement */
  announce(announcement) {
    this.#broadcast({ kind: 'outbox', announcement });
  }

  async #join() {
    const name = await this.#groupName();
    if (this.#stopped) return;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = (e) => this.#onBroadcast(e.data);
    this.#follow(name);
  }

  get #stopped() {
    return this.#stopping.signal.aborted;
  }

  /** The name of channel and lock: equal in all tabs with the same token, which it does not reveal.
   * Programs that post something else have another name, so that none misreads what an older one has
   * written. */
  async #groupName() {
    const { url, ticket, upstream } = this.#options;
    const text = `${url.origin} ${ticket ? '' : await this.#port.token(false)}${upstream ? ` ${upstream}` : ''}`;
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
    return `perch-2-${Array.from(hash.slice(0, 16), (b) => b.toString(16).padStart(2, '0')).join('')}`;
  }

  /** Asks the leader for its state, and waits to be the next one. @param {string} name */
  #follow(name) {
    this.#broadcast({ kind: 'join' });
    this.#expectLeader(name);
    void this.#requestLock(name, false);
  }

  /** Waits for the lock and leads while it is held. @param {string} name @param {boolean} steal */
  async #requestLock(name, steal) {
    const options = steal ? { steal } : { signal: this.#stopping.signal };
    try {
      await navigator.locks.request(name, options, () => this.#lead());
    } catch {
      // Stopped, or the lock was stolen because this tab was suspended: then it follows.
      this.#stream?.stop();
      this.#stream = null;
      this.#joined = false;
      if (this.#stopped) return;
      this.#port.outbox.lead(false);
      this.#follow(name);
    }
  }

  /** A leader that posts nothing for long is suspended: its lock is taken away. @param {string} name */
  #expectLeader(name) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#requestLock(name, true), this.#options.silence ?? leaderSilence);
  }

  /** Opens the stream for all tabs. Resolves when the lock is to be released. @returns {Promise<void>} */
  #lead() {
    if (this.#stopped) return Promise.resolve();
    clearTimeout(this.#timer);
    this.#stream = new Stream(this.#options, { ...this.#port, frame: (f) => this.#onFrame(f), state: (s) => this.#onState(s) });
    this.#stream.start();
    this.#port.outbox.lead(true);
    return new Promise((done) => (this.#releaseLock = done));
  }

  /** @param {Frame} f */
  #onFrame(f) {
    this.#port.frame(f);
    this.#broadcast({ kind: 'frame', frame: f });
    if (f.type === 'live') this.#welcome('*'); // for tabs that joined before there was a state
  }

  /** @param {Partial<ConnectionState>} s */
  #onState(s) {
    this.#port.state(s);
    this.#broadcast({ kind: 'state', state: { ...s, transport: 'tab' } });
  }

  /** @param {string} to */
  #welcome(to) {
    this.#broadcast({ kind: 'welcome', to, saved: this.#port.save() });
  }

  /** @param {Post} post */
  #broadcast(post) {
    if (!this.#stopped) this.#channel?.postMessage({ ...post, from: this.#id });
  }

  /** @param {Post & { from: string }} post */
  #onBroadcast(post) {
    if (post.kind === 'outbox') this.#port.outbox.onAnnouncement(post.announcement);
    else if (this.#stream) this.#onFollower(this.#stream, post);
    else this.#onLeader(post);
  }

  /** To the leader. Frames of the leader before it come again by its own stream.
   * @param {Stream} stream @param {Post & { from: string }} post */
  #onFollower(stream, post) {
    if (post.kind === 'reconnect') stream.reconnectNow();
    if (post.kind !== 'join') return;
    this.#port.outbox.share();
    if (this.#port.cursor()) this.#welcome(post.from);
  }

  /** To a tab that follows. @param {Post & { from: string }} post */
  #onLeader(post) {
    this.#expectLeader(this.#channel?.name ?? '');
    if (post.kind === 'welcome' && !this.#joined && (post.to === this.#id || post.to === '*')) {
      this.#joined = true;
      this.#port.restore(post.saved);
      this.#port.outbox.identify(post.saved.session?.jid ?? '', true);
      this.#port.outbox.share();
      this.#port.state({ state: 'live', transport: 'tab' });
    }
    if (post.kind === 'frame' && this.#joined) this.#port.frame(post.frame);
    if (post.kind === 'state' && this.#joined) this.#port.state(post.state);
  }
}
