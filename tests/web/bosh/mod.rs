//! BOSH as clients of browsers speak it, to the real program.

mod begin;
mod end;
mod http2;
mod network;
mod order;
mod requests;
mod stream;
mod tab;
mod ways;
