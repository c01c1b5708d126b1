//! What `adsum check certs` says.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use time::{Duration, OffsetDateTime};

use super::local::Names;
use super::{CertificateError, Facts, Identity};
use crate::config::Config;

/// Left when an admin should renew.
const SOON: Duration = Duration::days(14);

/// Everything that is wrong or will soon be with the configured certificates, one sentence each that says what to do.
/// Certificates of the local authority are made and renewed by the server; nothing is to be done about them.
pub fn problems(config: &Config, now: OffsetDateTime) -> Vec<String> {
    if config.tls.files.is_empty() {
        return Vec::new();
    }
    let provider = rustls::crypto::ring::default_provider();
    let mut found = Vec::new();
    let mut usable: Vec<Facts> = Vec::new();
    for files in &config.tls.files {
        match Identity::read(files, &provider) {
            Ok(identity) => {
                found.extend(validity(&files.certificate, &identity.facts, now));
                usable.push(identity.facts);
            }
            Err(error) => found.push(sentence(&error)),
        }
        found.extend(readable_by_others(&files.key));
    }
    if usable.len() == config.tls.files.len() {
        let uncovered = Names::of(config)
            .into_iter()
            .map(|names| names.domain)
            .filter(|name| !usable.iter().any(|facts| facts.covers(name)));
        found.extend(uncovered.map(|name| format!("No certificate of [tls] is good for {name}; get one that names it, or remove it from domains.")));
    }
    found
}

/// Reads the configured certificates and keys, to see whether they can be used, before anything is made.
pub fn usable(config: &Config) -> Result<(), CertificateError> {
    let provider = rustls::crypto::ring::default_provider();
    for files in &config.tls.files {
        Identity::read(files, &provider)?;
    }
    Ok(())
}

fn validity(path: &Path, facts: &Facts, now: OffsetDateTime) -> Option<String> {
    let path = path.display();
    if facts.not_after <= now {
        Some(format!(
            "The certificate in {path} ended on {}; renew it.",
            facts.not_after.date()
        ))
    } else if facts.not_before > now {
        Some(format!(
            "The certificate in {path} begins on {} only; correct the clock or use another.",
            facts.not_before.date()
        ))
    } else if facts.not_after - now < SOON {
        Some(format!(
            "The certificate in {path} ends on {}; renew it.",
            facts.not_after.date()
        ))
    } else {
        None
    }
}

fn readable_by_others(key: &Path) -> Option<String> {
    let mode = std::fs::metadata(key).ok()?.permissions().mode();
    (mode & 0o007 != 0).then(|| {
        format!(
            "Everybody may read the key in {0}; run `chmod o= {0}`.",
            key.display()
        )
    })
}

fn sentence(error: &CertificateError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        format!("{}{}.", first.to_uppercase(), letters.as_str())
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use rcgen::{CertificateParams, KeyPair};

    #[test]
    fn says_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let now = OffsetDateTime::now_utc();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["a.example".to_owned()]).unwrap();
        params.not_after = now + Duration::days(3);
        let write =
            |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
        write("c.pem", params.self_signed(&key).unwrap().pem());
        write("k.pem", key.serialize_pem());
        std::fs::set_permissions(
            folder.path().join("k.pem"),
            std::fs::Permissions::from_mode(0o644),
        )
        .unwrap();
        let text = "domains = [\"a.example\", \"b.example\"]\n[tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n";
        let config = crate::config::parse(text, Some(&folder.path().join("adsum.toml")), [])
            .unwrap()
            .config;
        let found = problems(&config, now);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].contains("ends on"), "{found:?}");
        assert!(found[1].contains("chmod o="), "{found:?}");
        assert!(found[2].contains("good for b.example"), "{found:?}");
        assert!(problems(&config, now + Duration::days(4))[0].contains("ended on"));
        std::fs::remove_file(folder.path().join("k.pem")).unwrap();
        assert!(
            problems(&config, now)[0].starts_with("The file "),
            "{:?}",
            problems(&config, now)
        );
        assert!(problems(&crate::config::defaults(), now).is_empty());
    }
}
