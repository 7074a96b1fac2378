/** The state of one connection from its handshake to its end. It is over when the transport
 * ends, when abort is called, or when nothing has arrived for too long. */
export class Attempt {
    /** @param {(f: Frame) => void} onFrame
     * @param {number} [silence] silence that ends the connection after hello, in milliseconds; 2 heartbeats + 5 s if not given */
    constructor(onFrame: (f: Frame) => void, silence?: number);
    /** Whether hello has arrived. */
    greeted: boolean;
    /** Aborted when the transport has to end. */
    get signal(): AbortSignal;
    /** Whether the connection has lasted, so that the next one is no repeated failure. */
    get stable(): boolean;
    abort(): void;
    /** Runs a transport to its end. Never rejects. @param {() => Promise<Ending>} transport @returns {Promise<Ending>} */
    run(transport: () => Promise<Ending>): Promise<Ending>;
    /** Bytes have arrived: the silence begins again. */
    heard(): void;
    /** A frame has arrived. @param {Frame} f */
    frame(f: Frame): void;
    #private;
}
/**
 * Why a connection ended, as a close code (docs/events.md). retryAfter is in milliseconds.
 */
export type Ending = {
    code: number;
    reason: string;
    retryAfter?: number;
};
import type { Frame } from '../types.d.ts';
