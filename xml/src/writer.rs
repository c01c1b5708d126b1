//! Writing XML: every value escaped, every element closed.

/// Appends XML to a buffer. Names come from our own code; values may hold anything.
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    /// Where the names of open elements stand in `out`.
    open: smallvec::SmallVec<[(usize, usize); 8]>,
    /// The last start tag still waits for attributes or its end.
    in_tag: bool,
}

impl<'a> Writer<'a> {
    /// A writer that appends to `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            open: smallvec::SmallVec::new(),
            in_tag: false,
        }
    }

    fn close_tag(&mut self) {
        if std::mem::take(&mut self.in_tag) {
            self.out.push(b'>');
        }
    }

    /// Opens an element.
    pub fn start(&mut self, name: &str) -> &mut Self {
        self.close_tag();
        self.out.push(b'<');
        self.open.push((self.out.len(), name.len()));
        self.out.extend_from_slice(name.as_bytes());
        self.in_tag = true;
        self
    }

    /// Gives the element just opened an attribute.
    pub fn attribute(&mut self, name: &str, value: &str) -> &mut Self {
        debug_assert!(self.in_tag, "attributes come before content");
        self.out.push(b' ');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"='");
        escape(self.out, value);
        self.out.push(b'\'');
        self
    }

    /// Writes character data.
    pub fn text(&mut self, text: &str) -> &mut Self {
        if !text.is_empty() {
            self.close_tag();
            escape(self.out, text);
        }
        self
    }

    /// Writes octets that are XML already.
    pub fn raw(&mut self, xml: &[u8]) -> &mut Self {
        if !xml.is_empty() {
            self.close_tag();
            self.out.extend_from_slice(xml);
        }
        self
    }

    /// Closes the element opened last.
    pub fn end(&mut self) -> &mut Self {
        let Some((at, len)) = self.open.pop() else {
            return self;
        };
        if std::mem::take(&mut self.in_tag) {
            self.out.extend_from_slice(b"/>");
        } else {
            self.out.extend_from_slice(b"</");
            self.out.extend_from_within(at..at + len);
            self.out.push(b'>');
        }
        self
    }

    /// Ends the start tag and leaves the element open: the header of a stream.
    pub fn leave_open(&mut self) {
        self.close_tag();
        self.open.pop();
    }
}

/// Appends text so that it can stand in content and in an attribute with either quote. Characters that XML cannot hold become U+FFFD.
pub fn escape(out: &mut Vec<u8>, text: &str) {
    let octets = text.as_bytes();
    let mut done = 0;
    for (at, octet) in octets.iter().enumerate() {
        let by: &[u8] = match octet {
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            b'\'' => b"&apos;",
            b'"' => b"&quot;",
            b'\n' => b"&#10;",
            b'\r' => b"&#13;",
            b'\t' => b"&#9;",
            0..=0x1F => "\u{FFFD}".as_bytes(),
            // U+FFFE and U+FFFF: their last octet is replaced, which makes U+FFFD.
            0xBE | 0xBF if at >= 2 && octets[at - 2] == 0xEF && octets[at - 1] == 0xBF => &[0xBD],
            _ => continue,
        };
        out.extend_from_slice(&octets[done..at]);
        out.extend_from_slice(by);
        done = at + 1;
    }
    out.extend_from_slice(&octets[done..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_closed_and_values_escaped() {
        let mut out = Vec::new();
        let mut w = Writer::new(&mut out);
        w.start("iq")
            .attribute("type", "result")
            .attribute("id", "a'&\"<>\n");
        w.start("query").attribute("xmlns", "x").end();
        w.start("text").text("1 < 2\u{0}\u{FFFF}").end();
        w.end();
        assert_eq!(
            String::from_utf8_lossy(&out),
            "<iq type='result' id='a&apos;&amp;&quot;&lt;&gt;&#10;'><query xmlns='x'/><text>1 &lt; 2\u{FFFD}\u{FFFD}</text></iq>"
        );
    }
}
