//! What strangers are offered, worked out and printed once for each kind of stream.

use super::features;
use super::settings::Settings;
use crate::sasl::{Channel, OfferDigests};
use std::sync::{Arc, OnceLock};

/// The offers of a listener. Whoever changes the settings that an offer depends on does so before the first connection.
#[derive(Debug, Clone, Default)]
pub struct Offers([OnceLock<Offer>; 9]);

/// The offer for a framed stream without protection.
const FRAMED: usize = 8;

/// One of them.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    /// `<stream:features/>`.
    pub(super) features: Vec<u8>,
    /// For the protection against downgrades.
    pub(super) digests: Arc<OfferDigests>,
}

impl Offers {
    /// The offer for a stream like this. On a `framed` one TLS cannot be begun.
    pub(super) fn of(
        &self,
        channel: &Channel,
        settings: &Settings,
        framed: bool,
    ) -> Option<&Offer> {
        let bindings = &channel.bindings;
        let kind = if framed && !channel.encrypted {
            FRAMED
        } else {
            usize::from(channel.encrypted)
                | usize::from(bindings.exporter.is_some()) << 1
                | usize::from(bindings.server_end_point.is_some()) << 2
        };
        let offer = self.0.get(kind)?;
        Some(offer.get_or_init(|| Offer::new(channel, settings, framed)))
    }
}

impl Offer {
    fn new(channel: &Channel, settings: &Settings, framed: bool) -> Self {
        let mut printed = Vec::new();
        features::before_login(&mut printed, channel, settings, framed);
        let digests = OfferDigests::new(&channel.offered(), &channel.bindings.supported());
        Self {
            features: printed,
            digests: Arc::new(digests),
        }
    }
}
