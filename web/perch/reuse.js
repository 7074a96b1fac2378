// What has not changed stays the same object, so that === tells what to draw again.

/** The next value with every part of the old one that is equal. Only plain objects and lists are looked into; what
 * has another place in a list stays what it is. @template T @param {any} old @param {T} next @returns {T} */
export function reuse(old, next) {
  if (old === next || !isPlain(old) || !isPlain(next) || Array.isArray(old) !== Array.isArray(next)) return next;
  /** @type {any} */ const merged = Array.isArray(next) ? [...next] : { ...next };
  const moved = new Set(Array.isArray(old) ? old : []);
  const keys = Object.keys(merged);
  for (const key of keys) if (!moved.has(merged[key])) merged[key] = reuse(old[key], merged[key]);
  const same = keys.length === Object.keys(old).length && keys.every((k) => k in old && merged[k] === old[k]);
  return same ? old : merged;
}

/** The old value if the next one is equal, else the next one. @template T @param {T} old @param {T} next @returns {T} */
export const keep = (old, next) => (reuse(old, next) === old ? old : next);

/** Reports whether all of a value is in its fields: a list, or an object without a class; what a map or a date has is
 * elsewhere. @param {any} value */
function isPlain(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return Array.isArray(value);
  const type = Object.getPrototypeOf(value);
  return type === null || Object.getPrototypeOf(type) === null; // that of another window, too
}

/** The next list with the objects of the old one that are equal, found by their keys; the old list when it has nothing new.
 * @template {{ key: string }} T @param {T[]} old @param {T[]} next @returns {T[]} */
export function reuseByKey(old, next) {
  let same = 0; // most lists change at their end
  while (same < next.length && next[same] === old[same]) same++;
  if (same === next.length && same === old.length) return old;
  const known = new Map(old.slice(same).map((x) => [x.key, x]));
  const merged = next.map((x, i) => (i < same ? x : /** @type {T} */ (keep(known.get(x.key), x))));
  return merged.length === old.length && merged.every((x, i) => x === old[i]) ? old : merged;
}
