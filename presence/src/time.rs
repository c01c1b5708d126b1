//! Two clocks: timers run on a monotonic [`Timestamp`] given in; what is stored is [`Utc`].
//! A jump of the wall clock moves no timer.

use std::time::Duration;

/// A point on the monotonic clock, in milliseconds since an arbitrary origin (the start of the process).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// This point moved forward; saturates at the end of time.
    pub fn plus(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)),
        )
    }

    /// How long after `earlier` this is; zero when it is before it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// A point in Coordinated Universal Time, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Utc(pub i64);

impl Utc {
    /// This point moved forward; saturates.
    pub fn plus(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// How long after `earlier` this is; zero when it is before it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Printed as XEP-0082 and RFC 3339 want it, in UTC with milliseconds only when there are any.
    pub fn to_rfc3339(self) -> String {
        let seconds = self.0.div_euclid(1000);
        let millis = self.0.rem_euclid(1000);
        let Ok(t) = time::OffsetDateTime::from_unix_timestamp(seconds) else {
            return "1970-01-01T00:00:00Z".to_owned();
        };
        let head = format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            t.year(),
            u8::from(t.month()),
            t.day(),
            t.hour(),
            t.minute(),
            t.second()
        );
        if millis == 0 {
            format!("{head}Z")
        } else {
            format!("{head}.{millis:03}Z")
        }
    }

    /// Read from RFC 3339 text with any offset; `None` when it is not a date and time.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let t = time::OffsetDateTime::parse(
            text.trim(),
            &time::format_description::well_known::Rfc3339,
        )
        .ok()?;
        i64::try_from(t.unix_timestamp_nanos().div_euclid(1_000_000))
            .ok()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_reads() {
        assert_eq!(Utc(0).to_rfc3339(), "1970-01-01T00:00:00Z");
        assert_eq!(
            Utc(1_700_000_000_123).to_rfc3339(),
            "2023-11-14T22:13:20.123Z"
        );
        assert_eq!(
            Utc::from_rfc3339("2023-11-14T23:13:20.123+01:00"),
            Some(Utc(1_700_000_000_123))
        );
        assert_eq!(Utc::from_rfc3339("yesterday"), None);
    }
}
