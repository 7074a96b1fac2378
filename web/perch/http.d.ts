/** @import { Options } from '../types.d.ts' */
/** @typedef {{ method: string, path: string, body: unknown, status: number }} Call */
/** @typedef {{ body?: unknown, headers?: Record<string, string>, as?: 'json' | 'blob', signal?: AbortSignal }} RequestOptions */
/** Makes requests with the account's bearer token, which it keeps. */
export class HTTPClient {
    /** @param {Options} options @param {(call: Call) => void} onCall is given every call that was answered */
    constructor(options: Options, onCall: (call: Call) => void);
    /** Makes a request as a command of the socket, for a page that has no token.
     * @type {((type: string, data: unknown, signal?: AbortSignal) => Promise<any>) | null} */
    overSocket: ((type: string, data: unknown, signal?: AbortSignal) => Promise<any>) | null;
    /** The fetch of the options, or the platform's. @type {typeof fetch} */ fetch: typeof fetch;
    /** Makes a request; one whose token was refused is made again with a fresh token, if a
     * function supplies tokens. @param {string} method @param {URL} url @param {RequestOptions} o @returns {Promise<any>} */
    request(method: string, url: URL, o: RequestOptions): Promise<any>;
    /** Sends a file to the gateway; moved is called with the bytes so far. @param {URL} url
     * @param {{ file: Blob, signal: AbortSignal, moved: (bytes: number) => void }} job @returns {Promise<any>} */
    put(url: URL, { file, signal, moved }: {
        file: Blob;
        signal: AbortSignal;
        moved: (bytes: number) => void;
    }): Promise<any>;
    /** The token to send, "" for none. @param {boolean} refused whether the last one was refused */
    bearer(refused: boolean): Promise<string>;
    /** The upstream has another credential: it is the next bearer token, unless the gateway
     * issued a token of its own. @param {string | undefined} token */
    replaceToken(token: string | undefined): void;
    #private;
}
export type Call = {
    method: string;
    path: string;
    body: unknown;
    status: number;
};
export type RequestOptions = {
    body?: unknown;
    headers?: Record<string, string>;
    as?: "json" | "blob";
    signal?: AbortSignal;
};
import type { Options } from '../types.d.ts';
