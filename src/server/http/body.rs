//! The body of a request, within limits on its size, its time and what it is inflated to.

use std::fmt::Display;
use std::io::Read;
use std::time::Duration;

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http_body_util::BodyExt as _;
use hyper::StatusCode;
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::{ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, HeaderMap, HeaderValue};
use tokio::time::{Instant, timeout_at};

use super::answer::{Answer, plain};
use super::context::Context;
use crate::config::show_size;

/// So much of a body that is too large is read and thrown away, so that its sender gets to read the answer.
const DRAINED: usize = 1 << 20;
/// And for so long.
const DRAINING: Duration = Duration::from_secs(2);

/// The body of a request, read and inflated, of at most `most` octets. Whoever has no limit of his own says
/// `[limits] http_request_size`.
pub(crate) async fn read(
    context: &Context,
    headers: &HeaderMap,
    body: Incoming,
    most: usize,
) -> Result<Bytes, BadBody> {
    let deadline = Instant::now() + context.shared().config.limits.http_request_time;
    read_by(headers, body, most, deadline).await
}

async fn read_by<B>(
    headers: &HeaderMap,
    body: B,
    most: usize,
    deadline: Instant,
) -> Result<Bytes, BadBody>
where
    B: Body<Data = Bytes, Error: Display> + Unpin,
{
    let coding = Coding::of(headers)?;
    let octets = collect(body, most, deadline).await?;
    match coding {
        Coding::Identity => Ok(octets),
        Coding::Gzip => inflate(MultiGzDecoder::new(&*octets), most),
        // The zlib format (RFC 9110 §8.4.1.2), and what some send instead.
        Coding::Deflate if is_zlib(&octets) => inflate(ZlibDecoder::new(&*octets), most),
        Coding::Deflate => inflate(DeflateDecoder::new(&*octets), most),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Identity,
    Gzip,
    Deflate,
}

impl Coding {
    fn of(headers: &HeaderMap) -> Result<Self, BadBody> {
        let mut all = headers.get_all(CONTENT_ENCODING).iter();
        let coding = match (all.next().map(HeaderValue::to_str), all.next()) {
            (None, _) => "",
            (Some(Ok(coding)), None) => coding.trim(),
            _ => return Err(BadBody::UnknownCoding),
        };
        match coding.to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            _ => Err(BadBody::UnknownCoding),
        }
    }
}

async fn collect<B>(mut body: B, most: usize, deadline: Instant) -> Result<Bytes, BadBody>
where
    B: Body<Data = Bytes, Error: Display> + Unpin,
{
    // Announced as too large: not a byte of it is asked for (RFC 9110 §10.1.1).
    let announced = body.size_hint();
    if announced.lower() > most as u64 {
        return Err(BadBody::TooLarge(most));
    }
    let mut first = Bytes::new();
    let mut all = Vec::new();
    while !body.is_end_stream() {
        let frame = match timeout_at(deadline, body.frame()).await {
            Err(_) => return Err(BadBody::TooSlow),
            Ok(None) => break,
            Ok(Some(Err(error))) => return Err(BadBody::Broken(error.to_string())),
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(piece) = frame.into_data() else {
            continue;
        };
        if first.len() + all.len() + piece.len() > most {
            drain(&mut body).await;
            return Err(BadBody::TooLarge(most));
        }
        // What comes in one piece is not copied.
        if first.is_empty() && all.is_empty() {
            first = piece;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&std::mem::take(&mut first));
        }
        all.extend_from_slice(&piece);
    }
    Ok(if all.is_empty() { first } else { all.into() })
}

/// Reads on for a while and throws it away: a connection that is closed with something unread takes the answer with it.
async fn drain(body: &mut (impl Body<Data = Bytes> + Unpin)) {
    let end = Instant::now() + DRAINING;
    let mut left = DRAINED;
    while let Ok(Some(Ok(frame))) = timeout_at(end, body.frame()).await {
        let read = Frame::data_ref(&frame).map_or(0, Bytes::len);
        let Some(less) = left.checked_sub(read) else {
            return;
        };
        left = less;
    }
}

fn inflate(decoder: impl Read, most: usize) -> Result<Bytes, BadBody> {
    let mut inflated = Vec::new();
    match decoder
        .take((most as u64).saturating_add(1))
        .read_to_end(&mut inflated)
    {
        Ok(read) if read > most => Err(BadBody::TooLarge(most)),
        Ok(_) => Ok(inflated.into()),
        Err(_) => Err(BadBody::NotAsCoded),
    }
}

/// RFC 1950 §2.2: the method is 8, and the first two octets are a multiple of 31.
fn is_zlib(octets: &[u8]) -> bool {
    match octets {
        [method, flags, ..] => {
            method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0
        }
        _ => false,
    }
}

/// Why a body is not taken. The connection is closed where not all of it was read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadBody {
    /// 413
    #[error("A body is at most {} here, also when it is inflated.", show_size(*.0 as u64))]
    TooLarge(usize),
    /// 408
    #[error("The body did not come in time.")]
    TooSlow,
    /// 400; why is for the log.
    #[error("The body is cut off, or not chunked as it should be.")]
    Broken(String),
    /// 400
    #[error("The body is not what its Content-Encoding says.")]
    NotAsCoded,
    /// 415
    #[error("Bodies are taken as they are, or with the one coding gzip or deflate.")]
    UnknownCoding,
}

impl From<BadBody> for Answer {
    fn from(bad: BadBody) -> Self {
        let status = match &bad {
            BadBody::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            BadBody::TooSlow => StatusCode::REQUEST_TIMEOUT,
            BadBody::Broken(_) | BadBody::NotAsCoded => StatusCode::BAD_REQUEST,
            BadBody::UnknownCoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        };
        if let BadBody::Broken(why) = &bad {
            tracing::debug!(why, "the body of a request is broken");
        }
        let mut answer = plain(status, format!("{bad}\n"));
        let headers = answer.headers_mut();
        match bad {
            // RFC 7694 §3.
            BadBody::UnknownCoding => {
                let known = HeaderValue::from_static("gzip, deflate");
                headers.insert(ACCEPT_ENCODING, known);
            }
            BadBody::NotAsCoded => {}
            _ => {
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use futures_util::stream::{self, StreamExt as _};
    use http_body_util::StreamBody;
    use tokio::runtime::Builder;

    use super::*;

    fn pieces(all: &[&[u8]]) -> impl Body<Data = Bytes, Error = &'static str> + Unpin + use<> {
        let all: Vec<_> = all
            .iter()
            .map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece))))
            .collect();
        StreamBody::new(stream::iter(all))
    }

    fn read<B>(coding: &[&str], body: B, most: usize, time: Duration) -> Result<Bytes, BadBody>
    where
        B: Body<Data = Bytes, Error: Display> + Unpin,
    {
        let mut headers = HeaderMap::new();
        for value in coding {
            headers.append(CONTENT_ENCODING, HeaderValue::from_str(value).unwrap());
        }
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let deadline = Instant::now() + time;
            read_by(&headers, body, most, deadline).await
        })
    }

    fn whole(coding: &str, body: &[u8], most: usize) -> Result<Bytes, u16> {
        let time = Duration::from_secs(60);
        let (one, two) = body.split_at(body.len() / 2);
        read(&[coding], pieces(&[one, two]), most, time)
            .map_err(|bad| Answer::from(bad).status().as_u16())
    }

    #[test]
    fn bodies_in_pieces_and_their_limit() {
        let time = Duration::from_secs(60);
        let read = |all: &[&[u8]], most| {
            read(&[], pieces(all), most, time).map_err(|bad| Answer::from(bad).status().as_u16())
        };
        assert_eq!(read(&[], 4).unwrap(), "");
        assert_eq!(read(&[b"abcd"], 4).unwrap(), "abcd");
        assert_eq!(read(&[b"a", b"", b"bc", b"d"], 4).unwrap(), "abcd");
        assert_eq!(read(&[b"abcde"], 4), Err(413));
        assert_eq!(read(&[b"abcd", b"e"], 4), Err(413));
    }

    #[test]
    fn who_is_slow_or_stops_in_the_middle() {
        let slow = pieces(&[b"abc"]);
        let slow = StreamBody::new(http_body_util::BodyStream::new(slow).chain(stream::pending()));
        let refused = read(&[], Box::pin(slow), 9, Duration::from_millis(1)).unwrap_err();
        let refused = Answer::from(refused);
        assert_eq!(refused.status(), 408);
        assert_eq!(refused.headers()[CONNECTION], "close");
        let cut = StreamBody::new(stream::iter([
            Ok(Frame::data(Bytes::from_static(b"abc"))),
            Err("cut"),
        ]));
        let refused = read(&[], cut, 9, Duration::from_secs(60)).unwrap_err();
        let refused = Answer::from(refused);
        assert_eq!(refused.status(), 400);
    }

    #[test]
    fn codings_are_undone_within_the_limit() {
        let text = vec![b'x'; 100_000];
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&text).unwrap();
        let gzip = gzip.finish().unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(&text).unwrap();
        let zlib = zlib.finish().unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::best());
        raw.write_all(&text).unwrap();
        let raw = raw.finish().unwrap();
        for (coding, body) in [
            ("gzip", &gzip),
            ("X-GZIP", &gzip),
            ("deflate", &zlib),
            ("deflate", &raw),
            ("identity", &text),
            ("", &text),
        ] {
            assert_eq!(whole(coding, body, text.len()).unwrap(), text, "{coding}");
            assert_eq!(whole(coding, body, text.len() - 1), Err(413), "{coding}");
            let cut = &body[..body.len() - 1];
            match coding {
                "identity" | "" => {}
                _ => assert_eq!(whole(coding, cut, text.len()), Err(400), "{coding}"),
            }
        }
        assert_eq!(whole("gzip", b"no gzip", 100), Err(400));
        assert_eq!(whole("gzip", b"", 100), Err(400));
        let two = [gzip.clone(), gzip.clone()].concat();
        assert_eq!(
            whole("gzip", &two, 2 * text.len()).unwrap().len(),
            2 * text.len()
        );
        assert_eq!(whole("gzip", &two, 2 * text.len() - 1), Err(413));
    }

    #[test]
    fn other_codings_are_refused() {
        let time = Duration::from_secs(60);
        for coding in [
            &["br"][..],
            &["gzip, gzip"],
            &["gzip", "gzip"],
            &["gzip", "identity"],
        ] {
            let refused = read(coding, pieces(&[b"x"]), 9, time).unwrap_err();
            let refused = Answer::from(refused);
            assert_eq!(refused.status(), 415, "{coding:?}");
            assert_eq!(refused.headers()[ACCEPT_ENCODING], "gzip, deflate");
        }
    }
}
