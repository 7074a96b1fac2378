/** Functions to call by the type of an event. */
export class Listeners {
  /** @type {Map<string, Set<(value: any) => void>>} */ #byType = new Map();

  /** Returns the function that removes f again. @param {string} type @param {(value: any) => void} f */
  add(type, f) {
    const set = this.#byType.get(type) ?? new Set();
    this.#byType.set(type, set.add(f));
    return () => void set.delete(f);
  }

  /** @param {string} type */
  has(type) {
    return Boolean(this.#byType.get(type)?.size);
  }

  /** @param {string} type @param {unknown} value */
  emit(type, value) {
    for (const f of this.#byType.get(type) ?? []) f(value);
  }
}
