//! Where a message or IQ goes (RFC 6121 §8.5).
