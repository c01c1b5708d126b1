//! Logins by token (XEP-0484): what the store keeps, judged by the rules of the protocol, and what follows from it stored before it is
//! told.

use std::sync::Arc;
use std::time::Duration;

use model::Model;
use model::commit::Reply as Answer;
use presence::{Bare, Refusal, Utc};
use store::LoginToken;
use xmpp::action::Reply;
use xmpp::sasl::{
    ClientId, Credentials, Fingerprint, IssuedToken, TokenAttempt, TokenFinding, TokenKey,
    TokenMechanism,
};

/// How long tokens are good, and how many clients of an account have some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Clients with tokens.
    pub per_account: u32,
    /// From the issue of one to its end.
    pub lifetime: Duration,
}

/// Judges a login. `answer` is called once, possibly after the disk was waited for, with the keys of the account that the token belongs
/// to.
pub fn check(
    model: &Arc<Model>,
    key: &TokenKey,
    account: &Bare,
    attempt: &TokenAttempt,
    answer: impl FnOnce(Reply, Option<Fingerprint>) + Send + 'static,
) {
    let Ok((keys, disabled, tokens)) = found(model, account, attempt.client) else {
        return answer(Reply::Fault, None);
    };
    let now = model.now().utc;
    let (nonce, responder, used, is_old) =
        match key.judge(account.as_str(), attempt, &tokens, keys, now) {
            TokenFinding::Wrong => return answer(Reply::TokenWrong, None),
            TokenFinding::Expired => return answer(Reply::TokenExpired, None),
            TokenFinding::Proven {
                nonce,
                responder,
                used,
                is_old,
            } => (nonce, responder, used, is_old),
        };
    let right = Reply::Token {
        responder,
        is_old,
        disabled,
    };
    // Most logins change nothing and wait for no disk. Whoever may not log in has used nothing.
    if disabled || (used && attempt.count.is_none() && !attempt.invalidate) {
        return answer(right, keys);
    }
    let stored = Answer::new(move |result| match result {
        Ok(()) => answer(right, keys),
        Err(Refusal::Conflict | Refusal::NotFound) => answer(Reply::TokenWrong, None),
        Err(_) => answer(Reply::Fault, None),
    });
    let client = attempt.client.0;
    if attempt.invalidate {
        model.remove_login_tokens(account, client, &stored);
    } else {
        model.use_login_token(account, client, nonce, attempt.count, &stored);
    }
}

/// Makes a token for a client that has just logged in with these keys; `nonce` is fresh. `answer` is called once, after it is on disk, with
/// the token in clear and the time of its end.
pub fn issue(
    model: &Arc<Model>,
    key: &TokenKey,
    wanted: (&Bare, ClientId, TokenMechanism),
    keys: Fingerprint,
    nonce: [u8; 16],
    terms: Terms,
    answer: impl FnOnce(Option<(String, Utc)>) + Send + 'static,
) {
    let (account, client, mechanism) = wanted;
    let issued = model.now().utc;
    let life = i64::try_from(terms.lifetime.as_millis()).unwrap_or(i64::MAX);
    // Told in whole seconds, so kept in whole seconds.
    let expires = Utc(issued.0.saturating_add(life) / 1000 * 1000);
    let token = key.token(account.as_str(), client, &nonce);
    let kept = LoginToken {
        client: client.0,
        used: false,
        mechanism: mechanism.number(),
        nonce,
        password: keys.0,
        issued,
        expires,
        count: 0,
    };
    let stored = Answer::new(move |result: Result<(), Refusal>| {
        answer(result.ok().map(|()| (token.reveal().to_owned(), expires)));
    });
    model.keep_login_token(account, kept, terms.per_account, &stored);
}

type Found = (Option<Fingerprint>, bool, Vec<IssuedToken>);

/// The present keys of an account, whether it may not log in, and the tokens of a client. Nothing for an account that does not exist.
fn found(model: &Model, account: &Bare, client: ClientId) -> Result<Found, ()> {
    let read = model.store().login_tokens(account, &client.0);
    let read = read.map_err(|error| {
        tracing::error!(%error, %account, "login tokens could not be read");
    })?;
    let Some((credentials, tokens)) = read else {
        return Ok((None, false, Vec::new()));
    };
    let keys = Credentials::from_bytes(&credentials.scram).map_err(|error| {
        tracing::error!(%error, %account, "stored credentials are damaged: set the password again");
    })?;
    let tokens = tokens.into_iter().filter_map(issued).collect();
    Ok((Some(keys.fingerprint()), credentials.disabled, tokens))
}

/// A token as it was issued; `None` for a mechanism that is not known here.
fn issued(token: LoginToken) -> Option<IssuedToken> {
    Some(IssuedToken {
        mechanism: TokenMechanism::from_number(token.mechanism)?,
        nonce: token.nonce,
        password: Fingerprint(token.password),
        issued: token.issued,
        expires: token.expires,
        count: token.count,
        used: token.used,
    })
}
