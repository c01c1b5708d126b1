//! Archived messages, and what accounts want archived.

use bytes::Bytes;
use presence::{Address, ArchiveDefault, ArchivePreferences, ArchivedForm, Message, MessageNative};

use super::message::{get_address, put_address, skip_address};
use super::primitive::{Reader, Writer};
use super::{CodecError, message};

/// Writes a message over what is in `buffer`, with both addresses before it: what an XMPP client wrote as it is, any other whole.
pub(crate) fn encode(buffer: &mut Vec<u8>, message: &Message) {
    let mut w = Writer::over(std::mem::take(buffer));
    put_address(&mut w, &message.from);
    put_address(&mut w, &message.to);
    match &message.native {
        MessageNative::Xmpp(stanza) => {
            w.octet(0);
            w.octets(stanza);
        }
        MessageNative::Sip { .. } => {
            w.octet(1);
            w.octets(&message::encode(message));
        }
    }
    *buffer = w.finish();
}

/// Reads what [`encode`] wrote, for the archive of the one who received it or of the one who sent it, when the other side is one that
/// `wanted` says.
pub(crate) fn decode(
    octets: &[u8],
    received: bool,
    wanted: impl FnOnce(&Address) -> bool,
) -> Result<Option<ArchivedForm>, CodecError> {
    let mut r = Reader::open(octets)?;
    let peer = if received {
        let from = get_address(&mut r)?;
        skip_address(&mut r)?;
        from
    } else {
        skip_address(&mut r)?;
        get_address(&mut r)?
    };
    if !wanted(&peer) {
        return Ok(None);
    }
    let form = match r.octet()? {
        0 => ArchivedForm::Stanza(Bytes::copy_from_slice(r.octets()?)),
        1 => ArchivedForm::Other(Box::new(message::decode(r.octets()?)?)),
        other => return Err(CodecError::Tag("form of an archived message", other)),
    };
    r.close()?;
    Ok(Some(form))
}

/// Writes preferences.
pub(crate) fn encode_preferences(preferences: &ArchivePreferences) -> Vec<u8> {
    let mut w = Writer::new(64);
    w.octet(match preferences.default {
        ArchiveDefault::Always => 0,
        ArchiveDefault::Never => 1,
        ArchiveDefault::Roster => 2,
    });
    w.list(&preferences.always, put_address);
    w.list(&preferences.never, put_address);
    w.finish()
}

/// Reads what [`encode_preferences`] wrote.
pub(crate) fn decode_preferences(octets: &[u8]) -> Result<ArchivePreferences, CodecError> {
    let mut r = Reader::open(octets)?;
    let preferences = ArchivePreferences {
        default: match r.octet()? {
            0 => ArchiveDefault::Always,
            1 => ArchiveDefault::Never,
            2 => ArchiveDefault::Roster,
            other => return Err(CodecError::Tag("default of an archive", other)),
        },
        always: r.list(get_address)?,
        never: r.list(get_address)?,
    };
    r.close()?;
    Ok(preferences)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::samples;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn comes_back(message in samples::message(), wants in samples::preferences()) {
            let mut octets = b"what was there before".to_vec();
            encode(&mut octets, &message);
            for (received, other) in [(true, &message.from), (false, &message.to)] {
                let form = decode(&octets, received, |peer| peer == other).unwrap().unwrap();
                prop_assert_eq!(form, samples::form(&message));
                prop_assert_eq!(decode(&octets, received, |peer| peer != other).unwrap(), None);
                for end in 0..octets.len() {
                    prop_assert!(decode(&octets[..end], received, |_| true).is_err());
                }
            }
            let octets = encode_preferences(&wants);
            prop_assert_eq!(decode_preferences(&octets).unwrap(), wants);
            for end in 0..octets.len() {
                prop_assert!(decode_preferences(&octets[..end]).is_err());
            }
        }

        #[test]
        fn octets_from_anywhere_do_no_harm(octets in proptest::collection::vec(any::<u8>(), 0..80)) {
            let octets = [&[crate::codec::VERSION][..], &octets].concat();
            for received in [false, true] {
                let _ = decode(&octets, received, |_| true);
            }
            let _ = decode_preferences(&octets);
        }
    }
}
