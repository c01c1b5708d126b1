//! What the benchmarks share: the two SIP machines with a model that answers at once, phones, messages as they are on the wire.

pub mod text;
pub mod world;
