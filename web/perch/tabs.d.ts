/** Tabs that share one stream. The one that holds the lock leads: it has the stream, posts
 * every frame to the others, and sends what any of them has written. When it closes, the next
 * one resumes from its own cursor and sends what is left. */
export class Tabs {
    /** Reports whether the platform has what sharing needs; some of it only in secure contexts. */
    static possible(): boolean;
    /** @param {StreamOptions} options @param {Port} port */
    constructor(options: StreamOptions, port: Port);
    start(): void;
    stop(): void;
    reconnectNow(): void;
    /** Posts what happened to a message of the outbox. @param {Announcement} announcement */
    announce(announcement: Announcement): void;
    #private;
}
/**
 * What one tab posts to the others. join: it has no state yet. welcome: the state of the
 * leader, for one tab or for all ("*"). reconnect: the leader shall not wait any longer.
 */
export type Post = {
    kind: "join" | "reconnect";
} | {
    kind: "welcome";
    to: string;
    saved: SavedState;
} | {
    kind: "frame";
    frame: Frame;
} | {
    kind: "state";
    state: Partial<ConnectionState>;
} | {
    kind: "outbox";
    announcement: Announcement;
};
import type { Announcement } from './outbox.js';
import type { StreamOptions } from './stream.js';
import type { Port } from './stream.js';
import type { SavedState } from '../types.d.ts';
import type { Frame } from '../types.d.ts';
import type { ConnectionState } from '../types.d.ts';
