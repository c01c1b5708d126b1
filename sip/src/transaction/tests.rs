//! Conversations on simulated time.
