//! RFC 4480 §3.2: the activities by name.

use presence::Activity;

/// The RPID element of each activity, with the prefix that all our documents use.
const NAMES: [(&str, Activity); 26] = [
    ("rpid:appointment", Activity::Appointment),
    ("rpid:away", Activity::Away),
    ("rpid:breakfast", Activity::Breakfast),
    ("rpid:busy", Activity::Busy),
    ("rpid:dinner", Activity::Dinner),
    ("rpid:holiday", Activity::Holiday),
    ("rpid:in-transit", Activity::InTransit),
    ("rpid:looking-for-work", Activity::LookingForWork),
    ("rpid:lunch", Activity::Lunch),
    ("rpid:meal", Activity::Meal),
    ("rpid:meeting", Activity::Meeting),
    ("rpid:on-the-phone", Activity::OnThePhone),
    ("rpid:performance", Activity::Performance),
    ("rpid:permanent-absence", Activity::PermanentAbsence),
    ("rpid:playing", Activity::Playing),
    ("rpid:presentation", Activity::Presentation),
    ("rpid:shopping", Activity::Shopping),
    ("rpid:sleeping", Activity::Sleeping),
    ("rpid:spectator", Activity::Spectator),
    ("rpid:steering", Activity::Steering),
    ("rpid:travel", Activity::Travel),
    ("rpid:tv", Activity::Tv),
    ("rpid:unknown", Activity::Unknown),
    ("rpid:vacation", Activity::Vacation),
    ("rpid:working", Activity::Working),
    ("rpid:worship", Activity::Worship),
];

/// The activity of a name; drafts wrote some with another spelling.
pub(crate) fn activity(name: &str) -> Option<Activity> {
    let name = match name {
        "on_the_phone" => "on-the-phone",
        "in_transit" => "in-transit",
        "permanent_absence" => "permanent-absence",
        other => other,
    };
    NAMES
        .iter()
        .find(|(n, _)| n.strip_prefix("rpid:") == Some(name))
        .map(|(_, a)| a.clone())
}

/// The element of an activity, with prefix; `None` for text of the person's own.
/// The schema of RFC 4480 §5 forgot `<lunch/>`, which its §3.2 defines: it is written as `<meal/>`.
pub(crate) fn element(activity: &Activity) -> Option<&'static str> {
    if *activity == Activity::Lunch {
        return Some("rpid:meal");
    }
    NAMES.iter().find(|(_, a)| a == activity).map(|(n, _)| *n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_returns() {
        for (n, a) in NAMES {
            assert_eq!(activity(n.trim_start_matches("rpid:")), Some(a.clone()));
            if a != Activity::Lunch {
                assert_eq!(element(&a), Some(n));
            }
        }
        assert_eq!(activity("dancing"), None);
        assert_eq!(element(&Activity::Other("dancing".to_owned())), None);
    }
}
