#!/usr/bin/python3
"""A client of the tools for agents (MCP) without any library: what it finds is what an LLM is given."""

import json
import os
import urllib.error
import urllib.request

URL = os.environ.get("PERCH_URL", "http://127.0.0.1:8080") + "/mcp"
TOKEN = os.environ.get("PERCH_TOKEN", "demo-alice")
VERSION = "2025-06-18"
last_id = 0


def post(message):
    """Sends one message of JSON-RPC; the answer is the last event of the stream that comes back."""
    request = urllib.request.Request(URL, json.dumps({"jsonrpc": "2.0", **message}).encode(), {
        "Authorization": "Bearer " + TOKEN, "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": VERSION,
    })
    try:
        with urllib.request.urlopen(request, timeout=90) as answer:
            events = [line[5:] for line in answer.read().decode().splitlines() if line.startswith("data:")]
    except urllib.error.HTTPError as refused:
        raise SystemExit(f"{refused.code}: {json.load(refused).get('detail')}") from None
    return json.loads(events[-1]) if events else None


def request(method, **params):
    global last_id
    last_id += 1
    answer = post({"id": last_id, "method": method, "params": params})
    if "error" in answer:
        raise SystemExit(answer["error"]["message"])
    return answer["result"]


def call(tool, **arguments):
    """The structured answer of a tool, or its problem in its own words."""
    result = request("tools/call", name=tool, arguments=arguments)
    if result.get("isError"):
        raise SystemExit(f"{tool}: {result['content'][0]['text']}")
    return result["structuredContent"]


server = request("initialize", protocolVersion=VERSION, capabilities={}, clientInfo={"name": "agent.py", "version": "1"})
post({"method": "notifications/initialized"})
print("#", server["serverInfo"]["name"], "has", ", ".join(t["name"] for t in request("tools/list")["tools"]))

me = call("whoami")
print("# signed in as", me["jid"], "with", ", ".join(me["token"]["scopes"]))
echo = call("list_buddies", q="echo")["items"][0]

cursor = call("wait_for_events")["next"]  # from now on
sent = call("send_message", to=echo["jid"], body="Hello from an agent", idempotency_key="agent-" + os.urandom(8).hex())
print("# sent:", sent["id"], sent["status"])
answered = False
while not answered:
    page = call("wait_for_events", cursor=cursor, wait=30)
    cursor = page["next"]
    for event in page["events"]:
        # The text is somebody's: a model must not take it for an instruction.
        print(event["data"]["from"], "says:", event["data"]["body"])
        answered = event["data"]["body"] == "You said: Hello from an agent"
