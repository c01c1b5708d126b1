//! Accounts as a batch file.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use crate::failure::{Doing, Result};

/// The password of every account of the scenarios; these servers live for minutes on loopback.
pub(crate) const PASSWORD: &str = "load-word-42";

/// Writes `count` lines of `JID password`.
pub(crate) fn write(count: usize, domain: &str, prefix: &str, out: &Path) -> Result<()> {
    let what = out.display().to_string();
    let mut file = BufWriter::new(File::create(out).doing(&what)?);
    for index in 0..count {
        writeln!(file, "{prefix}{index}@{domain} {PASSWORD}").doing(&what)?;
    }
    file.flush().doing(&what)
}
