#!/usr/bin/python3
"""Receives a webhook of Perch, with nothing but Python's own library."""

import base64
import hashlib
import hmac
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# While a secret is rotated there are two: the new one, a blank, and the old one.
SECRETS = [base64.b64decode(s.removeprefix("whsec_")) for s in os.environ["WEBHOOK_SECRET"].split()]
STATE = os.environ.get("WEBHOOK_STATE", "webhook-calls.txt")  # ids of calls that were worked on
TOLERANCE = 5 * 60  # seconds between this clock and the gateway's
MOST = 16 << 20  # bytes of a body


def verified(headers, body):
    """Whether a secret of the webhook has signed this call, not long ago (standardwebhooks.com)."""
    call, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not at.isdecimal() or abs(time.time() - int(at)) > TOLERANCE:
        return False
    signed = f"{call}.{at}.".encode() + body
    given = headers.get("webhook-signature", "").encode().split()
    for secret in SECRETS:
        mine = b"v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256))
        if any(hmac.compare_digest(mine, g) for g in given):
            return True
    return False


def work(data):
    """What your program does. When it raises, the call is repeated."""
    if data["reset"]:
        print("# events are missing, read what you need by the API:", data["reset"])
    for event in data["events"]:
        if event["type"] == "message.received":
            print(f"{event['data']['from']}: {event['data']['body']}", flush=True)


class Calls:
    """The ids of calls that were worked on, on disk: the last ones are enough, as calls come in order."""

    def __init__(self):
        self.lock = threading.Lock()
        self.ids = open(STATE).read().split()[-1000:] if os.path.exists(STATE) else []

    def take(self, call, body):
        with self.lock:  # one after the other, as they come
            if call in self.ids:
                return  # a repeat: its first answer was lost
            payload = json.loads(body)
            if payload["type"] == "events":
                work(payload["data"])
            self.ids = self.ids[-999:] + [call]
            # Best in the same transaction as the work: between the two a crash has it done twice.
            with open(STATE + ".new", "w") as f:
                f.write("\n".join(self.ids))
            os.replace(STATE + ".new", STATE)


calls = Calls()


class Receiver(BaseHTTPRequestHandler):
    timeout = 10  # seconds for a call to come in

    def do_POST(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length) if length <= MOST else b""
        if not verified(self.headers, body):
            return self.send_error(401)
        try:
            calls.take(self.headers["webhook-id"], body)
        except Exception as err:  # anything but 2xx: Perch tries again, later and later
            print("# not done:", err, flush=True)
            return self.send_error(500)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8000"))), Receiver)
print(f"# waiting for calls on {server.server_address}", flush=True)
server.serve_forever()
