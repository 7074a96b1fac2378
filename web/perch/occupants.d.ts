/** Occupants by the rooms that were asked for. */
export class Occupants {
    /** @param {(jid: JID) => void} changed */
    constructor(changed: (jid: JID) => void);
    /** @type {JIDMap<Known>} */ map: JIDMap<Known>;
    /** The first page is asked for: what comes from now on may be newer than it. @param {JID} jid */
    begin(jid: JID): void;
    /** A page that follows those that are here, or the first one. @param {JID} jid @param {OccupantPage} page @param {boolean} first */
    add(jid: JID, page: OccupantPage, first: boolean): void;
    /** @param {Events['room.occupant']} d @param {Time} time */
    apply({ jid, change, occupant, previous_nick: previous }: Events["room.occupant"], time: Time): void;
    /** @param {Events['room.affiliation']} d */
    affiliation({ jid, nick, affiliation }: Events["room.affiliation"]): void;
    /** The account is not in the room any more. @param {JID} jid */
    forget(jid: JID): void;
    /** Events may have been missed: what is here is to be read again. */
    missed(): void;
    #private;
}
/**
 * What the last event said of one who may be in the room; null: has left.
 */
export type Said = {
    at: number;
    is: Occupant | null;
};
import { JIDMap } from './jids.js';
import type { Occupants as Known } from '../types.d.ts';
import type { JID } from '../types.d.ts';
import type { OccupantPage } from '../types.d.ts';
import type { Events } from '../types.d.ts';
import type { Time } from '../types.d.ts';
import type { Occupant } from '../types.d.ts';
