//! What can be wrong with certificates, one sentence each.

use std::path::PathBuf;

use crate::data_folder::DataFolderError;

/// Why certificates cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error(
        "the file {path} cannot be read ({error}); correct [tls] in the configuration, or give this user the right to read it"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system answered.
        error: std::io::Error,
    },
    /// A certificate file holds no certificate.
    #[error("{0} holds no certificate in PEM form; name the fullchain file as tls.certificate")]
    NoCertificate(PathBuf),
    /// A certificate cannot be understood.
    #[error(
        "{0} holds something that is not a certificate; name the fullchain file as tls.certificate"
    )]
    BadCertificate(PathBuf),
    /// A key file holds no key.
    #[error("{0} holds no private key in PEM form; name the key file as tls.key")]
    NoKey(PathBuf),
    /// A key is protected by a passphrase.
    #[error(
        "the key in {0} is encrypted; write it out unencrypted, e.g. with `openssl pkey -in KEY -out NEW`"
    )]
    EncryptedKey(PathBuf),
    /// A key is of a kind that is not supported.
    #[error(
        "the key in {0} is of a kind that is not supported; use RSA, ECDSA P-256 or P-384, or Ed25519"
    )]
    BadKey(PathBuf),
    /// Certificate and key do not belong together.
    #[error(
        "the key in {key} does not belong to the certificate in {certificate}; name the two that were made together"
    )]
    Mismatch {
        /// Certificate file.
        certificate: PathBuf,
        /// Key file.
        key: PathBuf,
    },
    /// The local authority's certificate or one of its own cannot be made.
    #[error(
        "a certificate for {name} cannot be made ({error}); name certificates in [tls] of the configuration"
    )]
    Making {
        /// Whom it is for.
        name: String,
        /// What the library says.
        error: rcgen::Error,
    },
    /// The TLS library refuses its settings.
    #[error("TLS cannot be set up ({0}); name other certificates in [tls] of the configuration")]
    Tls(#[from] rustls::Error),
    /// A file in the data folder cannot be written.
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
}
