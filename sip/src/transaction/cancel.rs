//! CANCEL (RFC 3261 §9.2), which has a transaction of its own.

use super::{Flow, Layer, ServerId, key::write_key, server::is_legacy};
use crate::{Method, Request, Response, Timestamp, header::via::Parts};

impl Layer {
    /// Takes a CANCEL: 481, or 200 and an end to an INVITE that is not answered yet; it does
    /// nothing to other requests.
    pub(super) fn handle_cancel(
        &mut self,
        now: Timestamp,
        flow: &Flow,
        request: &Request,
        reply: (Flow, u16),
    ) {
        let Some(via) = request.headers.top_via() else {
            return;
        };
        let via = &via;
        let Some(target) = self.find_cancelled(request, via) else {
            let response = Response::for_request(request, 481);
            self.respond_stateless(flow, request, response);
            return;
        };
        self.end_invite(now, target, 487);
        let mut response = Response::for_request(request, 200);
        if let Some(tag) = self.last_tag(target) {
            response = response.with_to_tag(&tag);
        }
        let mut key = Vec::new();
        let at = write_key(&mut key, request, via, &Method::Cancel);
        let legacy = is_legacy(via).then_some(at);
        match self.insert_server(now, flow.remote, request, reply, (&key, legacy)) {
            Some(id) => self.respond(now, id, response),
            None => self.respond_stateless(flow, request, response),
        }
    }

    /// The transaction that a CANCEL means: it has the same key but for the method.
    fn find_cancelled(&self, request: &Request, via: &Parts<'_>) -> Option<ServerId> {
        const METHODS: [Method; 12] = [
            Method::Invite,
            Method::Subscribe,
            Method::Notify,
            Method::Publish,
            Method::Register,
            Method::Message,
            Method::Options,
            Method::Bye,
            Method::Info,
            Method::Refer,
            Method::Update,
            Method::Prack,
        ];
        let mut key = Vec::new();
        METHODS.iter().find_map(|method| {
            write_key(&mut key, request, via, method);
            self.find_server(&key)
        })
    }
}
