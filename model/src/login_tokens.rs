//! What clients log in with instead of a password: kept and told apart by the store, opaque to the model.

use std::sync::Arc;

use presence::Bare;
use store::{LoginToken, Op};

use crate::commit::Reply;
use crate::shards::Model;

impl Model {
    /// Keeps a token that was just made. `Conflict` when the account may not log in any more. Of more than `most` clients of an account
    /// those who got theirs longest ago lose them.
    pub fn keep_login_token(
        self: &Arc<Self>,
        account: &Bare,
        token: LoginToken,
        most: u32,
        reply: &Reply<()>,
    ) {
        let op = Op::LoginTokenPut {
            account: account.clone(),
            token: Box::new(token),
            most,
        };
        self.unit(vec![op], reply, |_| {});
    }

    /// A token was used, with this count: what the client was given before is gone. `Conflict` when it was taken back in the meantime, or
    /// another connection came with that count.
    pub fn use_login_token(
        self: &Arc<Self>,
        account: &Bare,
        client: [u8; 16],
        nonce: [u8; 16],
        count: Option<u64>,
        reply: &Reply<()>,
    ) {
        let op = Op::LoginTokenUsed {
            account: account.clone(),
            client,
            nonce,
            count,
        };
        self.unit(vec![op], reply, |_| {});
    }

    /// A token was used, with this count, to take all tokens of the client back. `Conflict` as for [`Model::use_login_token`].
    pub fn revoke_login_tokens(
        self: &Arc<Self>,
        account: &Bare,
        client: [u8; 16],
        nonce: [u8; 16],
        count: Option<u64>,
        reply: &Reply<()>,
    ) {
        let op = Op::LoginTokensRevoke {
            account: account.clone(),
            client,
            nonce,
            count,
        };
        self.unit(vec![op], reply, |_| {});
    }
}
