/** The command that does what a request would, if there is one. @param {string} method @param {URL} url @param {any} body
 * @returns {[type: string, data: any] | undefined} */
export function commandOf(method: string, url: URL, body: any): [type: string, data: any] | undefined;
/** The commands of one stream that wait for their answers. */
export class Commands {
    /** Sends a command. Rejects with PerchError, or with another error when there is no answer: it may be sent again.
     * @param {((text: string) => void) | null | undefined} write to the socket, if there is one
     * @param {string} type @param {any} data @param {AbortSignal} [signal] @returns {Promise<any>} */
    send(write: ((text: string) => void) | null | undefined, type: string, data: any, signal?: AbortSignal): Promise<any>;
    /** Reports whether a frame is the answer to a command. @param {any} f */
    take(f: any): boolean;
    /** The socket has closed: nothing will answer. */
    close(): void;
    #private;
}
/**
 * A command that was sent.
 */
export type Waiting = {
    resolve: (data: any) => void;
    reject: (reason: unknown) => void;
};
