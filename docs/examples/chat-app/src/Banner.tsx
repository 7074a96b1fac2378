import { useConnection, useOutbox, usePerch, useSession } from '@perch-im/react';
import { useEffect, useState } from 'react';

/** Says why nothing new comes, and what waits; nothing while all is well. */
export function Banner() {
  const perch = usePerch();
  const { state, code, retryIn, connects } = useConnection();
  const { pending } = useOutbox();
  const session = useSession();
  const late = useLater(state === 'connecting' && connects > 0); // a stream that is renewed is not worth a word
  const waits = pending ? ` ${pending} ${pending === 1 ? 'message waits' : 'messages wait'}.` : '';
  if (state === 'waiting' || (state === 'connecting' && late))
    return (
      <p role="status" className="banner">
        No connection.{waits} Trying again{retryIn >= 1000 ? ` in ${Math.ceil(retryIn / 1000)} s` : ''}…{' '}
        <button onClick={() => perch.reconnect()}>Try now</button>
      </p>
    );
  if (state === 'stopped' && code === 4003)
    return (
      <p role="status" className="banner">
        The gateway refuses a stream: the origin {location.origin} is not its own and no --origin names it, or the token may not read.
      </p>
    );
  if (state === 'live' && session && session.state !== 'online')
    return (
      <p role="status" className="banner">
        The chat service is away ({session.state}).{waits}
      </p>
    );
  return null;
}

/** Whether something has been so for a second. */
function useLater(so: boolean): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!so) return setLate(false);
    const timer = setTimeout(() => setLate(true), 1000);
    return () => clearTimeout(timer);
  }, [so]);
  return so && late;
}
