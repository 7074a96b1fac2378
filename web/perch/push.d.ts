/** The push messages of one account. */
export class Push {
    /** @param {Rest} rest */
    constructor(rest: Rest);
    /** @param {PushOptions} o @returns {Promise<Subscription>} */
    begin(o: PushOptions): Promise<Subscription>;
    /** @param {PushOptions} o */
    end(o: PushOptions): Promise<void>;
    /** @param {PushOptions} o @returns {Promise<PushState>} */
    state(o: PushOptions): Promise<PushState>;
    #private;
}
import type { PushOptions } from '../types.d.ts';
import type { PushSubscription as Subscription } from '../types.d.ts';
import type { PushState } from '../types.d.ts';
import type { Rest } from './rest.js';
