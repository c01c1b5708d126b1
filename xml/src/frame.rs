//! Where a first-level element ends, found while it arrives. Looks at every octet once, however small the pieces are.

use crate::chars::is_space;
use crate::error::{ReadError, Which};

/// What the next octets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum At {
    /// Between tags.
    #[default]
    Text,
    /// After `<`.
    Open,
    /// In a start or end tag.
    Tag {
        end: bool,
        /// The quote of the attribute value that is open.
        quote: u8,
        /// The last octet was `/`.
        slash: bool,
    },
    /// After `<!`, this much of `[CDATA[` seen.
    Declaration(u8),
    /// In a CDATA section, this much of `]]>` seen.
    Cdata(u8),
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// More octets are needed.
    More,
    /// A tag opened at the first level and not closed by itself: the stream header, when one is looked for.
    Header(usize),
    /// A complete element ends before this index.
    Element(usize),
    /// An end tag at the first level ends before this index.
    End(usize),
}

/// The scanner. Indices count from the start of the current piece of buffer.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    at: At,
    /// How far was looked.
    pub(crate) seen: usize,
    /// Where the tag that is read begins, after its `<`.
    begin: usize,
    /// Where the names of the open elements stand.
    open: Vec<(u32, u32)>,
    elements: usize,
}

const CDATA: &[u8; 7] = b"[CDATA[";

/// The name at the begin of what stands in a tag.
fn name(tag: &[u8]) -> &[u8] {
    let end = tag
        .iter()
        .position(|b| is_space(*b) || matches!(b, b'/' | b'>'));
    &tag[..end.unwrap_or(tag.len())]
}

impl Frame {
    /// Begins anew at the start of the buffer.
    pub(crate) fn restart(&mut self) {
        // The room for names is kept: it is small, and the next element needs it.
        let mut open = std::mem::take(&mut self.open);
        open.clear();
        *self = Self {
            open,
            ..Self::default()
        };
    }

    /// Looks on. `header`: the first start tag is all that is wanted.
    pub(crate) fn scan(
        &mut self,
        buffer: &[u8],
        header: bool,
        max_depth: usize,
        max_elements: Option<usize>,
    ) -> Result<Found, ReadError> {
        while self.seen < buffer.len() {
            let octet = buffer[self.seen];
            match self.at {
                At::Text => match memchr::memchr(b'<', &buffer[self.seen..]) {
                    Some(skip) => {
                        self.seen += skip + 1;
                        self.begin = self.seen;
                        self.at = At::Open;
                    }
                    None => self.seen = buffer.len(),
                },
                At::Open => {
                    self.seen += 1;
                    self.at = match octet {
                        b'!' if header => return Err(ReadError::Restricted("a declaration")),
                        b'!' => At::Declaration(0),
                        b'?' => return Err(ReadError::Restricted("a processing instruction")),
                        b'/' => At::Tag {
                            end: true,
                            quote: 0,
                            slash: false,
                        },
                        _ => At::Tag {
                            end: false,
                            quote: 0,
                            slash: false,
                        },
                    };
                }
                At::Tag {
                    end,
                    quote: 0,
                    slash,
                } => {
                    let rest = &buffer[self.seen..];
                    let Some(skip) = memchr::memchr3(b'>', b'"', b'\'', rest) else {
                        self.at = At::Tag {
                            end,
                            quote: 0,
                            slash: rest.last() == Some(&b'/'),
                        };
                        self.seen = buffer.len();
                        return Ok(Found::More);
                    };
                    let slash = if skip == 0 {
                        slash
                    } else {
                        rest[skip - 1] == b'/'
                    };
                    self.seen += skip + 1;
                    if rest[skip] != b'>' {
                        self.at = At::Tag {
                            end,
                            quote: rest[skip],
                            slash: false,
                        };
                        continue;
                    }
                    self.at = At::Text;
                    if let Some(found) =
                        self.tag(buffer, end, slash, header, max_depth, max_elements)?
                    {
                        return Ok(found);
                    }
                }
                At::Tag { end, quote, .. } => match memchr::memchr(quote, &buffer[self.seen..]) {
                    Some(skip) => {
                        self.seen += skip + 1;
                        self.at = At::Tag {
                            end,
                            quote: 0,
                            slash: false,
                        };
                    }
                    None => self.seen = buffer.len(),
                },
                At::Declaration(matched) => {
                    if octet != CDATA[usize::from(matched)] {
                        return Err(ReadError::Restricted("a comment or declaration"));
                    }
                    self.seen += 1;
                    let matched = matched + 1;
                    let whole = usize::from(matched) == CDATA.len();
                    if whole && self.open.is_empty() {
                        return Err(ReadError::Format);
                    }
                    self.at = if whole {
                        At::Cdata(0)
                    } else {
                        At::Declaration(matched)
                    };
                }
                At::Cdata(matched) => {
                    self.seen += 1;
                    self.at = match (matched, octet) {
                        (2, b'>') => At::Text,
                        (0, b']') => At::Cdata(1),
                        (1 | 2, b']') => At::Cdata(2),
                        _ => At::Cdata(0),
                    };
                }
            }
        }
        Ok(Found::More)
    }

    fn tag(
        &mut self,
        buffer: &[u8],
        end: bool,
        slash: bool,
        header: bool,
        max_depth: usize,
        max_elements: Option<usize>,
    ) -> Result<Option<Found>, ReadError> {
        if end {
            let Some((begin, len)) = self.open.pop() else {
                return Ok(Some(Found::End(self.seen)));
            };
            let opened = &buffer[begin as usize..(begin + len) as usize];
            if name(&buffer[self.begin + 1..self.seen]) != opened {
                // Told when it is seen, not when the element would be complete (RFC 6120 §4.9.3.13).
                return Err(ReadError::NotWellFormed("an end tag of another element"));
            }
        } else {
            self.elements += 1;
            if header {
                return Ok(Some(Found::Header(self.seen)));
            }
            if self.open.len() >= max_depth {
                return Err(ReadError::Limit(Which::Depth));
            }
            if max_elements.is_some_and(|most| self.elements > most) {
                return Err(ReadError::Limit(Which::Elements));
            }
            if !slash {
                let len = name(&buffer[self.begin..self.seen]).len();
                let place = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
                self.open.push((place(self.begin), place(len)));
            }
        }
        Ok(self.open.is_empty().then_some(Found::Element(self.seen)))
    }

    /// Nothing of an element or tag has begun.
    pub(crate) fn between(&self) -> bool {
        self.at == At::Text && self.open.is_empty()
    }
}
