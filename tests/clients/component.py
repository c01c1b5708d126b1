"""A component of slixmpp: what happens to it is printed as JSON lines. It lets everybody in, asks back, and answers what it is told."""

import json
import sys

import slixmpp
from slixmpp.componentxmpp import ComponentXMPP


def tell(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


class Component(ComponentXMPP):
    def __init__(self, arguments):
        super().__init__(arguments["domain"], arguments["secret"], arguments["host"], int(arguments["port"]))
        for plugin in ("xep_0030", "xep_0092", "xep_0199"):
            self.register_plugin(plugin)
        self.add_event_handler("session_start", lambda _: tell("joined"))
        self.add_event_handler("disconnected", lambda _: tell("disconnected"))
        self.add_event_handler("message", self.on_heard)
        self.add_event_handler("presence_subscribe", self.on_asked)
        self.add_event_handler("presence_available", self.on_seen)
        self.add_event_handler("presence_unavailable", self.on_seen)

    def on_heard(self, message):
        tell("message", sender=message["from"].full, body=message["body"])
        self.send_message(message["from"], message["body"].upper(), mtype="chat", mfrom=message["to"])

    def on_asked(self, presence):
        who, bot = presence["from"].bare, presence["to"].bare
        tell("asked", sender=who)
        self.send_presence(pto=who, pfrom=bot, ptype="subscribed")
        self.send_presence(pto=who, pfrom=bot + "/py")

    def on_seen(self, presence):
        tell("presence", sender=presence["from"].full, type=presence["type"])


component = Component(json.loads(sys.argv[1]))
component.connect()
component.loop.run_forever()
