// An MCP client by the TypeScript SDK: lists the tools, reads, sends, waits with progress, cancels, and is refused.
// The last line is what it has seen, in JSON.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const { MCP_URL, PERCH_TOKEN, TO } = process.env;
const client = new Client({ name: "another", version: "1" });
await client.connect(
  new StreamableHTTPClientTransport(new URL(MCP_URL), {
    requestInit: { headers: { Authorization: "Bearer " + PERCH_TOKEN } },
  }),
);

async function call(name, args, options) {
  const result = await client.callTool({ name, arguments: args }, undefined, options);
  return result.isError ? JSON.parse(result.content[0].text) : result.structuredContent;
}

const seen = { server: client.getServerVersion().name, tools: [] };
seen.tools = (await client.listTools()).tools.map((tool) => tool.name).sort();
seen.me = (await call("whoami", {})).jid;
seen.refused = (await call("set_presence", { show: "away" })).code;
const cursor = (await call("wait_for_events", {})).next;
seen.sent = (await call("send_message", { to: TO, body: "from another client", idempotency_key: "once" })).status;
await call("send_message", { to: TO, body: "from another client", idempotency_key: "once" });
seen.progress = 0;
const waited = await call(
  "wait_for_events",
  { cursor, wait: 60 },
  // Six seconds without a word and it would give up.
  { onprogress: () => console.log("progress", ++seen.progress), timeout: 6000, resetTimeoutOnProgress: true },
);
seen.events = waited.events.map((event) => event.data.body);
seen.read = (await call("read_conversation", { jid: TO })).items.map((message) => message.body);

const giveUp = new AbortController();
setTimeout(() => giveUp.abort("enough"), 200);
seen.cancelled = await call("wait_for_events", { cursor: waited.next, wait: 60 }, { signal: giveUp.signal }).then(
  () => "no",
  (error) => String(error).includes("enough"),
);
await client.close();
console.log(JSON.stringify(seen));
