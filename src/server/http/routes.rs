//! Which path is answered by whom, and how.

use std::pin::Pin;

use hyper::body::Incoming;
use hyper::{Method, Request};

use super::answer::Answer;
use super::context::Context;
use super::cors::Cors;
use super::{board, bosh, host_meta, own, websocket};

/// An answer to come.
pub(super) type Later = Pin<Box<dyn Future<Output = Answer> + Send>>;
/// What answers a request.
pub(super) type Handler = fn(Context, Request<Incoming>) -> Later;

/// A path and what answers there.
pub(super) struct Route {
    pub(super) path: &'static str,
    /// The methods that are answered. HEAD comes with GET, OPTIONS with every path.
    pub(super) methods: &'static [Method],
    /// Pages of which other servers may call.
    pub(super) cors: Cors,
    pub(super) answer: Handler,
}

/// The handler of a route from the function that answers.
macro_rules! handler {
    ($answer:path) => {
        |context, request| Box::pin(async move { $answer(&context, request).await })
    };
}

/// Every path.
static ROUTES: &[Route] = &[
    Route {
        path: "/healthz",
        methods: &[Method::GET],
        cors: Cors::Own,
        answer: handler!(own::health),
    },
    Route {
        path: "/readyz",
        methods: &[Method::GET],
        cors: Cors::Own,
        answer: handler!(own::ready),
    },
    Route {
        path: "/metrics",
        methods: &[Method::GET],
        cors: Cors::Own,
        answer: handler!(own::metrics),
    },
    Route {
        path: "/ca.pem",
        methods: &[Method::GET],
        cors: Cors::Own,
        answer: handler!(own::authority),
    },
    Route {
        path: bosh::PATH,
        methods: &[Method::GET, Method::POST],
        cors: Cors::Configured {
            request: "Content-Type, Content-Encoding",
            answer: "",
        },
        answer: handler!(bosh::answer),
    },
    Route {
        path: "/.well-known/host-meta",
        methods: &[Method::GET],
        cors: Cors::Everybody,
        answer: handler!(host_meta::answer),
    },
    Route {
        path: "/.well-known/host-meta.json",
        methods: &[Method::GET],
        cors: Cors::Everybody,
        answer: handler!(host_meta::answer_json),
    },
    Route {
        path: "/xmpp-websocket",
        methods: &[Method::GET],
        cors: Cors::Own,
        answer: handler!(websocket::answer),
    },
];

/// What is there beside, where no web app takes all other paths.
static BOARD: &[Route] = &[
    Route {
        path: "/",
        methods: &[Method::GET],
        cors: Cors::Own,
        answer: handler!(board::answer),
    },
    Route {
        path: "/board.js",
        methods: &[Method::GET],
        cors: Cors::Own,
        answer: handler!(board::script),
    },
    Route {
        path: "/board.css",
        methods: &[Method::GET],
        cors: Cors::Own,
        answer: handler!(board::style),
    },
];

/// The route of a path.
pub(super) fn find(path: &str, has_app: bool) -> Option<&'static Route> {
    let board = if has_app { &[][..] } else { BOARD };
    let mut all = ROUTES.iter().chain(board);
    all.find(|route| route.path == path)
}

impl Route {
    /// Whether a method is answered.
    pub(super) fn takes(&self, method: &Method) -> bool {
        let method = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        self.methods.contains(method)
    }

    /// The methods that are answered, for people and for Allow.
    pub(super) fn allowed(&self) -> String {
        let mut all: Vec<&str> = self.methods.iter().map(Method::as_str).collect();
        if self.methods.contains(&Method::GET) {
            all.push("HEAD");
        }
        all.push("OPTIONS");
        all.join(", ")
    }
}
