//! Whom an account blocks (XEP-0191), done on the model.

use std::sync::Arc;

use model::SessionId;
use model::commit::Reply;
use presence::{Bare, BlockList};
use xmpp::action::{BlockWish, IqContext};
use xmpp::answer;

use super::Connection;
use super::act::{done, refuse};

impl Connection {
    pub(super) fn blocking(
        &mut self,
        account: &Bare,
        session: SessionId,
        iq: IqContext,
        wish: BlockWish,
    ) {
        let model = Arc::clone(&self.shared.model);
        let (link, turn) = (Arc::clone(&self.link), self.in_order());
        match wish {
            BlockWish::List => {
                let reply = Reply::new(move |list: Result<Arc<BlockList>, _>| {
                    let _turn = turn;
                    match list {
                        Ok(list) => link.append(|out| answer::blocklist(out, &iq, &list)),
                        Err(refusal) => refuse(&link, &iq, &refusal),
                    }
                });
                model.blocklist(account, session, &reply);
            }
            BlockWish::Block(addresses, reports) => {
                model.block(account, addresses, reports, &done(link, iq, turn));
            }
            BlockWish::Unblock(addresses) => {
                model.unblock(account, addresses, &done(link, iq, turn));
            }
        }
    }
}
