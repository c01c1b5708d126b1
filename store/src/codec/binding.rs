//! [`Binding`].

use presence::Binding;

use super::CodecError;
use super::primitive::{Reader, Writer};

/// Writes the whole.
pub(crate) fn encode(binding: &Binding) -> Vec<u8> {
    let mut w = Writer::new(256);
    w.text(&binding.contact);
    w.option(binding.instance.as_deref(), Writer::text);
    w.text(&binding.call_id);
    w.unsigned(binding.cseq.into());
    w.time(binding.expires);
    w.unsigned(binding.q.into());
    w.list(&binding.path, |w, hop| w.text(hop));
    w.flag(binding.takes_message);
    w.text(&binding.flow);
    w.option(binding.user_agent.as_deref(), Writer::text);
    w.finish()
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode(octets: &[u8]) -> Result<Binding, CodecError> {
    let mut r = Reader::open(octets)?;
    let binding = Binding {
        contact: r.shared()?,
        instance: r.option(Reader::shared)?,
        call_id: r.shared()?,
        cseq: r.number()?,
        expires: r.time()?,
        q: r.number()?,
        path: r.list(Reader::shared)?,
        takes_message: r.flag()?,
        flow: r.shared()?,
        user_agent: r.option(Reader::shared)?,
    };
    r.close()?;
    Ok(binding)
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
        fn comes_back(binding in samples::binding()) {
            let octets = encode(&binding);
            prop_assert_eq!(decode(&octets).unwrap(), binding);
            for end in 0..octets.len() {
                prop_assert!(decode(&octets[..end]).is_err());
            }
        }
    }
}
