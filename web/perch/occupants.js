// Who is in a room, as far as it was asked for: pages that are read, and what events change of them.
// Whichever comes first, the later word about an occupant counts.

import { JIDMap } from './jids.js';

/** @import { Events, JID, Occupant, OccupantPage, Occupants as Known, Time } from '../types.d.ts' */
/** What the last event said of one who may be in the room; null: has left. @typedef {{ at: number, is: Occupant | null }} Said */

/** Most occupants of one room that are kept: who wants to see all of more asks for pages. */
const mostKept = 2000;

/** Occupants by the rooms that were asked for. */
export class Occupants {
  /** @type {JIDMap<Known>} */ map = new JIDMap();
  #changed;
  /** What events have said since the first page was asked for. @type {Map<JID, Map<string, Said>>} */ #said = new JIDMap();

  /** @param {(jid: JID) => void} changed */
  constructor(changed) {
    this.#changed = changed;
  }

  /** The first page is asked for: what comes from now on may be newer than it. @param {JID} jid */
  begin(jid) {
    this.#said.set(jid, new Map());
  }

  /** A page that follows those that are here, or the first one. @param {JID} jid @param {OccupantPage} page @param {boolean} first */
  add(jid, page, first) {
    const said = this.#said.get(jid);
    if (!said) return; // the room was left meanwhile
    const asOf = Date.parse(page.as_of);
    const newer = (/** @type {string} */ nick) => (said.get(nick)?.at ?? -Infinity) >= asOf;
    /** @type {Map<string, Occupant>} */ const all = new Map(first ? [] : this.map.get(jid)?.items.map((o) => [o.nick, o]));
    for (const o of page.items) if (!newer(o.nick)) all.set(o.nick, o);
    for (const [nick, { at, is }] of said) if (first && at >= asOf && is) all.set(nick, is);
    const items = sorted(all).slice(0, mostKept);
    this.#set(jid, { items, next: all.size > mostKept ? null : page.next, cut: all.size > mostKept, stale: false });
  }

  /** @param {Events['room.occupant']} d @param {Time} time */
  apply({ jid, change, occupant, previous_nick: previous }, time) {
    const said = this.#said.get(jid);
    if (!said) return; // nobody has asked
    const at = Date.parse(time);
    const gone = change === 'left' ? occupant.nick : change === 'renamed' ? previous : undefined;
    if (gone) said.set(gone, { at, is: null });
    if (change !== 'left') said.set(occupant.nick, { at, is: occupant });
    for (const nick of [...said.keys()].slice(0, -mostKept)) said.delete(nick);
    this.#edit(jid, (all) => {
      if (gone) all.delete(gone);
      if (change !== 'left') all.set(occupant.nick, occupant);
    });
  }

  /** @param {Events['room.affiliation']} d */
  affiliation({ jid, nick, affiliation }) {
    const known = nick && this.map.get(jid)?.items.find((o) => o.nick === nick);
    if (known) this.#edit(jid, (all) => void all.set(known.nick, { ...known, affiliation }));
  }

  /** @param {JID} jid @param {(all: Map<string, Occupant>) => void} f */
  #edit(jid, f) {
    const known = this.map.get(jid);
    if (!known) return; // the page is on its way
    const all = new Map(known.items.map((o) => [o.nick, o]));
    f(all);
    this.#set(jid, { ...known, items: sorted(all).slice(0, mostKept), cut: known.cut || all.size > mostKept });
  }

  /** @param {JID} jid @param {Known} known */
  #set(jid, known) {
    this.map.set(jid, known);
    this.#changed(jid);
  }

  /** The account is not in the room any more. @param {JID} jid */
  forget(jid) {
    this.#said.delete(jid);
    if (this.map.delete(jid)) this.#changed(jid);
  }

  /** Events may have been missed: what is here is to be read again. */
  missed() {
    for (const [jid, known] of this.map) if (!known.stale) this.#set(jid, { ...known, stale: true });
  }
}

/** @param {Map<string, Occupant>} all */
const sorted = (all) => [...all.values()].sort((a, b) => (a.nick < b.nick ? -1 : 1));
