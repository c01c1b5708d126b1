//! MESSAGE from phones (RFC 3428, RFC 7572 §5).

use presence::{Address, Bare, Message, MessageKind, MessageNative, Note, sip_address};
use sip::header::MediaType;
use sip::{HeaderName, Request};

use crate::action::Action;
use crate::bridge::{Bridge, Now};
use crate::reply::{Reply, malformed};
use crate::screening::{COMPOSING, MESSAGE_TYPES};
use crate::waiting::{Job, Waiting};

impl<R: Copy> Bridge<R> {
    pub(crate) fn message(&mut self, now: Now, job: Box<Job<R>>, from: Bare, to: Bare) {
        match read(now, &job.request, from, to) {
            Ok(Some(message)) => {
                let (message, flow) = (Box::new(message), job.flow.to_string().into());
                self.ask(Action::Message { message, flow }, Waiting::Sent { job });
            }
            // A notice of typing is heard and goes nowhere: it is not worth an error.
            Ok(None) => self.respond(&job, Reply::new(200)),
            Err(reply) => self.respond(&job, reply),
        }
    }
}

fn read(now: Now, request: &Request, from: Bare, to: Bare) -> Result<Option<Message>, Reply> {
    let headers = &request.headers;
    if request.body.is_empty() {
        return Err(Reply::because(400, "Missing Body"));
    }
    let media = headers
        .content_type()
        .map_err(|_| malformed("Content-Type"))?;
    let media = media.ok_or_else(|| Reply::because(400, "Missing Content-Type"))?;
    if media.is(COMPOSING) {
        return Ok(None);
    }
    let text = text(&media, &request.body)?;
    let lang = headers
        .list(&HeaderName::ContentLanguage)
        .next()
        .map(str::to_owned);
    let note = |text: String| Note {
        lang: lang.clone(),
        text,
    };
    let resource = request
        .uri
        .gr()
        .filter(|gr| !gr.is_empty())
        .and_then(|gr| sip_address::from_gr(gr).ok());
    let subject = headers
        .get(&HeaderName::Subject)
        .map(clean)
        .filter(|s| !s.is_empty());
    Ok(Some(Message {
        from: Address::from(from),
        to: Address { bare: to, resource },
        // RFC 7572 §5: absent or `normal`, nothing else.
        kind: MessageKind::Normal,
        id: headers
            .via()
            .ok()
            .and_then(|via| via.branch().map(Into::into)),
        thread: headers.call_id().ok().map(Into::into),
        subjects: subject.map(note).into_iter().collect(),
        bodies: vec![note(text)],
        native: MessageNative::Sip {
            content_type: media.to_string().into(),
            body: request.body.clone(),
        },
        received: now.utc,
        archived: None,
    }))
}

/// The text in its character set; UTF-8 when none is named (RFC 3428 §7).
fn text(media: &MediaType, body: &[u8]) -> Result<String, Reply> {
    let charset = media
        .params
        .unquoted("charset")
        .unwrap_or("utf-8".into())
        .to_ascii_lowercase();
    match charset.as_str() {
        "utf-8" | "utf8" | "us-ascii" | "ascii" => match std::str::from_utf8(body) {
            Ok(text) => Ok(clean(text)),
            Err(_) => Err(Reply::because(400, "Body Is Not UTF-8")),
        },
        "iso-8859-1" | "latin1" => Ok(clean(
            &body.iter().map(|b| char::from(*b)).collect::<String>(),
        )),
        _ => Err(Reply::because(415, "Unsupported Charset").with(
            HeaderName::Accept,
            format!("{};charset=utf-8", MESSAGE_TYPES[0]),
        )),
    }
}

/// What XML cannot hold is left out; line ends are those of XML.
fn clean(text: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept = |c: &char| match c {
        '\n' | '\t' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        c => !c.is_control(),
    };
    lines.chars().filter(kept).collect()
}
