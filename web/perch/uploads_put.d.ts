/** Sends a file. Rejects with the reason of the signal; with a TypeError when there was no answer, as fetch
 * does; and with upstream-timeout when nothing moves any more.
 * @param {typeof fetch} fetch @param {FilePut} put @returns {Promise<Response>} */
export function putFile(fetch: typeof globalThis.fetch, put: FilePut): Promise<Response>;
/**
 * moved is called with the bytes so far
 */
export type FilePut = {
    url: string | URL;
    headers: Record<string, string>;
    file: Blob;
    signal: AbortSignal;
    moved: (bytes: number) => void;
};
