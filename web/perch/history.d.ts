/** Reads pages of the archive into the store. */
export class History {
    /** @param {import('./store.js').Store} store @param {import('./outbox.js').Outbox} outbox
     * @param {(query: { with: JID, limit: number, before?: string }) => Promise<ArchivePage>} getArchive
     * @param {() => boolean} ended reports whether nothing more is to be read by itself */
    constructor(store: import("./store.js").Store, outbox: import("./outbox.js").Outbox, getArchive: (query: {
        with: JID;
        limit: number;
        before?: string;
    }) => Promise<ArchivePage>, ended: () => boolean);
    /** Reads the next older page. Resolves with how many messages were new. @param {JID} jid @param {number} limit */
    loadOlder(jid: JID, limit: number): Promise<number>;
    /** Fills the hole of one conversation; resolves with whether there is none any more. @param {JID} jid */
    fillOf(jid: JID): Promise<boolean>;
    /** Fills the holes of all conversations; one that cannot be filled stays marked. */
    fill(): Promise<void>;
    #private;
}
import type { JID } from '../types.d.ts';
import type { ArchivePage } from '../types.d.ts';
