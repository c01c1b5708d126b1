//! Presence across protocols: values of RFC 6121 and of PIDF and RPID for each other (RFC 8048 tables 1 and 2, RFC 4480).
//!
//! The RFC maps priorities, shows and resources; what activities mean as a show and back is ours, see [`show_of`].

use std::fmt::Write as _;

use crate::address::{AddressError, Bare, Resource};
use crate::document::{Activity, Priority, Show};

/// PIDF `contact@priority` in thousandths (RFC 3863 §4.1.5: 0 to 1 with three decimals): 0 is 0 and 127 is 1. A negative priority
/// MUST NOT be mapped.
pub fn contact_priority(priority: Priority) -> Option<u16> {
    let p = u16::try_from(priority.0).ok()?;
    u16::try_from(u32::from(p) * 1000 / 127).ok()
}

/// The priority for a `contact@priority` in thousandths; what is above 1000 counts as 1000. Brings back each value that
/// [`contact_priority`] gave.
pub fn priority_of_contact(thousandths: u16) -> Priority {
    let t = u32::from(thousandths.min(1000));
    Priority(i8::try_from((t * 127 + 500) / 1000).unwrap_or(i8::MAX))
}

/// The RPID activity that tells a show to those who know no `<show/>`: `xa` has none of its own and is `away`; who wants to chat or
/// is plainly available does nothing in particular.
pub fn activity_of(show: Option<Show>) -> Option<Activity> {
    match show? {
        Show::Away | Show::Xa => Some(Activity::Away),
        Show::Dnd => Some(Activity::Busy),
        Show::Chat => None,
    }
}

/// The show that a person's activities amount to. Of several the least reachable counts: `dnd`, then `xa`, then `away`.
pub fn show_of(activities: &[Activity]) -> Option<Show> {
    let rank = |s: &Show| match s {
        Show::Dnd => 3,
        Show::Xa => 2,
        Show::Away => 1,
        Show::Chat => 0,
    };
    activities.iter().filter_map(show_of_one).max_by_key(rank)
}

fn show_of_one(activity: &Activity) -> Option<Show> {
    match activity {
        Activity::Away
        | Activity::Sleeping
        | Activity::Breakfast
        | Activity::Lunch
        | Activity::Dinner
        | Activity::Meal => Some(Show::Away),
        Activity::PermanentAbsence | Activity::Vacation | Activity::Holiday | Activity::Travel => {
            Some(Show::Xa)
        }
        Activity::Busy
        | Activity::OnThePhone
        | Activity::Meeting
        | Activity::Appointment
        | Activity::Presentation
        | Activity::Performance => Some(Show::Dnd),
        Activity::InTransit
        | Activity::LookingForWork
        | Activity::Playing
        | Activity::Shopping
        | Activity::Spectator
        | Activity::Steering
        | Activity::Tv
        | Activity::Unknown
        | Activity::Working
        | Activity::Worship
        | Activity::Other(_) => None,
    }
}

/// Before a resource in a tuple id (RFC 8048 §6.2), and before the hexadecimal octets of one that an XML id cannot hold.
const PLAIN: &str = "ID-";
const HEX: &str = "IDx-";

/// The PIDF tuple id for a resource: `ID-` and the resource when it is made of ASCII letters, digits, `.`, `-` and `_`; else `IDx-`
/// and its octets in hexadecimal. XML ids allow more, but not all readers do.
pub fn tuple_id(resource: &Resource) -> String {
    let text = resource.as_str();
    if text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b))
    {
        return format!("{PLAIN}{text}");
    }
    let mut id = String::with_capacity(HEX.len() + 2 * text.len());
    id.push_str(HEX);
    for b in text.bytes() {
        write!(id, "{b:02x}").unwrap_or_default();
    }
    id
}

/// The resource for a PIDF tuple id, ours or another's: what [`tuple_id`] put before it goes, the rest is taken as it is.
pub fn resource_of_tuple(id: &str) -> Result<Resource, AddressError> {
    if let Some(text) = id.strip_prefix(HEX).and_then(unhex) {
        return Resource::parse(&text);
    }
    Resource::parse(
        id.strip_prefix(PLAIN)
            .filter(|rest| !rest.is_empty())
            .unwrap_or(id),
    )
}

fn unhex(text: &str) -> Option<String> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits?;
    if digits.is_empty() || digits.len() % 2 != 0 {
        return None;
    }
    let octets = digits
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |n, d| n << 4 | d) as u8)
        .collect();
    String::from_utf8(octets).ok()
}

/// As which resource XMPP contacts see a SIP device: `sip-` and eight hexadecimal digits that depend on the device and on whose it is,
/// so that one phone with two accounts cannot be recognised. The same in every version of the server.
pub fn sip_resource(device: &str, presentity: &Bare) -> Resource {
    let octets = presentity.as_str().bytes().chain([0]).chain(device.bytes());
    // FNV-1a, 32 bit: stable and short. It hides nothing from who can guess the device; it is only a name.
    let hash = octets.fold(0x811c_9dc5_u32, |h, b| {
        (h ^ u32::from(b)).wrapping_mul(0x0100_0193)
    });
    Resource::from_prepared(&format!("sip-{hash:08x}"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// RFC 8048 §6.2: 0 is 0, 1 is 0.007, 2 is 0.015, 126 is 0.992, 127 is 1.
    #[test]
    fn priorities() {
        for (p, t) in [(0, 0), (1, 7), (2, 15), (126, 992), (127, 1000)] {
            assert_eq!(contact_priority(Priority(p)), Some(t));
        }
        let mut seen = BTreeSet::new();
        for p in 0..=127 {
            let t = contact_priority(Priority(p)).unwrap();
            assert_eq!(priority_of_contact(t), Priority(p));
            seen.insert(t);
        }
        assert_eq!(seen.len(), 128);
        for p in -128..0 {
            assert_eq!(contact_priority(Priority(p)), None);
        }
        assert_eq!(priority_of_contact(500), Priority(64));
        assert_eq!(priority_of_contact(u16::MAX), Priority(127));
    }

    #[test]
    fn shows_and_activities() {
        assert_eq!(activity_of(Some(Show::Away)), Some(Activity::Away));
        assert_eq!(activity_of(Some(Show::Xa)), Some(Activity::Away));
        assert_eq!(activity_of(Some(Show::Dnd)), Some(Activity::Busy));
        assert_eq!(activity_of(Some(Show::Chat)), None);
        assert_eq!(activity_of(None), None);
        for show in [Show::Away, Show::Dnd] {
            assert_eq!(show_of(&[activity_of(Some(show)).unwrap()]), Some(show));
        }
        assert_eq!(show_of(&[Activity::Vacation]), Some(Show::Xa));
        assert_eq!(
            show_of(&[Activity::Meal, Activity::OnThePhone, Activity::Holiday]),
            Some(Show::Dnd)
        );
        assert_eq!(show_of(&[Activity::Away, Activity::Travel]), Some(Show::Xa));
        assert_eq!(
            show_of(&[Activity::Unknown, Activity::Other("gardening".to_owned())]),
            None
        );
        assert_eq!(show_of(&[]), None);
    }

    #[test]
    fn tuple_ids() {
        for (resource, id) in [
            ("balcony", "ID-balcony"),
            ("4b6a", "ID-4b6a"),
            ("ID-x", "ID-ID-x"),
            ("IDx-41", "ID-IDx-41"),
            ("a b", "IDx-612062"),
            ("büro", "IDx-62c3bc726f"),
            ("x/y@z:1", "IDx-782f79407a3a31"),
        ] {
            let resource = Resource::parse(resource).unwrap();
            assert_eq!(tuple_id(&resource), id);
            assert_eq!(resource_of_tuple(id), Ok(resource));
        }
        for (id, resource) in [
            ("t1234", "t1234"),
            ("IDx-4", "IDx-4"),
            ("IDx-ff", "IDx-ff"),
            ("IDx-", "IDx-"),
            ("ID-", "ID-"),
        ] {
            assert_eq!(resource_of_tuple(id).unwrap().as_str(), resource);
        }
        assert_eq!(resource_of_tuple(""), Err(AddressError::Resource));
        assert_eq!(resource_of_tuple("IDx-00"), Err(AddressError::Resource));
    }

    /// These very values are in the databases and rosters of others: they never change.
    #[test]
    fn sip_resources_are_stable() {
        let (a, b) = (
            Bare::parse("a@example.com").unwrap(),
            Bare::parse("b@example.com").unwrap(),
        );
        assert_eq!(sip_resource("urn:uuid:1", &a).as_str(), "sip-b5031e6e");
        assert_eq!(sip_resource("", &a).as_str(), "sip-eaa8a3a3");
        assert_ne!(
            sip_resource("urn:uuid:1", &a),
            sip_resource("urn:uuid:1", &b)
        );
        assert_ne!(
            sip_resource("urn:uuid:1", &a),
            sip_resource("urn:uuid:2", &a)
        );
        let name = sip_resource("x", &a);
        assert_eq!(Resource::parse(name.as_str()), Ok(name));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn resources_come_back(text in "[ -~à-ÿ♚]{1,10}") {
            if let Ok(resource) = Resource::parse(&text) {
                let id = tuple_id(&resource);
                prop_assert!(id.starts_with("ID") && id.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b)));
                prop_assert_eq!(resource_of_tuple(&id), Ok(resource));
            }
        }
    }
}
