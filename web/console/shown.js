// Which messages of a conversation have elements: as many as are looked at, and some before and after. The
// others are in the store.

/** How many come and go at once: in the time of a frame, and where more are needed. */
const few = 6;
const many = 30;
/** How many there are at most: more than fill the window, and what is made beyond both of its ends. */
const most = () => (innerHeight > 1500 ? 150 : 60);

/** @typedef {{ key: string }} Keyed */

/** @param {readonly Keyed[]} all @param {string} key "" is that of none */
const indexOf = (all, key) => (key ? all.findIndex((m) => m.key === key) : -1);

export class Shown {
  /** The first one; "", or one that is not there: as many as come at once. */ #first = '';
  /** The last one; "", or one that is not there: whatever is the newest. */ #last = '';

  /** Back to the newest messages. */
  reset() {
    this.#first = this.#last = '';
  }

  /** Whether new messages are shown as they come. @param {readonly Keyed[]} all */
  follows(all) {
    return indexOf(all, this.#last) < 0;
  }

  /** From where to where, the end excluded. @param {readonly Keyed[]} all */
  range(all) {
    const to = indexOf(all, this.#last) + 1 || all.length;
    const first = indexOf(all, this.#first);
    const from = first < 0 || first >= to ? to - many : first;
    return { from: Math.max(0, from, to - most()), to };
  }

  /** @param {readonly Keyed[]} all @param {number} from @param {number} to */
  #set(all, from, to) {
    this.#first = all[from]?.key ?? '';
    this.#last = to >= all.length ? '' : (all[to - 1]?.key ?? '');
  }

  /** Shows older ones. Reports whether there were any. @param {readonly Keyed[]} all @param {boolean} hurry */
  older(all, hurry) {
    const { from, to } = this.range(all);
    if (from === 0) return false;
    const next = Math.max(0, from - (hurry ? many : few));
    this.#set(all, next, Math.min(to, next + most()));
    return true;
  }

  /** Shows newer ones. Reports whether there were any. @param {readonly Keyed[]} all @param {boolean} hurry */
  newer(all, hurry) {
    const { from, to } = this.range(all);
    if (to >= all.length) return false;
    const next = Math.min(all.length, to + (hurry ? many : few));
    this.#set(all, Math.max(from, next - most()), next);
    return true;
  }

  /** Shows one message with its neighbours, unless it is shown. @param {readonly Keyed[]} all @param {string} key */
  around(all, key) {
    const at = indexOf(all, key);
    const { from, to } = this.range(all);
    if (at < 0 || (at >= from && at < to)) return;
    const first = Math.max(0, at - many);
    this.#set(all, first, Math.min(all.length, first + 2 * many));
  }
}
