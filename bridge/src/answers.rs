//! Every answer to a request, as data: `docs/sip-answers.md` is printed from it.
