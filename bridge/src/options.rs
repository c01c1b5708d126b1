//! OPTIONS (RFC 3261 §11.2): what is served here.

use sip::HeaderName;

use crate::bridge::Bridge;
use crate::reply::Reply;
use crate::screening::{ALLOW, EVENTS, EXTENSIONS, MESSAGE_TYPES, PIDF};
use crate::waiting::Job;

impl<R: Copy> Bridge<R> {
    /// Answered to everybody: phones and proxies ask so whether the server is there. Whether a user exists is not told.
    pub(crate) fn options(&mut self, job: &Job<R>) {
        let served = job
            .request
            .uri
            .host()
            .is_some_and(|host| self.domains.of_host(host).is_some());
        if !served {
            let status = if sip::screen::can_forward(&job.request) {
                404
            } else {
                483
            };
            return self.respond_stateless(job, Reply::new(status));
        }
        let accept = format!("{PIDF}, {}", MESSAGE_TYPES.join(", "));
        let reply = Reply::new(200)
            .with(HeaderName::Allow, ALLOW)
            .with(HeaderName::Accept, accept)
            .with(HeaderName::AcceptEncoding, "identity")
            .with(HeaderName::Supported, EXTENSIONS.join(", "))
            .with(HeaderName::AllowEvents, EVENTS);
        self.respond_stateless(job, reply);
    }
}
