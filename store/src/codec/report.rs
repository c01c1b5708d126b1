//! [`Report`].

use presence::{Address, Bare, Report, ReportReason, Resource, StanzaId};

use super::CodecError;
use super::primitive::{Reader, Writer};

/// Writes the whole.
pub(crate) fn encode(report: &Report) -> Vec<u8> {
    let mut w = Writer::new(256);
    w.text(report.about.bare.as_str());
    let resource = report.about.resource.as_ref();
    w.option(resource.map(Resource::as_str), Writer::text);
    match &report.reason {
        ReportReason::Spam => w.octet(0),
        ReportReason::Abuse => w.octet(1),
        ReportReason::Other(urn) => {
            w.octet(2);
            w.text(urn);
        }
    }
    w.option(report.text.as_deref(), Writer::text);
    w.list(&report.stanzas, |w, stanza| {
        w.text(&stanza.by);
        w.text(&stanza.id);
    });
    w.time(report.at);
    w.finish()
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode(octets: &[u8]) -> Result<Report, CodecError> {
    let mut r = Reader::open(octets)?;
    let report = Report {
        about: Address {
            bare: Bare::from_prepared(r.text()?),
            resource: r.option(|r| r.text().map(Resource::from_prepared))?,
        },
        reason: match r.octet()? {
            0 => ReportReason::Spam,
            1 => ReportReason::Abuse,
            2 => ReportReason::Other(r.text()?.to_owned()),
            other => return Err(CodecError::Tag("reason of a report", other)),
        },
        text: r.option(|r| r.text().map(str::to_owned))?,
        stanzas: r.list(|r| {
            Ok(StanzaId {
                by: r.text()?.to_owned(),
                id: r.text()?.to_owned(),
            })
        })?,
        at: r.time()?,
    };
    r.close()?;
    Ok(report)
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
        fn comes_back(report in samples::report()) {
            let octets = encode(&report);
            prop_assert_eq!(decode(&octets).unwrap(), report);
            for end in 0..octets.len() {
                prop_assert!(decode(&octets[..end]).is_err());
            }
        }
    }
}
