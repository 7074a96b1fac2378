"""A foreign XMPP client for tests, driven by JSON lines: nbxmpp, the library of Gajim.

The lines are those of the client of slixmpp beside this one. A message is one line
{"event": "stanza", ...} with what nbxmpp has read in it. Works with nbxmpp 4.2 (Debian 12)
and later.
"""
import base64
import json
import logging
import sys
import threading
from urllib.request import Request
from urllib.request import urlopen

from gi.repository import Gio
from gi.repository import GLib
from nbxmpp.client import Client
from nbxmpp.const import ConnectionProtocol
from nbxmpp.const import ConnectionType
from nbxmpp.const import InviteType
from nbxmpp.errors import is_error
from nbxmpp.namespaces import Namespace
from nbxmpp.protocol import JID
from nbxmpp.protocol import Message
from nbxmpp.protocol import Presence
from nbxmpp.simplexml import Node
from nbxmpp.structs import BookmarkData
from nbxmpp.structs import StanzaHandler

RETRACT = "urn:xmpp:message-retract:1"  # nbxmpp itself has the older form, of moderators
STORES = {"0402": "NativeBookmarks", "0048": "PEPBookmarks", "0049": "PrivateBookmarks"}


def emit(**line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def failed(task):
    return isinstance(task.get_result(), Exception) or is_error(task.get_result())


class Peer:
    def __init__(self, o, loop):
        self.loop = loop
        jid = JID.from_string(o["jid"])
        self.client = Client(log_context="peer")
        self.client.set_domain(jid.domain)
        self.client.set_username(jid.localpart)
        self.client.set_resource(jid.resource or "nbxmpp")
        self.client.set_password(o["password"])
        self.client.set_custom_host(f'{o["host"]}:{o["port"]}', ConnectionProtocol.TCP, ConnectionType.START_TLS)
        self.client.set_accepted_certificates([])
        self.client.set_ignored_tls_errors({Gio.TlsCertificateFlags.UNKNOWN_CA})  # of the tests; the name is checked
        for signal, handler in {"connected": self.on_connected, "connection-failed": self.on_failed,
                                "disconnected": self.on_disconnected}.items():
            self.client.subscribe(signal, handler)
        self.client.register_handler(StanzaHandler(name="message", callback=self.on_message, priority=60))
        self.client.register_handler(StanzaHandler(name="presence", callback=self.on_presence, priority=60))
        self.client.connect()

    def on_connected(self, *_):
        def ready(task):
            emit(event="ready", jid=str(self.client.get_bound_jid()))
        self.finish(self.module("Roster").request_roster(None), ready)

    def on_failed(self, *_):
        emit(event="failed", reason=str(self.client.get_error()))

    def on_disconnected(self, *_):
        emit(event="disconnected", reason=str(self.client.get_error()))
        self.loop.quit()

    def on_message(self, _client, stanza, p):
        if p.is_pubsub_event:
            return
        retract = stanza.getTag("retract", namespace=RETRACT)
        line = {
            "from": str(p.from_ or ""), "type": p.type.value, "id": p.id or "", "body": p.body or "", "xml": str(stanza),
            "stanzaid": next((s.id for s in p.stanza_ids if p.muc_jid is not None and s.by == str(p.muc_jid)), ""),
            "corrects": p.correction.id if p.correction else "",
            "reactsto": p.reactions.id if p.reactions else "",
            "emojis": sorted(p.reactions.emojis) if p.reactions else [],
            "repliesto": p.reply_data.id if p.reply_data else "", "author": p.reply_data.to if p.reply_data else "",
            "retracts": p.moderation.stanza_id if p.moderation else retract.getAttr("id") if retract else "",
        }
        if p.muc_invite is not None:
            i = p.muc_invite
            emit(event="invitation", jid=str(i.muc), reason=i.reason or "", state=i.type.name.lower(), **{"from": str(i.from_)})
        emit(event="stanza", **line)

    def on_presence(self, _client, stanza, _p):
        kind = stanza.getType() or "available"
        if kind in ("available", "unavailable", "error"):
            emit(event="presence", type=kind, show=stanza.getShow() or "", **{"from": str(stanza.getFrom())})

    def module(self, name):
        return self.client.get_module(name)

    @staticmethod
    def finish(task, done):
        """Calls done when a task has ended; some of nbxmpp have before they are given."""
        try:
            task.add_done_callback(done, weak=False)
        except RuntimeError:
            done(task)

    def command(self, line):
        n = line.pop("n")

        def done(task, result=None, without=None):
            answer = task.get_result()
            if failed(task) and without and getattr(answer, "condition", None) == without:
                emit(reply=n)
            elif failed(task):
                emit(reply=n, error=getattr(answer, "condition", None) or repr(answer))
            else:
                emit(reply=n, **(result(answer) if result else {}))
        try:
            result = getattr(self, "do_" + line.pop("cmd"))(done=done, **line)
            if isinstance(result, dict):
                emit(reply=n, **result)
        except Exception as e:  # a fault of the script is an answer too, not a hung test
            emit(reply=n, error=repr(e))

    # Commands. Each takes the fields of its line, and gives what goes into the answer or calls done.

    def do_presence(self, done, show="", status="", type="", to=None):
        self.client.send_stanza(Presence(to=to, typ=type or None, show=show or None, status=status or None))
        return {}

    def do_message(self, done, to, id, body, type="chat"):
        m = Message(to=to, body=body, typ=type)
        return {"id": self.send(m, id)}

    def send(self, m, id):
        m.setID(id)
        m.setOriginID(id)
        return self.client.send_stanza(m)

    def do_join(self, done, to):
        p = Presence(to=to)
        p.setTag("x", namespace=Namespace.MUC).addChild("history", attrs={"maxstanzas": "0"})
        self.client.send_stanza(p)
        return {}

    def do_correct(self, done, to, id, of, body):
        m = Message(to=to, body=body, typ="groupchat")
        m.setCorrection(of)
        return {"id": self.send(m, id)}

    def do_react(self, done, to, id, of, emojis):
        m = Message(to=to, typ="groupchat")
        m.setReactions(of, emojis)
        m.setHint("store")
        return {"id": self.send(m, id)}

    def do_reply(self, done, to, id, of, author, quote, body):
        m = Message(to=to, body=quote + body, typ="groupchat")
        m.setReply(author, of, 0, len(quote))
        return {"id": self.send(m, id)}

    def do_retract(self, done, to, id, of):
        m = Message(to=to, typ="groupchat")
        m.addChild("retract", namespace=RETRACT, attrs={"id": of})
        m.setHint("store")
        return {"id": self.send(m, id)}

    def do_invite(self, done, room, to, via, reason):
        kind = InviteType.DIRECT if via == "direct" else InviteType.MEDIATED
        self.module("MUC").invite(room, to, None, reason=reason, type_=kind)
        return {}

    def do_configure(self, done, room):
        """Opens a room that is new, as it is."""
        muc = self.module("MUC")

        def opened(task):
            if failed(task):
                return done(task)
            self.finish(muc.set_config(room, task.get_result().form), done)
        self.finish(muc.request_config(room), opened)

    def do_bookmarks(self, done, store):
        """A store that nobody has written to yet is empty."""
        self.finish(self.module(STORES[store]).request_bookmarks(),
                    lambda task: done(task, self.items, without="item-not-found"))

    @staticmethod
    def items(list_):
        return {"items": [{"jid": str(b.jid), "name": b.name or "", "nick": b.nick or "", "autojoin": b.autojoin,
                           "extensions": str(b.extensions) if b.extensions is not None else ""} for b in list_ or []]}

    def do_bookmark(self, done, store, jid, name="", nick="", autojoin=False, extensions=""):
        """Writes a bookmark as Gajim does: an item, or the list that it has read with one more in it."""
        new = BookmarkData(jid=JID.from_string(jid), name=name or None, nick=nick or None, autojoin=autojoin,
                           extensions=Node(node=extensions) if extensions else None)
        module = self.module(STORES[store])

        def write(old):
            task = module.store_bookmarks([b for b in old if b.jid != new.jid] + [new])
            if store == "0049":
                self.finish(task, done)
            else:  # which tells nothing of its end; this is asked, and answered, after it
                self.finish(module.request_bookmarks(), lambda task: done(task, self.items))
        if store == "0402":
            write([])
        else:
            self.finish(module.request_bookmarks(), lambda task: write([] if failed(task) else task.get_result()))

    def do_upload(self, done, service, name, data, type):
        """Uploads a file (XEP-0363) into the slot that nbxmpp has asked for; its address is the answer."""
        raw = base64.b64decode(data)

        def put(task):
            if failed(task):
                return done(task)
            slot = task.get_result()
            urlopen(Request(slot.put_uri, raw, {"Content-Type": type, **slot.headers}, method="PUT"), timeout=20).close()
            done(task, lambda slot: {"body": slot.get_uri})
        self.finish(self.module("HTTPUpload").request_slot(service, name, len(raw), type), put)

    def do_items(self, done, node):
        """The ids of the items of an own node, and nothing of one that is not there."""
        def ids(task):
            done(task, lambda items: {"groups": [i.getAttr("id") for i in items or []]}, without="item-not-found")
        self.finish(self.module("PubSub").request_items(node), ids)

    def do_raw(self, done, xml):
        self.client.send_nonza(xml)
        return {}


def main():
    loop = GLib.MainLoop()
    options = json.loads(sys.stdin.readline())
    logging.basicConfig(level=logging.INFO if options.get("debug") else logging.ERROR)
    peer = Peer(options, loop)

    def end():
        peer.client.disconnect()
        GLib.timeout_add_seconds(2, loop.quit)

    def read():
        for line in sys.stdin:
            GLib.idle_add(peer.command, json.loads(line))
        GLib.idle_add(end)
    threading.Thread(target=read, daemon=True).start()
    loop.run()


main()
