/** @param {{ features: string[], session: SessionInfo | null }} store @param {Ability} what */
export function can({ features, session }: {
    features: string[];
    session: SessionInfo | null;
}, what: Ability): boolean;
/**
 * What a client may ask for.
 */
export type Ability = "conversations" | "edit" | "retract" | "react" | "reply" | "attach" | "upload" | "rooms" | "blocking" | "search" | "stanzas" | "push";
import type { SessionInfo } from '../types.d.ts';
