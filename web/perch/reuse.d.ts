/** The next value with every part of the old one that is equal. Only plain objects and lists are looked into; what
 * has another place in a list stays what it is. @template T @param {any} old @param {T} next @returns {T} */
export function reuse<T>(old: any, next: T): T;
/** The next list with the objects of the old one that are equal, found by their keys; the old list when it has nothing new.
 * @template {{ key: string }} T @param {T[]} old @param {T[]} next @returns {T[]} */
export function reuseByKey<T extends {
    key: string;
}>(old: T[], next: T[]): T[];
export function keep<T>(old: T, next: T): T;
