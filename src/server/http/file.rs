//! A file as it is handed out: its type, its ETag, its compressed form.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Bytes;
use hyper::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_MATCH,
    IF_NONE_MATCH, VARY,
};
use hyper::{Response, StatusCode};

use super::answer::{Answer, Content, empty, plain};
use super::compress::{shrinks, takes_gzip};

/// What is smaller is not worth a second form.
const LEAST: usize = 1400;

/// A file as it is handed out.
pub(super) struct File {
    kind: &'static str,
    /// Of its octets, without quotes.
    tag: String,
    bytes: Bytes,
    gzip: Option<Bytes>,
}

impl File {
    /// A file by its name and its octets. Compresses it, which takes its time.
    pub(super) fn new(name: &str, bytes: Bytes) -> Self {
        let kind = kind(name);
        let digest = ring::digest::digest(&ring::digest::SHA256, &bytes);
        let half = digest.as_ref().first_chunk::<16>();
        let half = half.map_or(0, |half| u128::from_be_bytes(*half));
        let gzip = (bytes.len() >= LEAST && shrinks(kind.as_bytes()))
            .then(|| compressed(&bytes))
            .flatten();
        Self {
            kind,
            tag: format!("{half:032x}"),
            bytes,
            gzip,
        }
    }

    /// The memory it takes.
    pub(super) fn size(&self) -> usize {
        self.bytes.len() + self.gzip.as_ref().map_or(0, Bytes::len)
    }

    /// The answer that hands it out, or says that the client has it (RFC 9110 §13.1.2).
    pub(super) fn answer(&self, asked: &HeaderMap, lasting: &'static str) -> Answer {
        let gzip = self.gzip.as_ref().filter(|_| takes_gzip(asked));
        let tag = match gzip {
            Some(_) => format!("\"{}-gzip\"", self.tag),
            None => format!("\"{}\"", self.tag),
        };
        if !Self::is_wanted(asked, &tag) {
            return plain(StatusCode::PRECONDITION_FAILED, "This file has changed.\n");
        }
        let mut answer = if self.is_known(asked) {
            empty(StatusCode::NOT_MODIFIED)
        } else {
            let mut answer = Response::new(Content::from(gzip.unwrap_or(&self.bytes).clone()));
            let headers = answer.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.kind));
            if gzip.is_some() {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            answer
        };
        let headers = answer.headers_mut();
        if let Ok(tag) = HeaderValue::try_from(tag) {
            headers.insert(ETAG, tag);
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(lasting));
        if self.gzip.is_some() {
            headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        answer
    }

    /// Who wants a certain form gets that or nothing (RFC 9110 §13.1.1).
    fn is_wanted(asked: &HeaderMap, tag: &str) -> bool {
        let mut wanted = asked.get_all(IF_MATCH).iter().peekable();
        wanted.peek().is_none()
            || wanted.any(|value| {
                let mut tags = value.to_str().unwrap_or("").split(',').map(str::trim);
                tags.any(|wanted| wanted == "*" || wanted == tag)
            })
    }

    /// Both forms are the same file.
    fn is_known(&self, asked: &HeaderMap) -> bool {
        let mut known = asked.get_all(IF_NONE_MATCH).iter();
        known.any(|value| {
            let mut tags = value.to_str().unwrap_or("").split(',').map(str::trim);
            tags.any(|tag| {
                let tag = tag.strip_prefix("W/").unwrap_or(tag);
                let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
                tag == "*"
                    || inner.is_some_and(|it| it.strip_suffix("-gzip").unwrap_or(it) == self.tag)
            })
        })
    }
}

fn compressed(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).ok()?;
    let small = encoder.finish().ok()?;
    (small.len() < bytes.len()).then(|| small.into())
}

/// The type of a file by its name.
fn kind(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending.to_ascii_lowercase().as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" | "md" => "text/plain; charset=utf-8",
        "xml" => "application/xml",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "wasm" => "application/wasm",
        "mp3" => "audio/mpeg",
        "ogg" | "oga" | "opus" => "audio/ogg",
        "wav" => "audio/wav",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use hyper::header::ACCEPT_ENCODING;

    use super::*;

    fn asked(all: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn forms_and_tags() {
        let file = File::new("app.js", Bytes::from(vec![b'a'; 5000]));
        let plain = file.answer(&asked(&[]), "no-cache");
        assert_eq!(plain.body().bytes().len(), 5000);
        let small = file.answer(&asked(&[(ACCEPT_ENCODING.as_str(), "gzip")]), "no-cache");
        assert!(small.body().bytes().len() < 100);
        assert_eq!(small.headers()[CONTENT_ENCODING], "gzip");
        assert_eq!(small.headers()[VARY], "Accept-Encoding");
        assert_ne!(small.headers()[ETAG], plain.headers()[ETAG]);
        for answer in [&plain, &small] {
            let tag = answer.headers()[ETAG].to_str().unwrap();
            for known in [tag.to_owned(), format!("\"x\", W/{tag}"), "*".to_owned()] {
                let again = file.answer(&asked(&[("if-none-match", &known)]), "no-cache");
                assert_eq!(again.status(), 304, "{known}");
                assert!(again.body().bytes().is_empty());
                assert!(again.headers().contains_key(ETAG));
            }
            let other = File::new("app.js", Bytes::from(vec![b'b'; 5000]));
            let again = other.answer(&asked(&[("if-none-match", tag)]), "no-cache");
            assert_eq!(again.status(), 200);
        }
        for (wanted, status) in [
            (plain.headers()[ETAG].to_str().unwrap(), 200),
            ("*", 200),
            ("\"x\"", 412),
            ("W/\"x\"", 412),
        ] {
            let answer = file.answer(&asked(&[("if-match", wanted)]), "no-cache");
            assert_eq!(answer.status(), status, "{wanted}");
        }
        let picture = File::new("a.png", Bytes::from(vec![b'a'; 5000]));
        let picture = picture.answer(&asked(&[("accept-encoding", "gzip")]), "no-cache");
        assert!(!picture.headers().contains_key(VARY));
        assert_eq!(picture.headers()[CONTENT_TYPE], "image/png");
    }
}
