//! SIP clients against the real program.
