// Verifies requests with the library of Standard Webhooks: a line of JSON for each comes in, and one goes out,
// with what was signed or why it is refused. MODULES is a folder of packages.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const { Webhook } = createRequire(`${process.env.MODULES}/`)('standardwebhooks');

for await (const line of createInterface({ input: process.stdin })) {
  const { secret, headers, body } = JSON.parse(line);
  let answer;
  try {
    answer = { payload: new Webhook(secret).verify(body, headers) };
  } catch (err) {
    answer = { error: err.message };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
