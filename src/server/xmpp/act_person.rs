//! Cards, private storage and the directory, for a session.

use std::sync::Arc;

use presence::Bare;
use xmpp::person::Person;

use super::Connection;
use crate::server::turn::turn;
use crate::wiring::person;

impl Connection {
    pub(super) fn act_person(&mut self, account: &Bare, wanted: Person) {
        let (link, turn_of) = (Arc::clone(&self.link), self.in_order());
        let answer = move |octets: Vec<u8>| {
            let _turn = turn_of;
            link.append(|out| out.extend_from_slice(&octets));
        };
        let model = Arc::clone(&self.shared.model);
        if !matches!(wanted, Person::Search { .. }) {
            person::act(&model, account, wanted, answer);
            return;
        }
        // A search may read all accounts: it runs beside the threads that serve connections, and few do at once.
        let (shared, account) = (Arc::clone(&self.shared), account.clone());
        tokio::spawn(async move {
            let Ok(permit) = Arc::clone(&shared.chores).acquire_owned().await else {
                return;
            };
            let search = move || {
                let _permit = permit;
                turn(|| person::act(&model, &account, wanted, answer));
            };
            let _ = tokio::task::spawn_blocking(search).await;
        });
    }
}
