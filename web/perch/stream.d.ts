/** Keeps one event stream open: one attempt after the other, until stop. */
export class Stream {
    /** @param {StreamOptions} options @param {Port} port */
    constructor(options: StreamOptions, port: Port);
    start(): void;
    stop(): void;
    /** Ends the wait between two attempts; connects again after an ending that stopped the stream. */
    reconnectNow(): void;
    /** Sends a command over the socket; see Commands. @param {string} type @param {unknown} data @param {AbortSignal} [signal] */
    command(type: string, data: unknown, signal?: AbortSignal): Promise<any>;
    #private;
}
export type StreamOptions = Options & {
    url: URL;
    fetch: typeof fetch;
};
export type Transport = "ws" | "sse";
/**
 * What a source of frames needs of its client.
 */
export type Port = {
    token: (refused: boolean) => Promise<string>;
    ticket: () => Promise<string>;
    cursor: () => string;
    frame: (f: Frame) => void;
    state: (s: Partial<ConnectionState>) => void;
    save: () => SavedState;
    restore: (s: SavedState) => void;
    outbox: import("./outbox.js").Outbox;
};
import type { Options } from '../types.d.ts';
import type { Frame } from '../types.d.ts';
import type { ConnectionState } from '../types.d.ts';
import type { SavedState } from '../types.d.ts';
