/** What is sent, and who is told. @typedef {{ file: Blob, name: string, type: string, signal: AbortSignal, moved: (bytes: number) => void }} Job */
/** The uploads of one account. One file goes at a time, in the order of the calls: the gateway takes no
 * more of a session. */
export class Uploads {
    /** @param {Rest} rest @param {HTTPClient} http */
    constructor(rest: Rest, http: HTTPClient);
    /** @param {Blob} file @param {UploadOptions} o @returns {Promise<Attachment>} */
    upload(file: Blob, { name, type, signal, onProgress }: UploadOptions): Promise<Attachment>;
    #private;
}
/**
 * What is sent, and who is told.
 */
export type Job = {
    file: Blob;
    name: string;
    type: string;
    signal: AbortSignal;
    moved: (bytes: number) => void;
};
import type { UploadOptions } from '../types.d.ts';
import type { Attachment } from '../types.d.ts';
import type { Rest } from './rest.js';
import type { HTTPClient } from './http.js';
