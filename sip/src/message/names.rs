//! Names of header fields, with their compact forms.

use std::fmt;

macro_rules! names {
    ($($variant:ident = $text:literal $compact:literal;)*) => {
        /// The name of a header field. Compact forms are expanded, case is ignored.
        #[derive(Debug, Clone)]
        pub enum HeaderName {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
            /// Any other name, as written.
            Other(Box<str>),
        }

        /// Names, in the order of the variants.
        const NAMES: &[&str] = &[$($text),*];
        /// Compact forms in the same order, 0 where there is none.
        const COMPACT: &[u8] = &[$($compact),*];

        impl HeaderName {
            /// Position in the table; the number of known names for another.
            pub(crate) const fn index(&self) -> usize {
                enum Index { $($variant,)* Other }
                match self {
                    $(Self::$variant => Index::$variant as usize,)*
                    Self::Other(_) => Index::Other as usize,
                }
            }

            fn at(index: usize) -> Option<Self> {
                const VARIANTS: &[HeaderName] = &[$(HeaderName::$variant),*];
                VARIANTS.get(index).cloned()
            }
        }
    };
}

names! {
    Via = "Via" b'v';
    From = "From" b'f';
    To = "To" b't';
    CallId = "Call-ID" b'i';
    CSeq = "CSeq" 0;
    Contact = "Contact" b'm';
    MaxForwards = "Max-Forwards" 0;
    Route = "Route" 0;
    RecordRoute = "Record-Route" 0;
    Path = "Path" 0;
    ServiceRoute = "Service-Route" 0;
    Expires = "Expires" 0;
    MinExpires = "Min-Expires" 0;
    Event = "Event" b'o';
    AllowEvents = "Allow-Events" b'u';
    SubscriptionState = "Subscription-State" 0;
    SipETag = "SIP-ETag" 0;
    SipIfMatch = "SIP-If-Match" 0;
    SuppressIfMatch = "Suppress-If-Match" 0;
    Accept = "Accept" 0;
    AcceptEncoding = "Accept-Encoding" 0;
    AcceptLanguage = "Accept-Language" 0;
    AcceptContact = "Accept-Contact" b'a';
    RejectContact = "Reject-Contact" b'j';
    RequestDisposition = "Request-Disposition" b'd';
    AlertInfo = "Alert-Info" 0;
    Allow = "Allow" 0;
    AuthenticationInfo = "Authentication-Info" 0;
    Authorization = "Authorization" 0;
    CallInfo = "Call-Info" 0;
    ContentDisposition = "Content-Disposition" 0;
    ContentEncoding = "Content-Encoding" b'e';
    ContentLanguage = "Content-Language" 0;
    ContentLength = "Content-Length" b'l';
    ContentType = "Content-Type" b'c';
    Date = "Date" 0;
    ErrorInfo = "Error-Info" 0;
    FlowTimer = "Flow-Timer" 0;
    Identity = "Identity" b'y';
    IdentityInfo = "Identity-Info" b'n';
    InReplyTo = "In-Reply-To" 0;
    MimeVersion = "MIME-Version" 0;
    Organization = "Organization" 0;
    PAssertedIdentity = "P-Asserted-Identity" 0;
    PPreferredIdentity = "P-Preferred-Identity" 0;
    Priority = "Priority" 0;
    Privacy = "Privacy" 0;
    ProxyAuthenticate = "Proxy-Authenticate" 0;
    ProxyAuthorization = "Proxy-Authorization" 0;
    ProxyRequire = "Proxy-Require" 0;
    Reason = "Reason" 0;
    ReferTo = "Refer-To" b'r';
    ReferredBy = "Referred-By" b'b';
    ReplyTo = "Reply-To" 0;
    Require = "Require" 0;
    RetryAfter = "Retry-After" 0;
    Server = "Server" 0;
    SessionExpires = "Session-Expires" b'x';
    Subject = "Subject" b's';
    Supported = "Supported" b'k';
    Timestamp = "Timestamp" 0;
    Unsupported = "Unsupported" 0;
    UserAgent = "User-Agent" 0;
    Warning = "Warning" 0;
    WwwAuthenticate = "WWW-Authenticate" 0;
}

/// Known names by hash of length, first and last letter; chained where they collide.
const FIRST: [u8; 128] = build().0;
const NEXT: [u8; NAMES.len()] = build().1;
const END: u8 = u8::MAX;

const fn hash(name: &[u8]) -> usize {
    let first = (name[0] | 0x20) as usize;
    let last = (name[name.len() - 1] | 0x20) as usize;
    (name.len() * 11 + first * 5 + last * 17) & 127
}

const fn build() -> ([u8; 128], [u8; NAMES.len()]) {
    let mut first = [END; 128];
    let mut next = [END; NAMES.len()];
    let mut at = NAMES.len();
    while at > 0 {
        at -= 1;
        let slot = hash(NAMES[at].as_bytes());
        next[at] = first[slot];
        first[slot] = at as u8;
    }
    (first, next)
}

impl HeaderName {
    /// Takes a field name, also in compact form (RFC 3261 §7.3.3); `None` if `text` is no token.
    pub fn from_token(text: &str) -> Option<Self> {
        if let [letter] = text.as_bytes() {
            let letter = letter.to_ascii_lowercase();
            let found = COMPACT.iter().position(|c| *c == letter);
            if let Some(name) = found.and_then(Self::at) {
                return Some(name);
            }
        }
        if text.is_empty() {
            return None;
        }
        let mut at = FIRST[hash(text.as_bytes())];
        while let Some(name) = NAMES.get(usize::from(at)) {
            if *name == text || name.eq_ignore_ascii_case(text) {
                return Self::at(usize::from(at));
            }
            at = NEXT[usize::from(at)];
        }
        crate::syntax::is_token(text.as_bytes()).then(|| Self::Other(text.into()))
    }

    /// The name in its usual spelling.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(text) => text,
            known => Self::known(known.index()),
        }
    }

    /// The name at a position of the table.
    pub(crate) fn known(index: usize) -> &'static str {
        NAMES.get(index).copied().unwrap_or("header field")
    }

    /// The compact form, if there is one.
    pub fn compact(&self) -> Option<char> {
        let letter = *COMPACT.get(self.index())?;
        (letter != 0).then_some(char::from(letter))
    }
}

impl PartialEq for HeaderName {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Other(a), Self::Other(b)) => a.eq_ignore_ascii_case(b),
            _ => self.index() == other.index(),
        }
    }
}

impl Eq for HeaderName {}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
