//! What a client can, for the server itself: read from its presence, asked for when nobody here knows it yet (XEP-0115 §6.2, §7; XEP-0390).

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use presence::delivery::IqKind;
use services::caps::{Announced, Interests};
use services::disco::{INFO, Info};

use super::{Client, Handled};
use crate::action::Action;
use crate::print;

fn mark(announced: &Announced) -> u32 {
    let mut hasher = DefaultHasher::new();
    announced.hash(&mut hasher);
    (hasher.finish() >> 32) as u32 | 1
}

fn id(mark: u32) -> String {
    format!("caps-{mark:x}")
}

impl Client {
    /// An available presence for all announced these capabilities. What is the same as before is not looked at again, whether or not the
    /// client has answered.
    pub(super) fn announced(&mut self, announced: Announced, out: &mut Handled) {
        let mark = mark(&announced);
        if std::mem::replace(&mut self.capable, mark) == mark {
            return;
        }
        let found = announced.key.as_ref();
        let found = found.and_then(|key| self.service.capabilities.get(key));
        self.asked = if let Some(interests) = found {
            out.actions.push_back(Action::Interests(interests));
            None
        } else {
            let server = self.address.bare.domain_bare();
            let (id, node) = (id(mark), &announced.node);
            print::info_request(&mut out.bytes, &id, &server, &self.address, node);
            Some(Box::new(announced))
        };
    }

    /// The client answers something that the server asked.
    pub(super) fn told_capabilities(
        &mut self,
        answer: (&str, IqKind),
        payload: Option<&xml::Child<'_>>,
        lang: Option<&str>,
        out: &mut Handled,
    ) {
        let (answered, kind) = answer;
        if self.asked.is_none() || id(self.capable) != answered {
            return;
        }
        let Some(announced) = self.asked.take() else {
            return;
        };
        let Some(query) = payload.filter(|p| kind == IqKind::Result && p.is("query", INFO)) else {
            return;
        };
        let info = Info::read(query);
        let mut interests = Interests::of(&info);
        // What does not fit its hash is true of this client, and of nobody else (XEP-0115 §5.4).
        if let Some(key) = &announced.key
            && key.fits(&info, query.lang().as_deref().or(lang))
        {
            interests = self.service.capabilities.put(key.clone(), &interests);
        }
        out.actions.push_back(Action::Interests(interests));
    }
}

/// How many hashes are remembered where the configuration says nothing.
pub(super) fn cache() -> Arc<services::caps::Cache> {
    Arc::new(services::caps::Cache::new(1000))
}
