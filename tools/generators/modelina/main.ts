// A program on the types that modelina makes of the frames: it reads them as lines.
import { token, url } from '../environment.js';
import type { Buddy } from './client/Buddy.js';
import type { HelloEvent } from './client/HelloEvent.js';
import type { MessageReceivedEvent } from './client/MessageReceivedEvent.js';
import type { MessageRequest } from './client/MessageRequest.js';
import type { RosterItemEvent } from './client/RosterItemEvent.js';
import type { RosterSnapshotEvent } from './client/RosterSnapshotEvent.js';

type Frame = HelloEvent | RosterSnapshotEvent | RosterItemEvent | MessageReceivedEvent;

const headers = { Authorization: `Bearer ${token}` };

async function* frames(): AsyncGenerator<Frame> {
  const answer = await fetch(`${url}/v1/events`, { headers: { ...headers, Accept: 'application/x-ndjson' } });
  const decoder = new TextDecoder();
  let rest = '';
  const reader = answer.body!.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const lines = (rest + decoder.decode(read.value, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield JSON.parse(line) as Frame;
    }
  } finally {
    await reader.cancel(); // whoever has seen enough ends the stream
  }
}

async function send(message: MessageRequest): Promise<void> {
  const body = JSON.stringify(message);
  const answer = await fetch(`${url}/v1/messages`, { method: 'POST', headers: { ...headers, 'Content-Type': 'application/json' }, body });
  if (!answer.ok) throw new Error(await answer.text());
}

for await (const frame of frames()) {
  if (frame.type === 'hello') {
    console.log('state', frame.data.session.state);
  } else if (frame.type === 'roster.snapshot') {
    const buddies: Buddy[] = frame.data.items;
    console.log('buddies', buddies.map((b) => b.name).sort().join(' '));
    await send({ to: buddies.find((b) => b.name === 'Echo')?.jid ?? '', body: 'hello' });
  } else if (frame.type === 'message.received') {
    console.log('received', frame.data.body);
    break;
  }
}
