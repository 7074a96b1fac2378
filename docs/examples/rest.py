#!/usr/bin/python3
"""REST with requests, and events by long poll: a cursor that survives anything."""

import os
import urllib.parse

import requests

URL = os.environ.get("PERCH_URL", "http://127.0.0.1:8080")

perch = requests.Session()
perch.headers["Authorization"] = "Bearer " + os.environ.get("PERCH_TOKEN", "demo-alice")


def call(method, path, **arguments):
    """Answers with the JSON, or raises with the problem's own words (RFC 9457)."""
    answer = perch.request(method, URL + path, timeout=90, **arguments)
    if not answer.ok:
        raise RuntimeError(f"{answer.status_code}: {answer.json()['detail']}")
    return answer.json()


def events(since=None):
    """Every event, and the cursor after it. Keep the cursor where your work is kept."""
    while True:
        page = call("GET", "/v1/events", params={"since": since, "wait": 30})
        since = page["next"]
        if page["reset"]:
            print("# a fresh start:", page["reset"]["reason"])
        for event in page["events"]:
            yield event


for buddy in call("GET", "/v1/buddies", params={"include": "presence"})["items"]:
    state = "here" if buddy["presence"]["available"] else "away"
    print(f"{buddy['name']:12} {state:5} {buddy['presence']['status']}")

stream = events(call("GET", "/v1/events")["next"])
echo = call("GET", "/v1/buddies", params={"q": "echo"})["items"][0]["jid"]
sent = call("POST", "/v1/messages", json={"to": echo, "body": "Hello from requests"})
print("# sent:", sent["id"], sent["status"])
for event in stream:
    if event["type"] == "message.received":
        print(event["data"]["body"])
        if event["data"]["body"] == "You said: Hello from requests":
            break

# The list of conversations; what was read is read on every device.
path = "/v1/conversations/" + urllib.parse.quote(echo, safe="")
call("PUT", path + "/read", json={"ref": event["data"]["ref"]})
for chat in call("GET", "/v1/conversations", params={"limit": 3})["items"]:
    last = chat["last_message"] or {"body": ""}  # one that has a draft alone has none
    print(f"{chat['name'] or chat['jid']:12} {chat['unread']} unread: {last['body']}")
