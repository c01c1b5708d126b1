//! A certificate chain with its key, ready to be shown to clients.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::{self, PemObject as _};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::{CertificateError, Facts, end_point};
use crate::config::CertificateFiles;

/// A certificate chain with its key, ready to be shown to clients.
#[derive(Debug, Clone)]
pub struct Identity {
    pub(super) certified: Arc<CertifiedKey>,
    /// What its first certificate says.
    pub facts: Facts,
    /// Its `tls-server-end-point` binding, if it has one.
    pub end_point: Option<Vec<u8>>,
}

impl Identity {
    /// Reads a chain and its key from PEM files.
    pub fn read(
        files: &CertificateFiles,
        provider: &CryptoProvider,
    ) -> Result<Self, CertificateError> {
        let chain = chain(&files.certificate)?;
        let leaf = chain
            .first()
            .ok_or_else(|| CertificateError::NoCertificate(files.certificate.clone()))?;
        let facts = Facts::read(leaf)
            .ok_or_else(|| CertificateError::BadCertificate(files.certificate.clone()))?;
        let end_point = end_point(leaf);
        let key = key(&files.key)?;
        let key = provider
            .key_provider
            .load_private_key(key)
            .map_err(|_| CertificateError::BadKey(files.key.clone()))?;
        let certified = CertifiedKey::new(chain, key);
        match certified.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
            Err(rustls::Error::InconsistentKeys(_)) => {
                return Err(CertificateError::Mismatch {
                    certificate: files.certificate.clone(),
                    key: files.key.clone(),
                });
            }
            Err(_) => return Err(CertificateError::BadCertificate(files.certificate.clone())),
        }
        Ok(Self {
            certified: Arc::new(certified),
            facts,
            end_point,
        })
    }

    /// The certificates in DER, the server's own first.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.certified.cert
    }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let text = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    chain.map_err(|_| CertificateError::BadCertificate(path.to_owned()))
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, CertificateError> {
    let text = read(path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound if text.windows(9).any(|window| window == b"ENCRYPTED") => {
            CertificateError::EncryptedKey(path.to_owned())
        }
        _ => CertificateError::NoKey(path.to_owned()),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    std::fs::read(path).map_err(|error| CertificateError::Unreadable {
        path: path.to_owned(),
        error,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use rcgen::{CertificateParams, KeyPair};

    fn pair() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["a.example".to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn read(certificate: &str, key: &str) -> Result<Identity, CertificateError> {
        let folder = tempfile::tempdir().unwrap();
        let files = CertificateFiles {
            certificate: folder.path().join("c.pem"),
            key: folder.path().join("k.pem"),
        };
        std::fs::write(&files.certificate, certificate).unwrap();
        std::fs::write(&files.key, key).unwrap();
        Identity::read(&files, &rustls::crypto::ring::default_provider())
    }

    #[test]
    fn a_good_pair_is_read() {
        let (certificate, key) = pair();
        let identity = read(&certificate, &key).unwrap();
        assert_eq!(identity.facts.names, ["a.example"]);
        assert_eq!(identity.end_point.unwrap().len(), 32);
    }

    #[test]
    fn what_is_wrong_is_told() {
        let ((certificate, key), (other, _)) = (pair(), pair());
        assert!(matches!(
            read(&other, &key),
            Err(CertificateError::Mismatch { .. })
        ));
        assert!(matches!(
            read(&key, &key),
            Err(CertificateError::NoCertificate(_))
        ));
        assert!(matches!(
            read(&certificate, &certificate),
            Err(CertificateError::NoKey(_))
        ));
        assert!(matches!(
            read("", ""),
            Err(CertificateError::NoCertificate(_))
        ));
        let encrypted = key.replace("PRIVATE", "ENCRYPTED PRIVATE");
        assert!(matches!(
            read(&certificate, &encrypted),
            Err(CertificateError::EncryptedKey(_))
        ));
        let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(
            read(junk, &key),
            Err(CertificateError::BadCertificate(_))
        ));
        let junk = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert!(matches!(
            read(&certificate, junk),
            Err(CertificateError::BadKey(_))
        ));
        let files = CertificateFiles {
            certificate: "/nowhere/c.pem".into(),
            key: "/nowhere/k.pem".into(),
        };
        let missing = Identity::read(&files, &rustls::crypto::ring::default_provider());
        assert!(missing.is_err_and(|error| {
            error
                .to_string()
                .starts_with("the file /nowhere/c.pem cannot be read")
        }));
    }
}
