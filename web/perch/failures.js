// What the failure of a request means for the message in it.

/** refused: for good. unauthorized: until there is another credential. doubtful: temporary,
 * unless it is always this message. temporary: the gateway does not answer, or asks to wait.
 * @typedef {'refused' | 'unauthorized' | 'doubtful' | 'temporary'} Failure */

/** @param {any} cause a PerchError, or fetch's own error @returns {Failure} */
export function classify(cause) {
  const status = cause?.status;
  if (typeof status !== 'number' || status === 0) return 'temporary'; // no answer
  if (status === 401) return 'unauthorized';
  if ([408, 425, 429, 503, 504].includes(status)) return 'temporary';
  if (status === 502 && cause.code === 'http') return 'temporary'; // the page of a proxy: the gateway is away
  if (status === 409 || status === 500 || status === 502) return 'doubtful';
  return 'refused';
}

/** @param {unknown} cause */
export const textOf = (cause) => (cause instanceof Error ? cause.message : String(cause));
