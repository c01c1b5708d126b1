//! Who may see whom, and why: one function for every face.

use crate::address::Bare;
use crate::roster::Roster;

/// Where a grant comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GrantOrigin {
    /// Answered by the owner through a client.
    Owner,
    /// Answered by an administrator (`adsum user approve|deny`).
    Admin,
}

/// A lasting decision on one watcher that does not stand in the roster: a denial, or an approval for one who has only a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Grant {
    /// May see.
    pub allow: bool,
    /// Who decided.
    pub origin: GrantOrigin,
}

/// What a watcher gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Sees everything.
    Allow,
    /// Nobody has decided yet: the owner is asked.
    Pending,
    /// Sees nothing and is told so.
    Deny,
}

/// The rule that decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Watcher and presentity are one account.
    Oneself,
    /// The presentity blocks the watcher (XEP-0191).
    Blocked,
    /// The presentity's roster says `from` or `both`, or pre-approves.
    Roster,
    /// A standing grant or denial.
    Grant(GrantOrigin),
    /// Both are in a shared group.
    Group,
    /// `same_domain = "allow"`.
    SameDomain,
    /// Nothing applies.
    Nothing,
}

/// What is known of a watcher at the presentity.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// The presentity's roster.
    pub roster: &'a Roster,
    /// The presentity blocks the whole account of the watcher.
    pub blocked: bool,
    /// What was decided on the watcher beside the roster.
    pub grant: Option<Grant>,
    /// Both are in a shared group.
    pub grouped: bool,
    /// `same_domain = "allow"`.
    pub same_domain_allow: bool,
}

/// May `watcher` see `presentity`? A block wins over everything but oneself, then an explicit denial; then the roster, a standing
/// approval, a shared group, the rule of the domain.
pub fn decide(watcher: &Bare, presentity: &Bare, standing: &Standing<'_>) -> (Decision, Reason) {
    let Standing {
        roster,
        blocked,
        grant,
        grouped,
        same_domain_allow,
    } = *standing;
    if watcher == presentity {
        return (Decision::Allow, Reason::Oneself);
    }
    if blocked {
        return (Decision::Deny, Reason::Blocked);
    }
    if let Some(Grant {
        allow: false,
        origin,
    }) = grant
    {
        return (Decision::Deny, Reason::Grant(origin));
    }
    if roster
        .items
        .get(watcher)
        .is_some_and(|i| i.subscription.from() || i.approved)
    {
        return (Decision::Allow, Reason::Roster);
    }
    if let Some(Grant { origin, .. }) = grant {
        return (Decision::Allow, Reason::Grant(origin));
    }
    if grouped {
        return (Decision::Allow, Reason::Group);
    }
    if same_domain_allow && watcher.local().is_some() && watcher.domain() == presentity.domain() {
        return (Decision::Allow, Reason::SameDomain);
    }
    (Decision::Pending, Reason::Nothing)
}

/// The decision as one sentence for an administrator: who, whom, and the rule that decided.
pub fn explain(watcher: &Bare, presentity: &Bare, decision: Decision, reason: Reason) -> String {
    let verb = match decision {
        Decision::Allow => "sees",
        Decision::Pending => "does not see",
        Decision::Deny => "is denied",
    };
    let because = match reason {
        Reason::Oneself => "both are the same account".to_owned(),
        Reason::Blocked => format!("{presentity} has blocked this address or its domain"),
        Reason::Roster => format!(
            "the roster of {presentity} says so (subscription \"from\" or \"both\", or approved beforehand)"
        ),
        Reason::Grant(origin) => {
            let who = match origin {
                GrantOrigin::Owner => presentity.as_str(),
                GrantOrigin::Admin => "an administrator",
            };
            let did = if decision == Decision::Allow {
                "approved"
            } else {
                "denied"
            };
            format!("{who} has {did} it")
        }
        Reason::Group => "both are members of a shared group".to_owned(),
        Reason::SameDomain => {
            format!(
                "both are of {} and the configuration has same_domain = \"allow\"",
                presentity.domain()
            )
        }
        Reason::Nothing => format!("{presentity} has not decided yet and no rule applies"),
    };
    format!("{watcher} {verb} {presentity}: {because}.")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::roster::{Item, SubscriptionState};

    const OWNER: Grant = Grant {
        allow: true,
        origin: GrantOrigin::Owner,
    };
    const ADMIN: Grant = Grant {
        allow: true,
        origin: GrantOrigin::Admin,
    };
    const DENIED: Grant = Grant {
        allow: false,
        origin: GrantOrigin::Admin,
    };

    fn bare(text: &str) -> Bare {
        Bare::parse(text).unwrap()
    }

    fn roster(subscription: SubscriptionState, approved: bool) -> Roster {
        let watcher = bare("romeo@example.com");
        let mut roster = Roster::default();
        roster.items.insert(Item {
            subscription,
            approved,
            ..Item::new(watcher)
        });
        roster
    }

    fn romeo(roster: &Roster, grant: Option<Grant>, same_domain: bool) -> (Decision, Reason) {
        let standing = Standing {
            roster,
            blocked: false,
            grant,
            grouped: false,
            same_domain_allow: same_domain,
        };
        decide(
            &bare("romeo@example.com"),
            &bare("juliet@example.com"),
            &standing,
        )
    }

    fn blocked(watcher: &str, roster: &Roster) -> (Decision, Reason) {
        let standing = Standing {
            roster,
            blocked: true,
            grant: Some(OWNER),
            grouped: false,
            same_domain_allow: true,
        };
        decide(&bare(watcher), &bare("juliet@example.com"), &standing)
    }

    fn grouped(blocked: bool, grant: Option<Grant>) -> (Decision, Reason) {
        let standing = Standing {
            roster: &Roster::default(),
            blocked,
            grant,
            grouped: true,
            same_domain_allow: true,
        };
        decide(
            &bare("romeo@example.com"),
            &bare("juliet@example.com"),
            &standing,
        )
    }

    #[test]
    fn a_group_lets_see_what_nobody_forbids() {
        let seen = (Decision::Allow, Reason::Group);
        assert_eq!(grouped(false, None), seen);
        let (w, p) = (bare("romeo@example.com"), bare("juliet@example.com"));
        assert_eq!(
            explain(&w, &p, seen.0, seen.1),
            "romeo@example.com sees juliet@example.com: both are members of a shared group."
        );
        assert_eq!(grouped(true, None), (Decision::Deny, Reason::Blocked));
        let denied = (Decision::Deny, Reason::Grant(GrantOrigin::Admin));
        assert_eq!(grouped(false, Some(DENIED)), denied);
    }

    #[test]
    fn a_block_wins() {
        let both = roster(SubscriptionState::Both, true);
        let refused = blocked("romeo@example.com", &both);
        assert_eq!(refused, (Decision::Deny, Reason::Blocked));
        let own = blocked("juliet@example.com", &both);
        assert_eq!(own, (Decision::Allow, Reason::Oneself));
    }

    #[test]
    fn oneself_always() {
        let me = bare("juliet@example.com");
        let standing = Standing {
            roster: &Roster::default(),
            blocked: false,
            grant: Some(DENIED),
            grouped: false,
            same_domain_allow: false,
        };
        let got = decide(&me, &me, &standing);
        assert_eq!(got, (Decision::Allow, Reason::Oneself));
    }

    #[test]
    fn the_roster() {
        for (subscription, approved, allowed) in [
            (SubscriptionState::None, false, false),
            (SubscriptionState::To, false, false),
            (SubscriptionState::From, false, true),
            (SubscriptionState::Both, false, true),
            (SubscriptionState::None, true, true),
            (SubscriptionState::To, true, true),
        ] {
            let wanted = if allowed {
                (Decision::Allow, Reason::Roster)
            } else {
                (Decision::Pending, Reason::Nothing)
            };
            assert_eq!(romeo(&roster(subscription, approved), None, false), wanted);
        }
    }

    /// Asking does not help: neither side's open request shows anything.
    #[test]
    fn open_requests_show_nothing() {
        let mut r = roster(SubscriptionState::None, false);
        r.pending_in
            .insert(bare("romeo@example.com"), bytes::Bytes::new());
        r.items.get_or_new(&bare("romeo@example.com")).ask = true;
        assert_eq!(romeo(&r, None, false), (Decision::Pending, Reason::Nothing));
    }

    #[test]
    fn grants() {
        let empty = Roster::default();
        for grant in [OWNER, ADMIN] {
            assert_eq!(
                romeo(&empty, Some(grant), false),
                (Decision::Allow, Reason::Grant(grant.origin))
            );
        }
        let denied = (Decision::Deny, Reason::Grant(GrantOrigin::Admin));
        for r in [empty, roster(SubscriptionState::Both, true)] {
            assert_eq!(romeo(&r, Some(DENIED), true), denied, "a denial wins");
        }
        let both = roster(SubscriptionState::Both, false);
        assert_eq!(
            romeo(&both, Some(ADMIN), true),
            (Decision::Allow, Reason::Roster)
        );
    }

    #[test]
    fn the_rule_of_the_domain() {
        let empty = Roster::default();
        let juliet = bare("juliet@example.com");
        assert_eq!(
            romeo(&empty, None, true),
            (Decision::Allow, Reason::SameDomain)
        );
        for stranger in ["romeo@example.net", "romeo@sub.example.com", "example.com"] {
            let standing = Standing {
                roster: &empty,
                blocked: false,
                grant: None,
                grouped: false,
                same_domain_allow: true,
            };
            let got = decide(&bare(stranger), &juliet, &standing);
            assert_eq!(got, (Decision::Pending, Reason::Nothing), "{stranger}");
        }
    }

    #[test]
    fn explained() {
        let (w, p) = (bare("romeo@example.com"), bare("juliet@example.com"));
        for ((decision, reason), sentence) in [
            (
                romeo(&Roster::default(), Some(DENIED), false),
                "romeo@example.com is denied juliet@example.com: an administrator has denied it.",
            ),
            (
                blocked("romeo@example.com", &Roster::default()),
                "romeo@example.com is denied juliet@example.com: juliet@example.com has blocked this address or its domain.",
            ),
            (
                romeo(&Roster::default(), Some(OWNER), false),
                "romeo@example.com sees juliet@example.com: juliet@example.com has approved it.",
            ),
            (
                romeo(&Roster::default(), None, true),
                "romeo@example.com sees juliet@example.com: both are of example.com and the configuration has same_domain = \"allow\".",
            ),
            (
                romeo(&Roster::default(), None, false),
                "romeo@example.com does not see juliet@example.com: juliet@example.com has not decided yet and no rule applies.",
            ),
        ] {
            assert_eq!(explain(&w, &p, decision, reason), sentence);
        }
    }
}
