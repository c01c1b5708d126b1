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
    /// The presentity's roster says `from` or `both`, or pre-approves.
    Roster,
    /// A standing grant or denial.
    Grant(GrantOrigin),
    /// `same_domain = "allow"`.
    SameDomain,
    /// Nothing applies.
    Nothing,
}

/// May `watcher` see `presentity`? `roster` and `grant` are the presentity's. An explicit denial wins over everything but
/// oneself; then the roster, a standing approval, the rule of the domain.
pub fn decide(
    watcher: &Bare,
    presentity: &Bare,
    roster: &Roster,
    grant: Option<Grant>,
    same_domain_allow: bool,
) -> (Decision, Reason) {
    if watcher == presentity {
        return (Decision::Allow, Reason::Oneself);
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
    if same_domain_allow && watcher.local().is_some() && watcher.domain() == presentity.domain() {
        return (Decision::Allow, Reason::SameDomain);
    }
    (Decision::Pending, Reason::Nothing)
}
