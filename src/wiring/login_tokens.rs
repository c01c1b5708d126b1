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
    ClientId, Credentials, Fingerprint, IssuedToken, Token, TokenAttempt, TokenFinding, TokenKey,
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

/// Judges a login; no token is good for longer than `lifetime`. `answer` is called once, possibly after the disk was waited for, with the keys of the account that the token belongs
/// to.
pub fn check(
    model: &Arc<Model>,
    key: &TokenKey,
    account: &Bare,
    attempt: &TokenAttempt,
    lifetime: Duration,
    answer: impl FnOnce(Reply, Option<Fingerprint>) + Send + 'static,
) {
    let Ok((keys, disabled, tokens)) = found(model, account, attempt.client) else {
        return answer(Reply::Fault, None);
    };
    let now = model.now().utc;
    let within: Vec<_> = tokens
        .iter()
        .map(|it| it.clone().within(lifetime))
        .collect();
    let (nonce, responder, used, is_old) =
        match key.judge(account.as_str(), attempt, &within, keys, now) {
            TokenFinding::Wrong => return answer(Reply::TokenWrong, None),
            TokenFinding::Expired => return answer(Reply::TokenExpired, None),
            TokenFinding::Replayed => return answer(Reply::TokenReplayed, None),
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
    let changes = !used || attempt.count.is_some() || attempt.invalidate;
    if disabled || attempt.is_refused || !(changes || ends_another(&tokens, nonce)) {
        return answer(right, keys);
    }
    let count = attempt.count;
    let stored = Answer::new(move |result| match result {
        Ok(()) => answer(right, keys),
        // Another connection was faster.
        Err(Refusal::Conflict) if count.is_some() => answer(Reply::TokenReplayed, None),
        Err(Refusal::Conflict | Refusal::NotFound) => answer(Reply::TokenExpired, None),
        Err(_) => answer(Reply::Fault, None),
    });
    let client = attempt.client.0;
    if attempt.invalidate {
        model.revoke_login_tokens(account, client, nonce, count, &stored);
    } else {
        model.use_login_token(account, client, nonce, count, &stored);
    }
}

/// Whoever uses a token gives up those that end before it (XEP-0484 §3.5).
fn ends_another(tokens: &[IssuedToken], used: [u8; 16]) -> bool {
    let used = tokens.iter().find(|it| it.nonce == used);
    used.is_some_and(|used| tokens.iter().any(|it| it.expires < used.expires))
}

/// Makes a token for a client that has just logged in with these keys; `nonce` is fresh. `answer` is called once, after it is on disk, with
/// the token and the time of its end.
pub fn issue(
    model: &Arc<Model>,
    key: &TokenKey,
    wanted: (&Bare, ClientId, TokenMechanism),
    keys: Fingerprint,
    nonce: [u8; 16],
    terms: Terms,
    answer: impl FnOnce(Option<(Token, Utc)>) + Send + 'static,
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
        answer(result.ok().map(|()| (token, expires)));
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
