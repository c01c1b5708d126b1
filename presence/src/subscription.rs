//! The state tables of RFC 6121 appendix A.
