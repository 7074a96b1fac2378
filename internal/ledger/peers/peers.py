"""Foreign XMPP clients for the ledger: several accounts in one process, on slixmpp.

The first line on stdin says where and who: {"host", "port", "ca", "people": [{"name",
"jid", "password"}]}. Each further line is a command; what happens is one line each on
stdout. The end of stdin ends the program. peers.mjs speaks the same lines.
"""
import asyncio
import collections
import json
import logging
import sys

import slixmpp

REPLACE = "{urn:xmpp:message-correct:0}replace"
RETRACT = "{urn:xmpp:message-retract:1}retract"
APPLY_TO = "{urn:xmpp:fasten:0}apply-to"  # around a retraction in its older form
REACTIONS = "{urn:xmpp:reactions:0}reactions"
MUC = "http://jabber.org/protocol/muc"
RETRY = 1.0  # seconds until a lost connection, or a room, is tried again


def emit(**line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def relation(m):
    """What a message says of another one; None: nothing."""
    for name, kind in ((REPLACE, "edit"), (RETRACT, "retract"), (APPLY_TO, "retract"), (REACTIONS, "react")):
        x = m.xml.find(name)
        if x is not None:
            emojis = [r.text for r in x] if kind == "react" else []
            return {"kind": kind, "target": x.get("id"), "emojis": emojis, "body": m["body"] if kind == "edit" else ""}
    return None


def room_id(m):
    """The id that its room gave a message."""
    for x in m.xml.findall("{urn:xmpp:sid:0}stanza-id"):
        if x.get("by") == m["from"].bare:
            return x.get("id")
    return ""


class Person(slixmpp.ClientXMPP):
    """An account that stays online and in its rooms, and queues what it has to send until it is.

    One that is a device has no presence but in rooms: chats go to the other device of its account. One
    that is a witness tells what it hears in rooms, and who leaves them.
    """

    def __init__(self, o, p):
        super().__init__(p["jid"], p["password"])
        self.who, self.where, self.ready, self.ending = p["name"], (o["host"], o["port"]), False, False
        self.ca_certs = o["ca"]
        self.device, self.witness = p.get("device", False), p.get("witness", False)
        self.rooms, self.inside = {}, set()  # JIDs with nicks, and those that it is in
        self.waiting = collections.deque()
        self.open = collections.OrderedDict()  # ids that are not acknowledged yet
        for plugin in ("xep_0030", "xep_0184", "xep_0198", "xep_0199", "xep_0203", "xep_0308", "xep_0424", "xep_0444"):
            self.register_plugin(plugin)
        # Each stream is a new one: what an old one had not acknowledged is unsure, and said so.
        self["xep_0198"].allow_resume = False
        self["xep_0184"].auto_request = False
        handlers = {
            "session_start": lambda _: self.device or self.send_presence(),
            "sm_enabled": self.on_online, "sm_failed": self.on_online,
            "stanza_acked": self.on_acked, "disconnected": self.on_lost, "connection_failed": lambda _: None,
            "message": self.on_message, "message_error": self.on_error,
            "presence_available": self.on_presence, "presence_unavailable": self.on_presence, "presence_error": self.on_presence,
        }
        for name, handler in handlers.items():
            self.add_event_handler(name, handler)

    def start(self):
        self.connect(address=self.where, force_starttls=True)

    def on_online(self, _):
        self.ready = True
        emit(event="online", who=self.who)
        for room in self.rooms:
            self.enter(room)
        self.flush()

    def flush(self):
        """Sends what waits, but to rooms that it is not in."""
        if not self.ready:
            return
        later = collections.deque()
        while self.waiting:
            line = self.waiting.popleft()
            if line["cmd"] == "say" and line["to"] not in self.inside:
                later.append(line)
            else:
                self.write(line)
        self.waiting = later

    def enter(self, room):
        """Joins a room without its history, or again one that it is in: that does no harm."""
        if self.ready and not self.ending:
            self.send_raw(f"<presence to='{room}/{self.rooms[room]}'><x xmlns='{MUC}'><history maxstanzas='0'/></x></presence>")

    def enter_later(self, room):
        self.inside.discard(room)
        asyncio.get_running_loop().call_later(RETRY, self.enter, room)

    def on_lost(self, _):
        self.ready = False
        self.inside.clear()
        self.event("session_end")  # the counters of stream management begin anew
        for id in self.open:
            emit(event="unsure", who=self.who, id=id)
        self.open.clear()
        if not self.ending:
            emit(event="offline", who=self.who)
            asyncio.get_running_loop().call_later(RETRY, self.start)

    def on_acked(self, stanza):
        id = stanza["id"]
        if self.open.pop(id, False) is not False:
            emit(event="acked", who=self.who, id=id)

    def on_message(self, m):
        if m["type"] == "groupchat":
            if self.witness and m["body"]:
                emit(event="heard", who=self.who, id=m["id"], stanza=room_id(m), body=m["body"], **{"from": m["from"].bare})
        elif m["body"] and not relation(m):
            emit(event="message", who=self.who, id=m["id"], body=m["body"], **{"from": m["from"].bare})

    def on_error(self, m):
        if m["from"].bare in self.rooms:
            self.enter_later(m["from"].bare)
        emit(event="bounce", who=self.who, id=m["id"], reason=m["error"]["condition"])

    def on_presence(self, p):
        if p["from"].bare in self.rooms:
            self.on_occupant(p, p["from"].bare)
        elif p["from"].bare != self.boundjid.bare and p["type"] != "error":
            kind = p.xml.get("type", "available")
            emit(event="presence", who=self.who, reason=kind, **{"from": p["from"].bare})

    def on_occupant(self, p, room):
        """Presence of somebody in a room, of itself above all."""
        own = p.xml.find(f"{{{MUC}#user}}x/{{{MUC}#user}}status[@code='110']") is not None
        kind = p.xml.get("type", "available")
        if kind == "error" or own and kind == "unavailable":
            self.enter_later(room)
        elif own and room not in self.inside:
            self.inside.add(room)
            emit(event="entered", who=self.who, **{"from": room})
            self.flush()
        elif self.witness and kind == "unavailable":
            emit(event="left", who=self.who, reason=p["from"].resource, **{"from": room})

    def send_later(self, line):
        self.waiting.append(line)
        self.flush()

    def write(self, line):
        m = self.make_message(mto=line["to"], mbody=line.get("body"), mtype="groupchat" if line["cmd"] == "say" else "chat")
        m["id"] = line["id"]
        if line["cmd"] == "relate":
            self.relate(m, line)
        self.open[line["id"]] = True
        m.send()

    def relate(self, m, line):
        """Makes a message say something of another one, as the plugins of the library do."""
        if line["kind"] == "edit":
            m["replace"]["id"] = line["target"]
            return
        if line["kind"] == "react":
            self["xep_0444"].set_reactions(m, line["target"], line["emojis"])
        else:
            m["body"] = "a message was taken back"
            m.enable("fallback")
            m["apply_to"]["id"] = line["target"]
            m["apply_to"].enable("retract")
        m.enable("store")

    def ask(self):
        if self.ready and self.open:
            self["xep_0198"].request_ack()


class Auditor(slixmpp.ClientXMPP):
    """A second device of an account that reads its archive, or that of a room, and goes."""

    def __init__(self, o, line):
        super().__init__(line["jid"], line["password"])
        self.who, self.room = line["who"], line.get("room", "")
        self.ca_certs, self.done = o["ca"], asyncio.get_running_loop().create_future()
        self.register_plugin("xep_0313")
        self.add_event_handler("session_start", self.read)
        self.add_event_handler("failed_all_auth", lambda _: self.finish("auth"))
        self.add_event_handler("connection_failed", lambda e: self.finish(str(e)))

    async def read(self, _):
        try:
            if self.room:
                return await self.read_room()
            n = 0
            async for m in self["xep_0313"].iterate(rsm={"max": 100}):
                n += 1
                inner = m["mam_result"]["forwarded"]["stanza"]
                said = relation(inner)
                if said:
                    emit(event="related", who=self.who, id=inner["id"], to=inner["to"].bare, **said, **{"from": inner["from"].bare})
                elif inner["body"]:
                    emit(event="stored", who=self.who, stanza=m["mam_result"]["id"], id=inner["id"],
                         body=inner["body"], **{"from": inner["from"].bare})
            self.finish("")
        except Exception as e:  # whatever it is: the audit has failed, and the run with it
            self.finish(repr(e))

    async def read_room(self):
        async for m in self["xep_0313"].iterate(jid=self.room, rsm={"max": 100}):
            inner = m["mam_result"]["forwarded"]["stanza"]
            if inner["body"]:
                emit(event="said", who=self.who, stanza=m["mam_result"]["id"], id=inner["id"], body=inner["body"], **{"from": inner["from"].full})
        self.finish("")

    def finish(self, reason):
        if not self.done.done():
            self.done.set_result(reason)


async def audit(o, line):
    a = Auditor(o, line)
    a.connect(address=(o["host"], o["port"]), force_starttls=True)
    try:
        reason = await asyncio.wait_for(a.done, 120)
    except asyncio.TimeoutError:
        reason = "timeout"
    a.abort()
    emit(event="audited", who=line["who"], reason=reason)


async def main():
    loop = asyncio.get_running_loop()
    stdin = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    o = json.loads(await stdin.readline())
    logging.basicConfig(level=logging.CRITICAL)
    people = {p["name"]: Person(o, p) for p in o["people"]}
    for p in people.values():
        p.start()

    def ask():
        for p in people.values():
            p.ask()
        loop.call_later(0.5, ask)

    ask()
    tasks = set()
    while text := await stdin.readline():
        line = json.loads(text)
        if line["cmd"] in ("send", "relate", "say"):
            people[line["who"]].send_later(line)
        elif line["cmd"] == "enter":
            person = people[line["who"]]
            person.rooms[line["to"]] = line["nick"]
            person.enter(line["to"])
        elif line["cmd"] == "audit":
            task = asyncio.ensure_future(audit(o, line))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
    for p in people.values():
        p.ending = True
        p.abort()


asyncio.run(main())
