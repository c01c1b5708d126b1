-- What presence and messages need and no more: no limits, no archive, no servers, no logs but errors.
run_as_root = true -- where it is started by root
daemonize = false
pidfile = "@folder@/prosody.pid"
data_path = "@folder@/data"
certificates = "@folder@"
log = { error = "*console" }

@gc@
network_backend = "epoll"
network_settings = { tcp_backlog = 1024 }

interfaces = { "127.0.0.1" }
c2s_ports = { @xmpp@ }
c2s_direct_tls_ports = { @xmpps@ }
ssl = { certificate = "@certificate@"; key = "@key@" }
c2s_require_encryption = false
allow_unencrypted_plain_auth = true

authentication = "internal_hashed"
password_hash = "@hash@"
storage = @storage@
default_storage = "internal"

modules_enabled = { "roster", "saslauth", "tls", "disco"@modules@@http_modules@ }
modules_disabled = { "s2s" }
@archive@
@http_listen@

VirtualHost "localhost"
