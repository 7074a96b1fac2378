"""A foreign XMPP client for tests, driven by JSON lines.

One line on stdin is a command {"n": 1, "cmd": "message", ...}; its answer is one line
{"reply": 1, ...} on stdout, with "error" when it failed. What arrives by itself is one
line {"event": "message", ...}. The end of stdin ends the program. Works with slixmpp 1.8
(Debian 12) and later.
"""
import asyncio
import base64
import io
import json
import logging
import sys
from xml.etree import ElementTree as ET

import slixmpp
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.features.feature_mechanisms.stanza.mechanisms import Mechanisms
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

# The Messenger service prints a blank after the name of its mechanism.
_names = Mechanisms.get_mechanisms
Mechanisms.get_mechanisms = lambda self: [name.strip() for name in _names(self)]
NICK = "{http://jabber.org/protocol/nick}nick"


def emit(**line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def refs(m):
    """What a message says of another one."""
    def part(name, key):
        plugin = m.get_plugin(name, check=True)
        return str(plugin[key] or "") if plugin is not None else ""
    reactions = m.get_plugin("reactions", check=True)
    retract = m.xml.find("{urn:xmpp:message-retract:1}retract")  # slixmpp 1.8 has the older form
    return {
        "from": m["from"].full, "type": m["type"], "id": m["id"], "body": m["body"],
        "stanzaid": part("stanza_id", "id") if part("stanza_id", "by") == m["from"].bare else "",
        "corrects": part("replace", "id"), "reactsto": part("reactions", "id"),
        "emojis": sorted(reactions.get_values()) if reactions is not None else [],
        "repliesto": part("reply", "id"), "author": part("reply", "to"),
        "retracts": retract.get("id", "") if retract is not None else "",
    }


class Client(slixmpp.ClientXMPP):
    def __init__(self, o):
        super().__init__(o["jid"], o.get("password") or None, sasl_mech=o.get("mechanism") or None)
        if o.get("token"):
            self.credentials["access_token"] = o["token"]
        self.ca_certs = o["ca"]
        self.auto_authorize = None
        self.auto_subscribe = False
        self.roster_received = []
        for plugin in ("xep_0030", "xep_0054", "xep_0060", "xep_0084", "xep_0085", "xep_0153", "xep_0172", "xep_0184", "xep_0191",
                       "xep_0199", "xep_0203", "xep_0280", "xep_0308", "xep_0359", "xep_0444", "xep_0461"):
            self.register_plugin(plugin)
        self["xep_0184"].auto_request = False
        handlers = {
            "session_start": self.on_start,
            "failed_all_auth": lambda _: emit(event="failed", reason="auth"),
            "connection_failed": lambda e: emit(event="failed", reason=str(e)),
            "disconnected": lambda e: emit(event="disconnected", reason=str(e)),
            "message": self.on_message,
            "message_error": self.on_message,
            "receipt_received": lambda m: emit(event="receipt", **{"from": m["from"].full, "id": m["receipt"]}),
            "presence": self.on_presence,
            "roster_update": self.on_roster,
            "blocked": lambda iq: self.on_block(iq, "block"),
            "unblocked": lambda iq: self.on_block(iq, "unblock"),
        }
        for name, handler in handlers.items():
            self.add_event_handler(name, handler)
        if o.get("stanzas"):
            self.register_handler(Callback("all messages", MatchXPath("{jabber:client}message"),
                                           lambda m: emit(event="stanza", xml=str(m), **refs(m))))
        for kind in ("subscribe", "subscribed", "unsubscribe", "unsubscribed"):
            self.add_event_handler("presence_" + kind, self.on_subscription)
        for state in ("active", "composing", "paused", "inactive", "gone"):
            self.add_event_handler("chatstate_" + state, self.on_chat_state)

    async def on_start(self, _):
        await self.get_roster()
        emit(event="ready", jid=self.boundjid.full)

    def on_message(self, m):
        delay = m["delay"]["stamp"]
        emit(event="message", body=m["body"], type=m["type"], id=m["id"], thread=m["thread"] or "",
             to=m["to"].full, delay=delay.isoformat() if delay else "", **{"from": m["from"].full},
             error=m["error"]["condition"] if m["type"] == "error" else "")

    def on_presence(self, p):
        kind = p.xml.get("type", "available")  # slixmpp's own word is the show
        if kind not in ("available", "unavailable", "error"):
            return
        emit(event="presence", type=kind, show=p.xml.findtext("{jabber:client}show") or "",
             status=p["status"], priority=p["priority"], **{"from": p["from"].full})

    def on_subscription(self, p):
        emit(event="subscription", type=p["type"], nick=p.xml.findtext(NICK) or "", status=p["status"],
             **{"from": p["from"].bare})

    def on_chat_state(self, m):
        emit(event="chat_state", state=m["chat_state"], **{"from": m["from"].full})

    def on_roster(self, iq):
        for jid, item in iq["roster"]["items"].items():
            emit(event="roster", jid=str(jid), name=item["name"], subscription=item["subscription"],
                 ask=item["ask"] or "", groups=list(item["groups"]))

    def on_block(self, iq, change):
        emit(event="blocked", type=change, items=[{"jid": i.get("jid", "")} for i in iq.xml.find("{urn:xmpp:blocking}" + change)])

    # Commands. Each takes the fields of its line and gives what goes into the answer.

    def do_presence(self, show="", status="", priority=None, type="", to=None):
        self.send_presence(pshow=show or None, pstatus=status or None, ppriority=priority,
                           ptype=type or None, pto=to)

    def do_message(self, to, body, type="chat", id="", state="", receipt=False, thread=""):
        m = self.make_message(mto=to, mbody=body, mtype=type)
        if id:
            m["id"] = id
        if thread:
            m["thread"] = thread
        if state:
            m["chat_state"] = state
        if receipt:
            m["request_receipt"] = True
        m.send()
        return {"id": m["id"]}

    def do_chat_state(self, to, state):
        m = self.make_message(mto=to, mtype="chat")
        m["chat_state"] = state
        m.send()

    def do_subscription(self, to, type, nick="", status=""):
        p = self.make_presence(pto=to, ptype=type, pstatus=status or None)
        if nick:
            ET.SubElement(p.xml, NICK).text = nick
        p.send()

    async def do_roster(self):
        iq = await self.get_roster()
        return {"items": [{"jid": str(j), "name": i["name"], "subscription": i["subscription"],
                           "ask": i["ask"] or "", "groups": list(i["groups"])}
                          for j, i in iq["roster"]["items"].items()]}

    async def do_roster_set(self, jid, name="", groups=()):
        await self.update_roster(jid, name=name, groups=list(groups))

    async def do_roster_remove(self, jid):
        await self.del_roster_item(jid)

    async def do_vcard_set(self, fn="", nickname="", photo="", type="image/png"):
        card = self["xep_0054"].make_vcard()
        card["FN"] = fn
        if nickname:
            card["NICKNAME"] = nickname
        await self["xep_0054"].publish_vcard(card)
        if photo:
            await self["xep_0153"].set_avatar(avatar=base64.b64decode(photo), mtype=type)

    async def do_vcard_get(self, jid):
        iq = await self["xep_0054"].get_vcard(jid)
        return {"fn": iq["vcard_temp"]["FN"], "nickname": list(iq["vcard_temp"]["NICKNAME"] or [])}

    async def do_avatar_set(self, data, type="image/png"):
        raw = base64.b64decode(data)
        avatar = self["xep_0084"]
        await avatar.publish_avatar(raw)
        await avatar.publish_avatar_metadata({"id": avatar.generate_id(raw), "type": type, "bytes": str(len(raw))})

    async def do_upload(self, service, name, data, type):
        """Uploads a file (XEP-0363); its address is the answer. Slixmpp 1.8 cannot look for the service on Python 3.11."""
        self.register_plugin("xep_0363")
        self["xep_0363"].upload_service = slixmpp.JID(service)
        raw = base64.b64decode(data)
        url = await self["xep_0363"].upload_file(name, size=len(raw), content_type=type, input_file=io.BytesIO(raw), timeout=20)
        return {"body": url}

    async def do_nick_set(self, nick=""):
        """Publishes the own nickname; "" takes it back."""
        el = ET.Element(NICK)
        el.text = nick or None
        await self["xep_0060"].publish(self.boundjid.bare, NICK[1:].split("}")[0], id="current", payload=el)

    async def do_nick_get(self, jid):
        """What an account has published as its nickname, and that of its card."""
        found = []
        try:
            iq = await self["xep_0060"].get_items(jid, NICK[1:].split("}")[0], max_items=1)
            found.append({"body": iq.xml.findtext(".//" + NICK) or ""})
        except IqError:
            found.append({"body": ""})
        try:
            iq = await self["xep_0054"].get_vcard(jid)
            found.append({"body": iq.xml.findtext(".//{vcard-temp}NICKNAME") or ""})
        except IqError:
            found.append({"body": ""})
        return {"items": found}

    async def do_avatar_get(self, jid):
        """What an account has as an avatar, and as the photo of its card, in Base64."""
        found = {"avatar": "", "photo": ""}
        try:
            iq = await self["xep_0060"].get_items(jid, "urn:xmpp:avatar:metadata", max_items=1)
            info = iq.xml.find(".//{urn:xmpp:avatar:metadata}info")
            if info is not None:
                iq = await self["xep_0084"].retrieve_avatar(jid, info.get("id"))
                found["avatar"] = iq.xml.findtext(".//{urn:xmpp:avatar:data}data") or ""
        except IqError:
            pass
        try:
            iq = await self["xep_0054"].get_vcard(jid)
            found["photo"] = iq.xml.findtext(".//{vcard-temp}BINVAL") or ""
        except IqError:
            pass
        return {"items": [{"body": found["avatar"]}, {"body": found["photo"]}]}

    async def do_block(self, jid):
        await self["xep_0191"].block(jid)

    async def do_unblock(self, jid):
        await self["xep_0191"].unblock(jid)

    async def do_blocked(self):
        iq = await self["xep_0191"].get_blocked()
        return {"items": [{"jid": i.get("jid", "")} for i in iq.xml.find("{urn:xmpp:blocking}blocklist")]}

    async def do_ping(self):
        await self["xep_0199"].ping()

    def do_raw(self, xml):
        ET.fromstring(xml)
        self.send_raw(xml)

    async def do_iq(self, to, type, payload):
        """Sends a request, and gives its answer as XML."""
        iq = self.make_iq(ito=to, itype=type)
        iq.append(ET.fromstring(payload))
        return {"xml": str(await iq.send(timeout=60))}

    async def do_disconnect(self):
        await self.disconnect()

    def do_abort(self):
        self.abort()


async def command(client, line):
    n = line.pop("n")
    try:
        result = getattr(client, "do_" + line.pop("cmd"))(**line)
        if asyncio.iscoroutine(result):
            result = await result
        emit(reply=n, **(result or {}))
    except IqError as e:
        emit(reply=n, error=e.iq["error"]["condition"])
    except IqTimeout:
        emit(reply=n, error="timeout")
    except Exception as e:  # a fault of the script is an answer too, not a hung test
        emit(reply=n, error=repr(e))


async def main():
    loop = asyncio.get_running_loop()
    stdin = asyncio.StreamReader(limit=1 << 24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    options = json.loads(await stdin.readline())
    logging.basicConfig(level=logging.DEBUG if options.get("debug") else logging.WARNING)
    client = Client(options)
    client.connect(address=(options["host"], options["port"]), use_ssl=options.get("direct", False),
                   force_starttls=not options.get("direct", False))
    tasks = set()
    while line := await stdin.readline():
        # Commands run side by side, but each begins in the order of the lines.
        task = asyncio.ensure_future(command(client, json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    if client.transport is not None:
        await asyncio.wait([asyncio.ensure_future(client.disconnect(wait=1.0))], timeout=2)


asyncio.run(main())
