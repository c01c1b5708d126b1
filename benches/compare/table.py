"""What is measured, and the rows of the document with their limits."""

from collections.abc import Callable
from dataclasses import dataclass

CHAT = ("adsum", "prosody", "prosody-as-shipped", "ejabberd")
CHAT_FAIR = ("adsum", "prosody", "ejabberd")
WEB = CHAT_FAIR
ARCHIVES = ("adsum-archive", "prosody-archive")
PHONE = ("adsum", "kamailio", "kamailio-sqlite")
STEPS = (1000, 2000, 5000, 10000, 15000)
QUICK_STEPS = (500, 1000, 2000)
# Seconds that clients may take to make the rosters of a world.
MAKING = 3600
# Parts of its own capacity at which each server's latency is measured.
LOADS = (0.1, 0.25, 0.5, 0.75)
QUICK_LOADS = (0.1, 0.5)


@dataclass(frozen=True)
class Scenario:
    """A call of the load program at a port: `xmpp`, `xmpps`, `http` or `sip`; `{rate}` is a part of the capacity."""

    name: str
    call: tuple
    servers: tuple = CHAT
    port: str = "xmpp"
    # Accounts and rosters that it needs: a folder of data of each server.
    world: str = "plain"
    hash: str = "SHA-1"
    # A part of what the server did in `messages`, as messages a second.
    part: float = 0.0
    # Once is enough, because many of its kind make one curve.
    once: bool = False
    # What the load program must know for it.
    needs: str = ""
    timeout: int = 900


@dataclass(frozen=True)
class World:
    """Accounts u0 and on, and of which numbers the contacts of each are; all contacts are mutual."""

    accounts: int
    contacts: Callable = lambda number: ()


def scenarios(quick):
    """All scenarios in the order in which they are measured."""
    steps, loads = (QUICK_STEPS, QUICK_LOADS) if quick else (STEPS, LOADS)
    idle = 2000 if quick else 10000
    found = [
        Scenario("messages", ("messages", "--senders", "200", "--first", "600")),
        *(Scenario(f"messages-at-{part * 100:.0f}%", ("messages", "--senders", "200", "--first", "600", "--rate", "{rate}"),
                   CHAT_FAIR, part=part) for part in loads),
        # A message is delivered before it is on the disk: without a rate the writer would be left behind by what a closed loop sends.
        Scenario("archived", ("messages", "--senders", "200", "--first", "600", "--rate", "30000"), ARCHIVES[:1]),
        Scenario("archived", ("messages", "--senders", "200", "--first", "600"), ARCHIVES[1:]),
        Scenario("presence", ("presence", "--groups", "25", "--contacts", "20")),
        login("SHA-1", False), login("SHA-256", False), login("SHA-256", True),
        memory("idle", idle), memory("idle-tls", idle, tls=True),
        Scenario("online", ("online", "--contacts", "200", "--sessions", str(online(quick)), "--prepared"), world="online", needs="--prepared"),
        Scenario("storm", ("storm", "--people", str(people(quick)), "--known", str(people(quick)), "--prepared"), CHAT_FAIR,
                 world="storm", needs="--prepared"),
        Scenario("roster", ("roster", "--contacts", ",".join(map(str, sizes(quick))), "--prepared"), CHAT_FAIR, world="roster", needs="--prepared"),
        *(browsers(name, way, more) for way in ("bosh", "websocket") for name, more in (
            ("", ("messages", "--senders", "200", "--first", "600")),
            ("-presence", ("presence", "--groups", "25", "--contacts", "20")),
            ("-idle", ("idle", "--sessions", "2000", "--first", "1000", "--mechanism", "scram-sha-1")))),
        *(Scenario(name, (name,), PHONE, port="sip", needs=name)
          for name in ("publish", "subscribe", "notify", "retransmit", "unauthorized")),
    ]
    for count in steps:
        found.append(Scenario(f"presence-among-{count}", ("presence", "--groups", "25", "--contacts", "20", "--sessions", str(count)),
                              CHAT_FAIR, once=True, needs="--sessions"))
        if count != idle:
            found.append(memory(f"idle-{count}", count, once=True))
    return found


def people(quick):
    """How many come in the login storm."""
    return 100 if quick else 1000


def online(quick):
    """How many are online with 200 contacts: whole circles."""
    return 402 if quick else 2010


def login(hash_name, tls):
    """Logins one after the other."""
    mechanism = f"scram-{hash_name.lower()}"
    more = ("--tls",) if tls else ()
    return Scenario(f"login-{mechanism}{'-tls' if tls else ''}", ("login", "--mechanism", mechanism, "--first", "600", *more),
                    CHAT_FAIR, port="xmpps" if tls else "xmpp", hash=hash_name, needs="--tls" if tls else "")


def memory(name, count, tls=False, once=False):
    """Sessions that do nothing."""
    more = ("--tls",) if tls else ()
    call = ("idle", "--sessions", str(count), "--first", "1000", "--mechanism", "scram-sha-1", *more)
    servers = CHAT_FAIR if once else CHAT
    return Scenario(name, call, servers, port="xmpps" if tls else "xmpp", once=once, needs="--tls" if tls else "")


def browsers(name, way, call):
    """What chat does, by browsers."""
    return Scenario(f"{way}{name}", (*call, "--over", way), WEB, port="http", needs="--over")


def circles(size):
    """Circles of people who all know each other."""
    return lambda number: [other for other in range(number // size * size, number // size * size + size) if other != number]


def sizes(quick):
    """How many contacts people have whose rosters are compared."""
    return (100, 500) if quick else (100, 500, 1000, 2000)


def stars(wanted):
    """Four people with nobody, four with each number of contacts, and then those whom they know."""
    each, wanted = 4, (0, *wanted)
    pool = each * len(wanted)

    def contacts(number):
        if number < pool:
            return range(pool, pool + wanted[number // each])
        return [other for other in range(pool) if number - pool < wanted[other // each]]

    return contacts


def worlds(quick):
    """The folders of data by their names."""
    crowd = people(quick)
    return {
        "plain": World(1000 + (2000 if quick else 15000)),
        "online": World(online(quick), circles(201)),
        "storm": World(crowd, circles(crowd)),
        "roster": World(4 * (1 + len(sizes(quick))) + sizes(quick)[-1], stars(sizes(quick))),
    }


@dataclass(frozen=True)
class Row:
    """A figure of the document: less is better."""

    title: str
    scenario: str
    figure: str
    unit: str
    # The most that Adsum may need, and the most of what the best peer needs; None where there is no such limit.
    most: float | None = None
    share: float | None = 0.2
    # Peers that the share is of.
    against: tuple = CHAT[1:]


MEMORY = ("kamailio",)
ROWS = (
    Row("Message delivered, no archive", "messages", "cpu_us", "µs", 15),
    Row("Presence delivered (1 to 20)", "presence", "cpu_us", "µs", 7),
    Row("Login, SCRAM-SHA-1, no TLS", "login-scram-sha-1", "cpu_us", "µs"),
    Row("Login, SCRAM-SHA-256, no TLS", "login-scram-sha-256", "cpu_us", "µs", 250),
    Row("Login, SCRAM-SHA-256, TLS", "login-scram-sha-256-tls", "cpu_us", "µs", 800),
    Row("Idle session, plain", "idle", "session_kb", "KB", 6),
    Row("Idle session, TLS", "idle-tls", "session_kb", "KB", 20),
    Row("Session online with 200 contacts", "online", "session_kb", "KB", 20),
    Row("Coming online with 200 contacts", "online", "cpu_us", "µs"),
    Row("Contact of the largest roster, by one of the next: login", "roster", "get_growth", "times", 1.1, None),
    Row("Contact of the largest roster, by one of the next: presence", "roster", "change_growth", "times", 1.1, None),
    Row("Login storm: server CPU in all", "storm", "cpu_s", "s"),
    Row("Login storm: everybody has seen everybody", "storm", "all_seen_s", "s", None, None),
    Row("Login storm: memory at its peak", "storm", "peak_kb", "KB", None, None),
    Row("Message delivered, BOSH", "bosh", "cpu_us", "µs", 60, 0.2, WEB[1:]),
    Row("Presence delivered (1 to 20), BOSH", "bosh-presence", "cpu_us", "µs", 16, 0.2, WEB[1:]),
    Row("Session held, BOSH, of 2,000", "bosh-idle", "session_kb", "KB", None, 0.2, WEB[1:]),
    Row("Message delivered, WebSocket", "websocket", "cpu_us", "µs", None, 0.2, WEB[1:]),
    Row("Presence delivered (1 to 20), WebSocket", "websocket-presence", "cpu_us", "µs", None, 0.2, WEB[1:]),
    Row("Idle session, WebSocket, of 2,000", "websocket-idle", "session_kb", "KB", None, 0.2, WEB[1:]),
    Row("PUBLISH (modify)", "publish", "cpu_us", "µs", 35, 0.5, MEMORY),
    Row("SUBSCRIBE with first NOTIFY", "subscribe", "cpu_us", "µs", 50, 0.5, MEMORY),
    Row("NOTIFY delivered (1 to 20)", "notify", "cpu_us", "µs", 12, 0.5, MEMORY),
    Row("Retransmission absorbed", "retransmit", "cpu_us", "µs", 4, 0.5, MEMORY),
    Row("Request without credentials refused", "unauthorized", "cpu_us", "µs", 8, 0.5, MEMORY),
    Row("Memory kept for a refused request", "unauthorized", "growth_bytes", "bytes", 1, None, MEMORY),
    Row("Latency at a tenth of its own capacity, p50", "messages-at-10%", "p50_ms", "ms", None, None),
    Row("Latency at a tenth of its own capacity, p99", "messages-at-10%", "p99_ms", "ms", None, 1.0),
)
