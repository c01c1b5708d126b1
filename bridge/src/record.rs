//! A subscription on disk: the dialog of a [`presence::WatchRecord`].

use std::sync::Arc;

use bytes::Bytes;
use presence::{Decision, WatchRecord};
use sip::dialog::Dialog;
use sip::{Timestamp, Uri};

use crate::document;
use crate::subscription::{Numbers, Package, Phase, Subscription, Told};

/// The first octet: another form, another number.
const VERSION: u8 = 1;

/// The beginning: the version, whether anything was told, and what. It changes with every NOTIFY, the rest seldom.
fn head(told: Option<Told>) -> [u8; 10] {
    let mut head = [0; 10];
    let [version, known, value @ ..] = &mut head;
    (*version, *known, *value) = (
        VERSION,
        told.is_some().into(),
        told.unwrap_or(0).to_be_bytes(),
    );
    head
}

/// What takes the place of the beginning of a record when something was told.
pub(crate) fn told(told: Option<Told>) -> Bytes {
    Bytes::copy_from_slice(&head(told))
}

/// All that is written: what was told, as far as it is known, and the dialog.
pub(crate) fn write(subscription: &Subscription, told: Option<Told>) -> Bytes {
    let mut out = Vec::with_capacity(512);
    out.extend_from_slice(&head(told));
    let texts = [
        &*subscription.event,
        &*subscription.entity,
        subscription.contact.as_str(),
        &*subscription.device,
    ];
    for text in texts {
        let text = text.as_bytes();
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(text.get(..usize::from(length)).unwrap_or(text));
    }
    out.extend_from_slice(&subscription.dialog.to_bytes());
    out.into()
}

/// The subscription that a record is of; `None`: another version wrote it, or it is damaged.
pub(crate) fn read(record: WatchRecord, expires: Timestamp) -> Option<Subscription> {
    let bytes = record.dialog.clone();
    let mut reader = Reader { rest: &bytes };
    if reader.octets(1)? != [VERSION] {
        return None;
    }
    let known = reader.octets(1)? != [0];
    let told = Told::from_be_bytes(reader.octets(8)?.try_into().ok()?);
    let event: Arc<str> = reader.text()?.into();
    let entity: Arc<str> = reader.text()?.into();
    let contact = Uri::parse(reader.text()?).ok()?;
    let device: Arc<str> = reader.text()?.into();
    let dialog = Dialog::from_bytes(reader.rest).ok()?;
    Some(Subscription {
        id: record.id,
        watcher: record.watcher,
        presentity: record.presentity,
        package: Package::parse(&record.package)?,
        stored: true,
        dialog,
        event,
        entity,
        contact,
        device,
        phase: Phase::Open,
        numbers: Numbers::Missing,
        expires,
        // What was told tells what was decided: a right that was lost in between is to be seen as lost.
        decision: if known && told != document::pending() {
            Decision::Allow
        } else {
            Decision::Pending
        },
        view: None,
        owed: false,
        changed: false,
        outstanding: None,
        last_is_sent: false,
        not_before: Timestamp(0),
        hold_until: Timestamp(0),
        told: known.then_some(told),
        sent: known.then_some(told),
        lost: false,
        parked: false,
        keep_at: None,
        kept: known.then_some(told),
        kept_at: None,
        armed: None,
    })
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn octets(&mut self, count: usize) -> Option<&'a [u8]> {
        let (octets, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(octets)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = u16::from_be_bytes(self.octets(2)?.try_into().ok()?);
        std::str::from_utf8(self.octets(length.into())?).ok()
    }
}
