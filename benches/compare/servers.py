"""The servers that are compared: how each is configured, given accounts, started and stopped.

Every server runs in the foreground on loopback, on ports of its own, with all its files below one temporary folder.
"""

import hashlib
import hmac
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from pathlib import Path

PEERS = Path(__file__).parent / "peers"
DOMAIN = "localhost"
PASSWORD = "load-word-42"
# Rounds of PBKDF2, the same for all. Servers keep the keys, so that only the client pays for them.
ITERATIONS = 4096
PATIENCE = 120


class Failed(Exception):
    """A server does not do what the comparison needs; the text says what."""


def ports():
    """Port numbers below those that the system gives to clients."""
    number = 20000 + os.getpid() % 5000
    while True:
        number = 20000 if number > 31000 else number + 1
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tcp.bind(("127.0.0.1", number))
                udp.bind(("127.0.0.1", number))
            except OSError:
                continue
        yield number


PORTS = ports()


def output(*command):
    """What a command says."""
    found = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return found.stdout.strip()


def package(name):
    """The version of a Debian package."""
    return output("dpkg-query", "--show", "--showformat=${Version}", name)


def make_certificate(folder):
    """A self-signed certificate with an ECDSA key on P-256, used by all servers alike."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
         "-subj", f"/CN={DOMAIN}", "-addext", f"subjectAltName=DNS:{DOMAIN}", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True)
    (folder / "both.pem").write_text(certificate.read_text() + key.read_text())
    for file in folder.iterdir():
        file.chmod(0o600)


class Server:
    """One server in one configuration."""

    key = title = template = ""
    protocols = ("xmpp",)
    # Whether the hash of SCRAM is a matter of its configuration.
    one_hash = True
    # Whether rosters come with the accounts; else clients have to make them.
    takes_rosters = True
    # What is put into the template for the sake of HTTP, where that is spoken.
    http_parts = {}

    def __init__(self, folder, shared):
        self.root, self.shared = folder / self.key, shared
        self.process, self.ports, self.world, self.hash, self.http = None, {}, "", "SHA-1", False

    @property
    def folder(self):
        """The files of this server with this world's data and this hash of SCRAM."""
        return self.root / (f"{self.world}-{self.hash.lower()}" if self.one_hash else self.world)

    def values(self):
        """What is put into the template."""
        return {"folder": self.folder, "password": PASSWORD, "iterations": ITERATIONS, "certificate": self.shared / "certificate.pem",
                "key": self.shared / "key.pem", "pem": self.shared / "both.pem", "hash": self.hash, **self.ports}

    def configure(self):
        """Writes the configuration with new ports; returns its path."""
        self.ports = {name: next(PORTS) for name in ("xmpp", "xmpps", "http", "sip")}
        text = (PEERS / self.template).read_text()
        for name, part in self.http_parts.items():
            text = text.replace(f"@{name}@", part if self.http else "")
        for name, value in self.values().items():
            text = text.replace(f"@{name}@", str(value))
        path = self.folder / self.template
        path.write_text(text)
        return path

    def prepare(self, name, world, hash_name="SHA-1", http=False):
        """Makes a world's accounts and rosters, where that is not done; whether clients still have to make the rosters.
        From then on it listens for HTTP too where that is wanted."""
        self.world, self.hash, self.http = name, hash_name, http
        if self.folder.exists():
            return False
        self.folder.mkdir(parents=True)
        try:
            self.populate({f"u{number}": [f"u{other}" for other in world.contacts(number)] for number in range(world.accounts)})
        except subprocess.TimeoutExpired as error:
            self.forget()
            raise Failed(f"{self.title} has not taken its accounts and rosters within {error.timeout:.0f} s") from error
        except (Failed, OSError, subprocess.SubprocessError) as error:
            self.forget()
            raise Failed(f"{self.title} gets no accounts: {error}") from error
        return not self.takes_rosters and any(map(world.contacts, range(world.accounts)))

    def forget(self):
        """Drops the data that was prepared last."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        """A fresh process on the data that was prepared last; returns when it listens."""
        command, environment = self.command(self.configure())
        with open(self.folder / "output.log", "ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + PATIENCE
        while not self.listening():
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise Failed(f"{self.title} does not start: {self.log_end()}")
            time.sleep(0.05)
        # What is still to be done in the background after starting is not measured.
        time.sleep(1)

    def listening(self):
        """Whether it takes clients."""
        if "sip" in self.protocols:
            wanted = f"0100007F:{self.ports['sip']:04X}"
            return wanted in Path("/proc/net/udp").read_text()
        for name in ("xmpp", "http") if self.http else ("xmpp",):
            with socket.socket() as tcp:
                if tcp.connect_ex(("127.0.0.1", self.ports[name])) != 0:
                    return False
        return True

    def stop(self):
        """Ends it and its children."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                pass
        try:
            # Started in a session of its own: the group holds nothing else.
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None

    def alive(self):
        """Whether it still runs."""
        return self.process is not None and self.process.poll() is None

    def log_end(self, size=600):
        """The last it said."""
        texts = [file.read_text(errors="replace")[-size:] for file in sorted(self.folder.rglob("*.log"))]
        return " | ".join(filter(None, map(str.strip, texts)))

    def populate(self, rosters):
        """Makes accounts with rosters while it does not run."""
        raise NotImplementedError

    def command(self, configuration):
        """The command line and what is added to the environment."""
        raise NotImplementedError

    def version(self):
        """Its version, as Debian names it."""
        raise NotImplementedError


class Adsum(Server):
    """A release build of this repository."""

    key, title, template = "adsum", "Adsum", "adsum.toml"
    protocols = ("xmpp", "sip")
    one_hash = takes_rosters = False
    program = Path(os.environ.get("ADSUM", "target/release/adsum")).resolve()
    archive = "off"
    http_parts = {"listen": '"127.0.0.1:@http@"'}

    def values(self):
        return {**super().values(), "archive": self.archive}

    def populate(self, rosters):
        batch = self.folder / "accounts"
        batch.write_text("".join(f"{name}@{DOMAIN} {PASSWORD}\n" for name in rosters))
        command = [self.program, "--config", self.configure(), "user", "add", "--batch", batch]
        found = subprocess.run(command, text=True, capture_output=True, check=False)
        if found.returncode != 0:
            raise Failed(found.stderr[-600:])

    def command(self, configuration):
        return [self.program, "serve", "--config", configuration], {}

    def version(self):
        return output(self.program, "--version").removeprefix("adsum ")


class AdsumArchive(Adsum):
    """The same with every message in the archives of both sides."""

    key, title, archive = "adsum-archive", "Adsum, archives", "30d"


def write_prosody(folder, rosters, hash_name):
    """Writes accounts and rosters as Prosody keeps them: one file each."""
    digest = {"SHA-1": "sha1", "SHA-256": "sha256"}[hash_name]
    salt = "d3a1c0de-0b9f-4e57-9d35-52d5a3b7c611"
    salted = hashlib.pbkdf2_hmac(digest, PASSWORD.encode(), salt.encode(), ITERATIONS)
    stored = hashlib.new(digest, hmac.digest(salted, b"Client Key", digest)).hexdigest()
    server = hmac.digest(salted, b"Server Key", digest).hex()
    account = (f'return {{\n\t["iteration_count"] = {ITERATIONS};\n\t["salt"] = "{salt}";\n'
               f'\t["stored_key"] = "{stored}";\n\t["server_key"] = "{server}";\n}};\n')
    for part in ("accounts", "roster"):
        (folder / part).mkdir(parents=True)
    for name, contacts in rosters.items():
        (folder / "accounts" / f"{name}.dat").write_text(account)
        if contacts:
            items = "".join(f'\t["{contact}@{DOMAIN}"] = {{ ["subscription"] = "both"; ["groups"] = {{}}; }};\n' for contact in contacts)
            (folder / "roster" / f"{name}.dat").write_text(f'return {{\n\t[false] = {{ ["version"] = 1; }};\n{items}}};\n')


class Prosody(Server):
    """Prosody with the collector that suits it best."""

    key, title, template = "prosody", "Prosody", "prosody.cfg.lua"
    collector = 'gc = { mode = "generational" }'
    http_parts = {"http_modules": ', "bosh", "websocket"',
                  "http_listen": 'http_ports = { @http@ }\nhttp_interfaces = { "127.0.0.1" }\nhttps_ports = {}\nhttp_default_host = "localhost"\n'
                                 'consider_bosh_secure = true\nconsider_websocket_secure = true'}

    def values(self):
        return {**super().values(), "gc": self.collector, "storage": '"internal"', "modules": "", "archive": ""}

    def populate(self, rosters):
        write_prosody(self.folder / "data" / DOMAIN, rosters, self.hash)

    def command(self, configuration):
        return ["prosody", "-F", "--config", configuration], {}

    def version(self):
        return package("prosody")


class ProsodyAsShipped(Prosody):
    """Prosody with the collector it has unless told otherwise."""

    key, title, collector = "prosody-as-shipped", "Prosody, GC as shipped", ""


class ProsodyArchive(Prosody):
    """Prosody with mod_mam over SQLite."""

    key, title = "prosody-archive", "Prosody, archives in SQLite"

    def values(self):
        database = self.folder / "archive.sqlite"
        return {**super().values(), "storage": '{ archive = "sql" }', "modules": ', "mam"',
                "archive": f'sql = {{ driver = "SQLite3", database = "{database}" }}\n'
                           'default_archive_policy = true\narchive_expires_after = "30d"'}


class Ejabberd(Server):
    """ejabberd without distribution, logs and waiting by spinning."""

    key, title, template = "ejabberd", "ejabberd", "ejabberd.yml"
    http_parts = {"http_listen": """  -
    port: @http@
    ip: "127.0.0.1"
    module: ejabberd_http
    backlog: 1024
    request_handlers:
      /http-bind: mod_bosh
      /xmpp-websocket: ejabberd_http_ws""",
                  "http_modules": """  mod_bosh:
    max_inactivity: 60"""}

    def values(self):
        return {**super().values(), "hash": {"SHA-1": "sha", "SHA-256": "sha256"}[self.hash]}

    def erlang(self, configuration, *more):
        command = ["erl", "-noinput", "+K", "true", "+P", "250000", "+Q", "65536", "+sbwt", "none", "+sbwtdcpu", "none",
                   "+sbwtdio", "none", "-mnesia", "dir", f'"{self.folder}/spool"', "-s", "ejabberd", *more]
        environment = {"EJABBERD_CONFIG_PATH": str(configuration), "EJABBERD_LOG_PATH": str(self.folder / "ejabberd.log"),
                       "ERL_LIBS": "/usr/lib/x86_64-linux-gnu", "ERL_CRASH_DUMP_SECONDS": "0", "HOME": str(self.folder),
                       "ERL_MAX_ETS_TABLES": "1400"}
        return command, environment

    def populate(self, rosters):
        listed = self.folder / "accounts"
        listed.write_text("".join(" ".join((name, *contacts)) + "\n" for name, contacts in rosters.items()))
        bound = f'[{{\'Rosters\', "{listed}"}}, {{\'Password\', <<"{PASSWORD}">>}}]'
        script = f'case file:eval("{PEERS}/ejabberd-accounts.erl", {bound}) of ok -> ok; E -> io:format("~p~n", [E]), halt(1) end.'
        command, environment = self.erlang(self.configure(), "-eval", script)
        found = subprocess.run(command, cwd=self.folder, env={**os.environ, **environment}, text=True, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE * 10, check=False)
        if found.returncode != 0:
            raise Failed(found.stdout[-600:])

    def command(self, configuration):
        return self.erlang(configuration)

    def version(self):
        return package("ejabberd")


class Kamailio(Server):
    """Kamailio with its fastest allocator and two workers, everything in memory."""

    key, title, template = "kamailio", "Kamailio, memory only", "kamailio.cfg"
    protocols = ("sip",)
    one_hash = False
    options = ()

    def populate(self, rosters):
        """Its script knows the password."""

    def command(self, configuration):
        return ["kamailio", "-DD", "-E", "-f", configuration, "-x", "fm", "-m", "2048", "-M", "32", "-Y", self.folder,
                "-P", self.folder / "kamailio.pid", *self.options], {}

    def version(self):
        return package("kamailio")


class KamailioSqlite(Kamailio):
    """Kamailio that writes every publication and subscription through to SQLite."""

    key, title, options = "kamailio-sqlite", "Kamailio, SQLite", ("-A", "DURABLE")

    def start(self):
        for name in ("presence.db", "presence.db-wal", "presence.db-shm"):
            (self.folder / name).unlink(missing_ok=True)
        database = sqlite3.connect(self.folder / "presence.db")
        for part in ("standard", "presence"):
            database.executescript(Path(f"/usr/share/kamailio/db_sqlite/{part}-create.sql").read_text())
        database.close()
        super().start()


ALL = (Adsum, AdsumArchive, Prosody, ProsodyAsShipped, ProsodyArchive, Ejabberd, Kamailio, KamailioSqlite)


def make(folder):
    """All servers, with their files below this folder."""
    shared = folder / "shared"
    shared.mkdir()
    make_certificate(shared)
    return {kind.key: kind(folder, shared) for kind in ALL}


def remove(folder):
    """Ends what the comparison has written."""
    shutil.rmtree(folder, ignore_errors=True)
