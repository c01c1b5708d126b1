//! The tables between XMPP and PIDF: RFC 8048 §6 and, where it says nothing, the usual practice.

use presence::{Activity, Priority, Show};

/// A qvalue of RFC 3863 §4.4 in thousandths; `None` when it is none.
pub(crate) fn thousandths_from_qvalue(text: &str) -> Option<u16> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}

/// RFC 8048 §6.1 note 6 backwards: thousandths of the contact's priority, rounded.
pub(crate) fn priority_from_thousandths(thousandths: u16) -> Priority {
    let scaled = (u32::from(thousandths.min(1000)) * 127 + 500) / 1000;
    Priority(i8::try_from(scaled).unwrap_or(i8::MAX))
}

/// RFC 8048 §6.1 note 6: three decimal places, unique for each value; a negative priority is not mapped.
pub(crate) fn qvalue_from_priority(priority: Priority) -> Option<String> {
    let value = u32::try_from(priority.0).ok()?;
    Some(match value * 1000 / 127 {
        0 => "0".to_owned(),
        1000 => "1".to_owned(),
        thousandths => format!("0.{thousandths:03}"),
    })
}

/// What a person's activities mean for somebody who wants to reach them; the strongest of them.
pub(crate) fn show_from_activities(activities: &[Activity]) -> Option<Show> {
    let shows = activities.iter().filter_map(|activity| match activity {
        Activity::Busy
        | Activity::OnThePhone
        | Activity::Meeting
        | Activity::Appointment
        | Activity::Presentation
        | Activity::Performance => Some(Show::Dnd),
        Activity::PermanentAbsence | Activity::Vacation | Activity::Holiday | Activity::Travel => {
            Some(Show::Xa)
        }
        Activity::Away
        | Activity::Sleeping
        | Activity::Breakfast
        | Activity::Lunch
        | Activity::Dinner
        | Activity::Meal => Some(Show::Away),
        _ => None,
    });
    shows.max_by_key(|show| match show {
        Show::Dnd => 2,
        Show::Xa => 1,
        Show::Away | Show::Chat => 0,
    })
}

/// The activity that a show is told as.
pub(crate) fn activity_from_show(show: Option<Show>) -> Option<Activity> {
    match show? {
        Show::Away | Show::Xa => Some(Activity::Away),
        Show::Dnd => Some(Activity::Busy),
        Show::Chat => None,
    }
}

/// RFC 8048 §6.1: `ID-` and the resource; in hexadecimal when it holds what an XML identifier may not.
pub(crate) fn tuple_id(resource: &str) -> String {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if resource.bytes().all(legal) {
        return format!("ID-{resource}");
    }
    let mut id = String::from("IDx-");
    for byte in resource.bytes() {
        for nibble in [byte >> 4, byte & 15] {
            id.extend(char::from_digit(u32::from(nibble), 16));
        }
    }
    id
}
