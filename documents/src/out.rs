//! XML as the pickiest clients want it: no white space between elements, double quotes, empty elements closed at once.

/// Writes elements one after the other. The names come from this crate or were read as XML names before.
#[derive(Debug)]
pub(crate) struct Out {
    bytes: Vec<u8>,
    /// The last start tag still waits for attributes or its end.
    in_tag: bool,
    /// When so much is written, no more names, values and texts are.
    limit: usize,
}

impl Default for Out {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl Out {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(capacity),
            in_tag: false,
            limit: usize::MAX,
        }
    }

    /// What grows beyond `limit` bytes is of no use: little more is written, and [`Self::is_over`] tells it.
    pub(crate) fn with_limit(capacity: usize, limit: usize) -> Self {
        Self {
            limit,
            ..Self::with_capacity(capacity)
        }
    }

    /// More was to be written than the limit allows.
    pub(crate) fn is_over(&self) -> bool {
        self.bytes.len() > self.limit
    }

    fn close_tag(&mut self) {
        if std::mem::take(&mut self.in_tag) {
            self.bytes.push(b'>');
        }
    }

    pub(crate) fn start(&mut self, name: &str) {
        self.start_in("", name);
    }

    /// `prefix` has its colon.
    pub(crate) fn start_in(&mut self, prefix: &str, name: &str) {
        self.close_tag();
        self.bytes.push(b'<');
        self.bytes.extend_from_slice(prefix.as_bytes());
        self.bytes.extend_from_slice(name.as_bytes());
        self.in_tag = true;
    }

    pub(crate) fn attr(&mut self, name: &str, value: &str) {
        debug_assert!(self.in_tag, "an attribute belongs to a start tag");
        if self.is_over() {
            return;
        }
        self.bytes.push(b' ');
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(b"=\"");
        escape(&mut self.bytes, value, true);
        self.bytes.push(b'"');
    }

    pub(crate) fn text(&mut self, text: &str) {
        if !text.is_empty() && !self.is_over() {
            self.close_tag();
            escape(&mut self.bytes, text, false);
        }
    }

    pub(crate) fn end(&mut self, name: &str) {
        self.end_in("", name);
    }

    pub(crate) fn end_in(&mut self, prefix: &str, name: &str) {
        if std::mem::take(&mut self.in_tag) {
            self.bytes.extend_from_slice(b"/>");
        } else {
            self.bytes.extend_from_slice(b"</");
            self.bytes.extend_from_slice(prefix.as_bytes());
            self.bytes.extend_from_slice(name.as_bytes());
            self.bytes.push(b'>');
        }
    }

    /// An element that holds text alone.
    pub(crate) fn leaf(&mut self, name: &str, text: &str) {
        self.start(name);
        self.text(text);
        self.end(name);
    }

    /// Bytes that are complete elements already.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.close_tag();
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        self.close_tag();
        self.bytes
    }
}

/// Bytes that may have to be written in another way.
static SPECIAL: [bool; 256] = special();

const fn special() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = byte < 0x20 || matches!(byte as u8, b'<' | b'>' | b'&' | b'"' | 0xef);
        byte += 1;
    }
    table
}

/// What XML cannot hold at all is left out: it may come from other protocols.
fn escape(into: &mut Vec<u8>, text: &str, attribute: bool) {
    let bytes = text.as_bytes();
    let Some(first) = bytes.iter().position(|&b| SPECIAL[usize::from(b)]) else {
        return into.extend_from_slice(bytes);
    };
    let mut done = 0;
    for (at, &byte) in bytes.iter().enumerate().skip(first) {
        let mut length = 1;
        let escaped: &[u8] = match byte {
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            b'&' => b"&amp;",
            b'"' if attribute => b"&quot;",
            b'\n' if attribute => b"&#10;",
            b'\t' if attribute => b"&#9;",
            b'\r' => b"&#13;",
            0x00..=0x08 | 0x0b | 0x0c | 0x0e..=0x1f => b"",
            // U+FFFE and U+FFFF, the only others that XML 1.0 §2.2 does not have.
            0xef if matches!(bytes.get(at + 1..at + 3), Some([0xbf, 0xbe | 0xbf])) => {
                length = 3;
                b""
            }
            _ => continue,
        };
        into.extend_from_slice(bytes.get(done..at).unwrap_or_default());
        into.extend_from_slice(escaped);
        done = at + length;
    }
    into.extend_from_slice(bytes.get(done..).unwrap_or_default());
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn writes_and_escapes() {
        let mut out = Out::with_capacity(0);
        out.start("a");
        out.attr("b", "<\">&'\n\t");
        out.start("c");
        out.text("");
        out.end("c");
        out.text("]]> & \" \r\n\0\u{fffe}é\u{ffff}");
        out.end("a");
        out.raw(b"<d/>");
        assert_eq!(
            String::from_utf8(out.into_bytes()).unwrap(),
            "<a b=\"&lt;&quot;&gt;&amp;'&#10;&#9;\"><c/>]]&gt; &amp; \" &#13;\né</a><d/>"
        );
    }
}
