//! Single fields of a SIP message, found by walking its lines.

use memchr::memchr;

/// The lines of the head, without their ends.
fn lines(message: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = message;
    std::iter::from_fn(move || {
        let end = memchr(b'\n', rest)?;
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        rest = &rest[end + 1..];
        (!line.is_empty()).then_some(line)
    })
}

/// The value of a line where it is a field of one of these names.
fn value<'a>(line: &'a [u8], names: &[&str]) -> Option<&'a [u8]> {
    let colon = memchr(b':', line)?;
    let name = line[..colon].trim_ascii_end();
    names
        .iter()
        .any(|wanted| name.eq_ignore_ascii_case(wanted.as_bytes()))
        .then(|| line[colon + 1..].trim_ascii())
}

/// The first field of one of these names.
pub(crate) fn field<'a>(message: &'a [u8], names: &[&str]) -> Option<&'a [u8]> {
    lines(message).find_map(|line| value(line, names))
}

/// All fields of one of these names.
pub(crate) fn fields<'a>(
    message: &'a [u8],
    names: &'a [&'a str],
) -> impl Iterator<Item = &'a [u8]> {
    lines(message).filter_map(move |line| value(line, names))
}

/// The status of a response.
pub(crate) fn status(message: &[u8]) -> Option<u16> {
    let digits = message.strip_prefix(b"SIP/2.0 ")?.get(..3)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The number of CSeq.
pub(crate) fn sequence(message: &[u8]) -> Option<u32> {
    let value = std::str::from_utf8(field(message, &["CSeq"])?).ok()?;
    value.split_whitespace().next()?.parse().ok()
}

/// Puts `200 OK` for a request into `out`.
pub(crate) fn accept(request: &[u8], out: &mut Vec<u8>) {
    const COPIED: [&str; 9] = ["Via", "v", "From", "f", "To", "t", "Call-ID", "i", "CSeq"];
    out.clear();
    out.extend_from_slice(b"SIP/2.0 200 OK\r\n");
    for line in lines(request) {
        if value(line, &COPIED).is_some() {
            out.extend_from_slice(line);
            out.extend_from_slice(b"\r\n");
        }
    }
    out.extend_from_slice(b"Content-Length: 0\r\n\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTIFY: &[u8] = b"NOTIFY sip:a@127.0.0.1:9 SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\
        From: <sip:b@d>;tag=1\r\nTo : <sip:a@d>;tag=2\r\nCall-ID: c\r\nCSeq: 7 NOTIFY\r\nEvent: presence\r\n\r\nCSeq: 8 X\r\n";

    #[test]
    fn fields_are_found_in_the_head_only() {
        assert_eq!(sequence(NOTIFY), Some(7));
        assert_eq!(field(NOTIFY, &["to", "t"]), Some(&b"<sip:a@d>;tag=2"[..]));
        assert_eq!(fields(NOTIFY, &["cseq"]).count(), 1);
        assert_eq!(status(b"SIP/2.0 412 Gone\r\n"), Some(412));
        assert_eq!(status(NOTIFY), None);
    }

    #[test]
    fn an_answer_repeats_what_identifies_the_request() {
        let mut out = Vec::new();
        accept(NOTIFY, &mut out);
        let text = String::from_utf8(out).expect("text");
        assert!(text.starts_with("SIP/2.0 200 OK\r\nv: SIP/2.0/UDP h"));
        assert!(!text.contains("Event"));
        assert!(text.ends_with("CSeq: 7 NOTIFY\r\nContent-Length: 0\r\n\r\n"));
    }
}
