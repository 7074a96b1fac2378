/** refused: for good. unauthorized: until there is another credential. doubtful: temporary,
 * unless it is always this message. temporary: the gateway does not answer, or asks to wait.
 * @typedef {'refused' | 'unauthorized' | 'doubtful' | 'temporary'} Failure */
/** @param {any} cause a PerchError, or fetch's own error @returns {Failure} */
export function classify(cause: any): Failure;
export function textOf(cause: unknown): string;
/**
 * refused: for good. unauthorized: until there is another credential. doubtful: temporary,
 * unless it is always this message. temporary: the gateway does not answer, or asks to wait.
 */
export type Failure = "refused" | "unauthorized" | "doubtful" | "temporary";
