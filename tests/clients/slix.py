"""A client of slixmpp: what happens to it is printed as JSON lines, what it shall do is read as JSON lines."""

import asyncio
import json
import sys

import slixmpp


def tell(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


class Client(slixmpp.ClientXMPP):
    def __init__(self, arguments):
        super().__init__(arguments["jid"], arguments["password"])
        self.arguments = arguments
        self.ca_certs = arguments["ca"]
        for plugin in ("xep_0030", "xep_0092", "xep_0199", "xep_0203", "xep_0202", "xep_0012", "xep_0280", "xep_0191", "xep_0059", "xep_0313", "xep_0441"):
            self.register_plugin(plugin)
        if arguments.get("pep"):
            for plugin in ("xep_0115", "xep_0163", "xep_0084", "xep_0107", "xep_0060", "xep_0054"):
                self.register_plugin(plugin)
            self.add_event_handler("user_mood_publish", self.on_mood)
            self.add_event_handler("avatar_metadata_publish", self.on_avatar)
        if arguments.get("managed"):
            self.register_plugin("xep_0198")
            self.add_event_handler("sm_enabled", lambda _: tell("managed"))
            self.add_event_handler("session_resumed", lambda _: tell("resumed", jid=self.boundjid.full))
            self.add_event_handler("sm_failed", lambda _: tell("not resumed"))
        self.auto_authorize = arguments.get("approve", True)
        self.auto_subscribe = arguments.get("approve", True)
        self.add_event_handler("session_start", self.on_started)
        self.add_event_handler("disconnected", self.on_disconnected)
        self.add_event_handler("connection_failed", self.on_failed)
        self.add_event_handler("failed_auth", lambda _: tell("failed_auth"))
        self.add_event_handler("message", self.on_heard)
        self.add_event_handler("message_error", lambda m: tell("message_error", condition=m["error"]["condition"]))
        for kind in ("received", "sent"):
            self.add_event_handler(f"carbon_{kind}", self.copied(kind))
        for kind in ("available", "away", "xa", "dnd", "chat"):
            self.add_event_handler(f"presence_{kind}", self.on_seen)
        self.add_event_handler("presence_unavailable", self.on_seen)
        self.add_event_handler("presence_subscribe", self.on_seen)
        self.add_event_handler("presence_subscribed", self.on_seen)
        self.add_event_handler("roster_update", lambda _: tell("roster", items=self.contacts()))

    def begin(self):
        if self.arguments.get("direct"):
            self.enable_starttls = False
            self.enable_direct_tls = True
        else:
            self.enable_direct_tls = False
        self.connect(self.arguments["host"], int(self.arguments["port"]))

    async def on_started(self, _):
        await self.get_roster()
        if self.arguments.get("pep"):
            await self.plugin["xep_0115"].update_caps()
        tell("online", jid=self.boundjid.full)
        if not self.arguments.get("invisible"):
            self.send_presence()

    def on_disconnected(self, _):
        tell("disconnected")
        if self.arguments.get("reconnect"):
            self.loop.call_later(0.2, self.begin)

    def on_failed(self, _):
        pass

    def contacts(self):
        return {
            jid: {"subscription": item["subscription"], "name": item["name"]}
            for jid, item in ((j, self.client_roster[j]) for j in self.client_roster.keys())
        }

    def on_heard(self, message):
        stamp = message["delay"]["stamp"] if message.get_plugin("delay", check=True) else None
        tell(
            "message",
            sender=message["from"].full,
            type=message["type"],
            body=message["body"],
            delay=str(stamp) if stamp else None,
        )

    def copied(self, kind):
        def on_copied(message):
            inner = message[f"carbon_{kind}"]
            tell(
                "copy",
                kind=kind,
                sender=inner["from"].full,
                to=inner["to"].full,
                body=inner["body"],
            )

        return on_copied

    def on_mood(self, message):
        item = message["pubsub_event"]["items"]["item"]
        late = message.get_plugin("delay", check=True) is not None
        tell("mood", sender=message["from"].full, mood=item["mood"]["value"], text=item["mood"]["text"], late=late)

    def on_avatar(self, message):
        item = message["pubsub_event"]["items"]["item"]
        tell("avatar", sender=message["from"].full, id=item["id"])

    def on_seen(self, presence):
        tell(
            "presence",
            sender=presence["from"].full,
            type=presence["type"],
            status=presence["status"],
        )

    async def do(self, command):
        what = command["do"]
        if what == "send":
            self.send_message(mto=command["to"], mbody=command["body"], mtype="chat")
        elif what == "presence":
            self.send_presence(pshow=command.get("show"), pstatus=command.get("status"))
        elif what == "archive":
            mam = self.plugin["xep_0313"]
            bodies = []
            pages = mam.iterate(rsm={"max": command["max"]}, with_jid=command.get("with"), reverse=command.get("reverse", False))
            async for message in pages:
                bodies.append(message["mam_result"]["forwarded"]["stanza"]["body"])
            metadata = await mam.get_archive_metadata()
            default, _, _ = await self.plugin["xep_0441"].get_preferences()
            tell(
                "archive",
                bodies=bodies,
                first=str(metadata["mam_metadata"]["start"]["id"]),
                default=str(default),
            )
        elif what == "cut":
            # The network is gone: nothing is said.
            self.transport.abort()
        elif what in ("block", "unblock"):
            blocking = self.plugin["xep_0191"]
            await (blocking.block if what == "block" else blocking.unblock)(slixmpp.JID(command["jid"]))
            blocked = await blocking.get_blocked_jids()
            tell("blocked", jids=sorted(str(jid) for jid in blocked))
        elif what == "carbons":
            await self.plugin["xep_0280"].enable()
            tell("done")
        elif what == "mood":
            await self.plugin["xep_0107"].publish_mood(command["mood"], command["text"])
            tell("done")
        elif what == "avatar":
            octets = command["octets"].encode()
            avatar = self.plugin["xep_0084"]
            id = avatar.generate_id(octets)
            await avatar.publish_avatar(octets)
            await avatar.publish_avatar_metadata({"id": id, "type": "image/png", "bytes": len(octets)})
            tell("done", id=id)
        elif what == "picture":
            answer = await self.plugin["xep_0084"].retrieve_avatar(command["of"], command["id"])
            tell("picture", octets=answer["pubsub"]["items"]["item"]["avatar_data"]["value"].decode())
        elif what == "card":
            card = self.plugin["xep_0054"].make_vcard()
            card["PHOTO"]["TYPE"] = "image/png"
            card["PHOTO"]["BINVAL"] = command["octets"].encode()
            await self.plugin["xep_0054"].publish_vcard(card)
            tell("done")
        elif what == "read card":
            answer = await self.plugin["xep_0054"].get_vcard(command["of"])
            tell("card", octets=answer["vcard_temp"]["PHOTO"]["BINVAL"].decode())
        elif what == "subscribe":
            self.send_presence_subscription(pto=command["to"])
        elif what == "roster":
            await self.update_roster(command["jid"], name=command["name"])
            tell("done")
        elif what == "ask":
            to = command["to"]
            info = await self.plugin["xep_0030"].get_info(jid=to)
            version = await self.plugin["xep_0092"].get_version(to)
            rtt = await self.plugin["xep_0199"].ping(to, timeout=10)
            now = await self.plugin["xep_0202"].get_entity_time(to)
            tell(
                "answers",
                features=sorted(info["disco_info"]["features"]),
                name=version["software_version"]["name"],
                ping=rtt >= 0,
                time=now["entity_time"].xml.findtext("{urn:xmpp:time}utc"),
            )
        elif what == "end":
            self.arguments["reconnect"] = False
            await self.disconnect()
            self.loop.stop()


async def commands(client):
    reader = asyncio.StreamReader()
    await client.loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        try:
            await client.do(json.loads(line))
        except Exception as error:  # a test sees it
            tell("error", error=repr(error))


def main():
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    client = Client(json.loads(sys.argv[1]))
    client.begin()
    # Kept: a task that nobody holds may be collected.
    client.commands = loop.create_task(commands(client))
    loop.run_forever()


main()
