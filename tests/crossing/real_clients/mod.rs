//! Real SIP clients and an XMPP user who see each other and talk. Slow: left out by `tests/run quick`.

mod baresip;
mod linphonec;
mod process;
mod sipp;

use std::path::{Path, PathBuf};

use process::Process;

use crate::support::server::password;
use crate::support::{DOMAIN, Server};

/// Clients recover from an end of the server within seconds.
const FAST: &str = "[limits]\n\
    register_expires = { min = \"1s\", default = \"1h\", max = \"2h\" }\n\
    publish_expires = { min = \"1s\", default = \"1h\", max = \"2h\" }\n\
    notify_pace = \"100ms\"";

/// Copies the files of `tests/clients/sip/{client}` into a folder of the test, with what is particular to it filled in.
fn filled(server: &Server, client: &str, user: &str, transport: &str) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/clients/sip")
        .join(client);
    let to = server.folder().join(client);
    std::fs::create_dir_all(&to).unwrap();
    let key = if transport == "tcp" {
        "sip.tcp"
    } else {
        "sip.udp"
    };
    let address = server.address(key).to_string();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let mut text = std::fs::read_to_string(entry.path()).unwrap();
        for (name, value) in [
            ("{user}", user),
            ("{password}", &password(user)),
            ("{friend}", "ann"),
            ("{server}", &address),
            ("{domain}", DOMAIN),
            ("{transport}", transport),
        ] {
            text = text.replace(name, value);
        }
        std::fs::write(to.join(entry.file_name()), text).unwrap();
    }
    to
}
