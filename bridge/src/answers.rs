//! Every answer to a request, as data: `docs/sip-answers.md` is printed from it, and a test walks it.

use std::fmt::Write as _;

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The method, or `any`, or `*` for those that are challenged.
    pub method: &'static str,
    /// When.
    pub condition: &'static str,
    /// The status; 0 where there is no answer.
    pub status: u16,
    /// Header fields that the answer has beside the usual ones.
    pub fields: &'static [&'static str],
}

const fn row(
    method: &'static str,
    condition: &'static str,
    status: u16,
    fields: &'static [&'static str],
) -> Answer {
    Answer {
        method,
        condition,
        status,
        fields,
    }
}

/// The answers, in the order in which requests are looked at.
pub const ANSWERS: &[Answer] = &[
    row("ACK", "always", 0, &[]),
    row(
        "any",
        "more requests wait for the model than the limit",
        503,
        &["Retry-After"],
    ),
    row("CANCEL", "no transaction matches", 481, &[]),
    row("NOTIFY", "always: we subscribe to nothing", 481, &[]),
    row("any", "unknown method", 501, &["Allow"]),
    row(
        "any",
        "INVITE, BYE, INFO, UPDATE, REFER, PRACK",
        405,
        &["Allow"],
    ),
    row("any", "Request-URI is neither sip nor sips", 416, &[]),
    row(
        "any",
        "an extension in Require is not known",
        420,
        &["Unsupported"],
    ),
    row("any", "the body has an encoding", 415, &["Accept-Encoding"]),
    row(
        "any",
        "the body has a type that the method does not take",
        415,
        &["Accept"],
    ),
    row("any", "the body has no Content-Type", 400, &[]),
    row(
        "any",
        "Request-URI is sips and the request did not come over TLS",
        416,
        &[],
    ),
    row(
        "any",
        "the request is one of our own that was sent back",
        482,
        &[],
    ),
    row(
        "*",
        "no credentials for the domain of From",
        401,
        &["WWW-Authenticate"],
    ),
    row(
        "*",
        "the password is wrong, or there is no such user",
        401,
        &["WWW-Authenticate"],
    ),
    row(
        "*",
        "the nonce is too old or used up",
        401,
        &["WWW-Authenticate"],
    ),
    row("*", "the credentials cannot be read", 400, &[]),
    row("*", "too many failed attempts from there", 403, &[]),
    row("*", "From names nobody", 403, &[]),
    row(
        "*",
        "From leads to another account than the credentials",
        403,
        &[],
    ),
    row("*", "the target's domain is not served here", 404, &[]),
    row(
        "*",
        "the target's domain is not served here and Max-Forwards is 0",
        483,
        &[],
    ),
    row("*", "there is no such user", 404, &[]),
    row("*", "a limit of the account is reached", 403, &[]),
    row("*", "the account is disabled", 403, &[]),
    row("*", "the account has blocked the target", 403, &[]),
    row("*", "the store is overloaded", 503, &["Retry-After"]),
    row("*", "the store failed", 500, &[]),
    row("REGISTER", "To is not a SIP URI", 400, &[]),
    row("REGISTER", "To is somebody else", 403, &[]),
    row(
        "REGISTER",
        "the domain of the Request-URI is not served here",
        404,
        &[],
    ),
    row("REGISTER", "Contact cannot be read", 400, &[]),
    row("REGISTER", "Contact is * and Expires is not 0", 400, &[]),
    row("REGISTER", "more contacts than 16", 400, &[]),
    row("REGISTER", "a lifetime is too short", 423, &["Min-Expires"]),
    row(
        "REGISTER",
        "Path without Supported: path",
        421,
        &["Require"],
    ),
    row(
        "REGISTER",
        "CSeq is not above the last one of its Call-ID",
        500,
        &[],
    ),
    row(
        "REGISTER",
        "bindings were changed, or asked for",
        200,
        &["Contact", "Date"],
    ),
    row("PUBLISH", "the Request-URI is somebody else", 403, &[]),
    row(
        "PUBLISH",
        "Event is missing or another than presence",
        489,
        &["Allow-Events"],
    ),
    row("PUBLISH", "more than one SIP-If-Match", 400, &[]),
    row("PUBLISH", "SIP-If-Match is no token", 400, &[]),
    row("PUBLISH", "Expires cannot be read", 400, &[]),
    row(
        "PUBLISH",
        "the lifetime is too short",
        423,
        &["Min-Expires"],
    ),
    row("PUBLISH", "neither body nor SIP-If-Match", 400, &[]),
    row(
        "PUBLISH",
        "the document is not well-formed, too large or not PIDF",
        400,
        &[],
    ),
    row(
        "PUBLISH",
        "the entity of the document cannot be read",
        400,
        &[],
    ),
    row(
        "PUBLISH",
        "the entity of the document is somebody else",
        403,
        &[],
    ),
    row("PUBLISH", "no publication has this entity tag", 412, &[]),
    row(
        "PUBLISH",
        "created, refreshed, changed or removed",
        200,
        &["SIP-ETag", "Expires"],
    ),
    row(
        "SUBSCRIBE",
        "Event is missing or not known",
        489,
        &["Allow-Events"],
    ),
    row(
        "SUBSCRIBE",
        "Accept does not have the type of the package",
        406,
        &["Accept"],
    ),
    row("SUBSCRIBE", "Expires cannot be read", 400, &[]),
    row(
        "SUBSCRIBE",
        "the lifetime is too short",
        423,
        &["Min-Expires"],
    ),
    row(
        "SUBSCRIBE",
        "not exactly one Contact with a SIP URI",
        400,
        &[],
    ),
    row("SUBSCRIBE", "message-summary of somebody else", 403, &[]),
    row(
        "SUBSCRIBE",
        "more subscriptions than the limit",
        503,
        &["Retry-After"],
    ),
    row(
        "SUBSCRIBE",
        "the presentity denies or blocks the watcher",
        403,
        &[],
    ),
    row(
        "SUBSCRIBE",
        "in a dialog that does not exist, or of another event",
        481,
        &[],
    ),
    row("SUBSCRIBE", "in a dialog of somebody else", 403, &[]),
    row(
        "SUBSCRIBE",
        "in a dialog, with a CSeq below the last one",
        500,
        &["Retry-After"],
    ),
    row(
        "SUBSCRIBE",
        "begun, refreshed, ended or looked once",
        200,
        &["Expires", "Contact", "Allow-Events"],
    ),
    row("MESSAGE", "in a dialog", 481, &[]),
    row("MESSAGE", "no body", 400, &[]),
    row("MESSAGE", "the text is not in its character set", 400, &[]),
    row(
        "MESSAGE",
        "a character set that is not known",
        415,
        &["Accept"],
    ),
    row(
        "MESSAGE",
        "nobody takes it, and it cannot be stored; or the sender is blocked",
        480,
        &[],
    ),
    row("MESSAGE", "stored", 202, &[]),
    row("MESSAGE", "delivered", 200, &[]),
    row(
        "MESSAGE",
        "a notice of typing (application/im-iscomposing+xml)",
        200,
        &[],
    ),
    row("OPTIONS", "in a dialog", 481, &[]),
    row("OPTIONS", "the domain is not served here", 404, &[]),
    row(
        "OPTIONS",
        "the domain is not served here and Max-Forwards is 0",
        483,
        &[],
    ),
    row(
        "OPTIONS",
        "the domain is served here",
        200,
        &["Allow", "Accept", "Supported", "Allow-Events"],
    ),
];

const HEAD: &str = "# Answers to SIP requests

Requests are looked at in the order of RFC 3261 §8.2; the first row that fits answers. `*` stands for the methods that are
challenged when `require_auth` is set: REGISTER, PUBLISH, SUBSCRIBE and MESSAGE. Where a 400 or 403 needs it, the reason
phrase says what is wrong.

Before this the transaction layer answers what needs no meaning: 400 for what cannot be read (its reason phrase names the
field), 505 for another version, 513 for what is too large, 482 for a request that came by two ways, 503 above the limit of
transactions, 200 for a CANCEL that matches.

This page is printed from the table in the source.

| method | when | status | fields |
|---|---|---|---|
";

/// The page `docs/sip-answers.md`.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for answer in ANSWERS {
        let status = match answer.status {
            0 => "none".to_owned(),
            status => format!("{status} {}", sip::message::reason_phrase(status)),
        };
        let method = answer.method.replace('*', "\\*");
        let condition = answer.condition.replace('*', "\\*");
        let fields = answer.fields.join(", ");
        let _ = writeln!(page, "| {method} | {condition} | {status} | {fields} |");
    }
    page
}
