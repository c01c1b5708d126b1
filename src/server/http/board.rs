//! The page that is served at `/` where no web app is configured, embedded in the program.

use std::sync::LazyLock;

use hyper::Request;
use hyper::body::{Bytes, Incoming};

use super::answer::Answer;
use super::context::Context;
use super::file::File;
use super::{host, page};

/// A file beside this one, by its name.
macro_rules! embedded {
    ($name:literal) => {
        LazyLock::new(|| File::new($name, Bytes::from_static(include_bytes!($name))))
    };
}

static PAGE: LazyLock<File> = embedded!("board.html");
static SCRIPT: LazyLock<File> = embedded!("board.js");
static STYLE: LazyLock<File> = embedded!("board.css");

/// `/`
pub(super) async fn answer(context: &Context, request: Request<Incoming>) -> Answer {
    hand_out(&PAGE, context, &request)
}

/// `/board.js`
pub(super) async fn script(context: &Context, request: Request<Incoming>) -> Answer {
    hand_out(&SCRIPT, context, &request)
}

/// `/board.css`
pub(super) async fn style(context: &Context, request: Request<Incoming>) -> Answer {
    hand_out(&STYLE, context, &request)
}

fn hand_out(file: &File, context: &Context, request: &Request<Incoming>) -> Answer {
    let mut answer = file.answer(request.headers(), "no-cache");
    let host = host::of(request).ok().flatten();
    let config = &context.shared().config;
    page::protect(config, host.as_ref(), answer.headers_mut());
    answer
}
