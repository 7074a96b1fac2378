#!/usr/bin/python3
"""The event socket with websockets: reconnect with full jitter, resume by cursor, obey
the ranges of the close codes. It sends one message and ends with its answer."""

import asyncio
import json
import os
import random
import urllib.parse

import websockets

URL = os.environ.get("PERCH_URL", "http://127.0.0.1:8080").replace("http", "ws", 1)
TOKEN = os.environ.get("PERCH_TOKEN", "demo-alice")


async def frames(since=""):
    """Every frame, over as many connections as it takes. A frame may be answered by
    socket.send, so the socket comes with it."""
    failures = 0
    while True:
        query = "?" + urllib.parse.urlencode({"since": since}) if since else ""
        try:
            async with websockets.connect(
                URL + "/v1/events/ws" + query,
                subprotocols=["perch.v1"],
                extra_headers={"Authorization": "Bearer " + TOKEN},
            ) as socket:
                async for text in socket:
                    frame = json.loads(text)
                    yield socket, frame
                    # A cursor is one only when its frame was dealt with.
                    since = frame.get("id") or frame.get("data", {}).get("tip", since) if frame["type"] != "hello" else since
                    failures = 0
            code = socket.close_code
        except websockets.ConnectionClosed as closed:
            code = closed.code
        except OSError:
            code = 1006
        if 4000 <= code <= 4099:
            raise SystemExit(f"the gateway says stop: {code}")
        failures += 1
        await asyncio.sleep(random.random() * min(30, 0.5 * 2**failures))


async def main():
    async for socket, frame in frames():
        print(frame["type"], frame.get("id", ""))
        if frame["type"] == "roster.snapshot":
            echo = next(b["jid"] for b in frame["data"]["items"] if b["name"] == "Echo")
        if frame["type"] == "live":
            command = {"id": f"hello-{os.getpid()}", "type": "message.send", "data": {"to": echo, "body": "Hello from websockets"}}
            await socket.send(json.dumps(command))
        if frame["type"] == "message.received" and frame["data"]["body"] == "You said: Hello from websockets":
            print(frame["data"]["body"])
            return


asyncio.run(main())
