//! What the program says of itself: health, metrics, its authority.

use hyper::body::Incoming;
use hyper::{Request, StatusCode};

use super::answer::{Answer, plain, typed};
use super::context::Context;
use crate::server::metrics;

/// `/healthz`: it is there.
pub(super) async fn health(context: &Context, _: Request<Incoming>) -> Answer {
    here(context, || plain(StatusCode::OK, "alive\n"))
}

/// `/readyz`: the database takes changes and the server is not on its way out.
pub(super) async fn ready(context: &Context, _: Request<Incoming>) -> Answer {
    let shared = context.shared();
    here(context, || {
        if shared.is_stopping() {
            return plain(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
        }
        if shared.model.store().queue_depth() >= shared.config.limits.write_queue {
            return plain(StatusCode::SERVICE_UNAVAILABLE, "the write queue is full\n");
        }
        plain(StatusCode::OK, "ready\n")
    })
}

/// `/metrics`: the Prometheus text format.
pub(super) async fn metrics(context: &Context, _: Request<Incoming>) -> Answer {
    here(context, || {
        let kind = "text/plain; version=0.0.4; charset=utf-8";
        typed(StatusCode::OK, kind, metrics::page(context.shared()))
    })
}

/// `/ca.pem`: the local authority's certificate.
pub(super) async fn authority(context: &Context, _: Request<Incoming>) -> Answer {
    match context.shared().certificates.current().authority() {
        Some(pem) => typed(StatusCode::OK, "application/x-pem-file", pem.to_owned()),
        None => plain(
            StatusCode::NOT_FOUND,
            "The certificates here are not of a local authority.\n",
        ),
    }
}

/// Answers who asks on the machine itself.
fn here(context: &Context, answer: impl FnOnce() -> Answer) -> Answer {
    if context.local {
        answer()
    } else {
        plain(
            StatusCode::FORBIDDEN,
            "This is answered on the machine itself only.\n",
        )
    }
}
