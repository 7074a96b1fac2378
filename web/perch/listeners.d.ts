/** Functions to call by the type of an event. */
export class Listeners {
    /** Returns the function that removes f again. @param {string} type @param {(value: any) => void} f */
    add(type: string, f: (value: any) => void): () => undefined;
    /** @param {string} type */
    has(type: string): boolean;
    /** @param {string} type @param {unknown} value */
    emit(type: string, value: unknown): void;
    #private;
}
