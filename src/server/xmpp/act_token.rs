//! Tokens to log in with, for a session that is not bound yet.

use std::sync::Arc;

use presence::Bare;
use xmpp::action::Reply;
use xmpp::sasl::{ClientId, TokenMechanism};

use super::{Connection, Inbound};
use crate::wiring::login_tokens::{self, Terms};

impl Connection {
    /// Makes a token for the client that has just logged in. The session waits for it.
    pub(super) fn issue_token(
        &mut self,
        account: &Bare,
        client: ClientId,
        mechanism: TokenMechanism,
    ) {
        let Some(keys) = self.proven else {
            let now = self.now();
            return self.session.handle_reply(now, Reply::Issued(None));
        };
        let limits = self.shared.config.limits.login_tokens;
        let terms = Terms {
            per_account: limits.per_account,
            lifetime: limits.lifetime,
        };
        let (link, inbox) = (Arc::clone(&self.link), Arc::clone(&self.inbox));
        let answer =
            move |token| inbox.leave(&link, Inbound::reply(Reply::Issued(token), None, None));
        login_tokens::issue(
            &self.shared.model,
            &self.shared.xmpp.tokens,
            (account, client, mechanism),
            keys,
            rand::random(),
            terms,
            answer,
        );
    }
}
