//! Rosters, set up as people do it: one asks, the other grants.

use crate::failure::Result;
use crate::xmpp::Client;

/// The bare address of a session.
fn bare(client: &Client) -> String {
    let jid = client.jid.split('/').next();
    jid.unwrap_or_default().to_owned()
}

/// Makes `watcher` see the presence of `person`; nothing is asked where the roster has it.
pub(crate) async fn befriend(watcher: &mut Client, person: &mut Client) -> Result<()> {
    let (asking, granting) = (bare(watcher), bare(person));
    watcher
        .send("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>")
        .await?;
    loop {
        let iq = watcher.expect("<iq").await?;
        let text = String::from_utf8_lossy(&iq);
        if text.contains("id='roster'") || text.contains("id=\"roster\"") {
            if sees(&text, &granting) {
                return Ok(());
            }
            break;
        }
    }
    let ask = format!("<presence type='subscribe' to='{granting}'/>");
    watcher.send(&ask).await?;
    wait(person, "subscribe", &asking).await?;
    let grant = format!("<presence type='subscribed' to='{asking}'/>");
    person.send(&grant).await?;
    wait(watcher, "subscribed", &granting).await
}

/// Whether a roster lists a contact with a subscription to it.
fn sees(roster: &str, contact: &str) -> bool {
    roster.split("<item").skip(1).any(|item| {
        let tag = item.split('>').next().unwrap_or_default().replace('"', "'");
        tag.contains(&format!("jid='{contact}'"))
            && (tag.contains("subscription='to'") || tag.contains("subscription='both'"))
    })
}

/// Waits for presence of a type from someone.
async fn wait(client: &mut Client, kind: &str, from: &str) -> Result<()> {
    loop {
        let presence = client.expect("<presence").await?;
        let text = String::from_utf8_lossy(&presence).replace('"', "'");
        if text.contains(&format!("type='{kind}'")) && text.contains(&format!("from='{from}")) {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rosters_are_read_by_item() {
        let roster = "<iq><query><item jid=\"a@d\" subscription=\"to\"/><item subscription='from' jid='b@d'><group>g</group></item></query></iq>";
        assert!(sees(roster, "a@d"));
        assert!(!sees(roster, "b@d"));
        assert!(!sees(roster, "c@d"));
    }
}
