/** The block list of the account. */
export class Blocked {
    /** @param {() => void} changed */
    constructor(changed: () => void);
    /** @type {BlockedAddresses | null} */ view: BlockedAddresses | null;
    /** The list is about to be asked for, which is done once at a time. */
    begin(): void;
    /** Takes the answer. Reports false when it is to be asked for again, as changes were missed meanwhile.
     * @param {BlockList} list */
    replace({ items, complete }: BlockList): boolean;
    /** @param {Events['blocked.changed']} d */
    apply(d: Events["blocked.changed"]): void;
    /** Changes may have been missed: the list is to be read again, and so is one that is on its way. */
    missed(): void;
    /** The entry by which an address is blocked. @param {JID} address */
    by(address: JID): string | undefined;
    /** What a saved state has of it. @param {BlockedAddresses | null} view */
    load(view: BlockedAddresses | null): void;
    #private;
}
import type { BlockedAddresses } from '../types.d.ts';
import type { BlockList } from '../types.d.ts';
import type { Events } from '../types.d.ts';
import type { JID } from '../types.d.ts';
