//! What a certificate says about itself.

use std::net::IpAddr;

use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};
use x509_parser::signature_algorithm::SignatureAlgorithm;

/// What a certificate says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// DNS names, lower case; may begin with `*.`.
    pub names: Vec<String>,
    /// IP addresses.
    pub addresses: Vec<IpAddr>,
    /// From when it is valid.
    pub not_before: OffsetDateTime,
    /// Until when.
    pub not_after: OffsetDateTime,
}

impl Facts {
    /// Reads a certificate in DER; `None` if it is none.
    pub fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let mut facts = Self {
            names: Vec::new(),
            addresses: Vec::new(),
            not_before: certificate.validity().not_before.to_datetime(),
            not_after: certificate.validity().not_after.to_datetime(),
        };
        let alternative = certificate.subject_alternative_name().ok()?;
        for name in alternative
            .iter()
            .flat_map(|names| &names.value.general_names)
        {
            match name {
                GeneralName::DNSName(name) => facts.names.push(name.to_ascii_lowercase()),
                GeneralName::IPAddress(bytes) => facts.addresses.extend(address(bytes)),
                _ => {}
            }
        }
        Some(facts)
    }

    /// Whether it is good for a host, in ASCII form, by the rules of RFC 9525 §6.3: a wildcard stands for one whole label.
    pub fn covers(&self, host: &str) -> bool {
        if let Ok(address) = host.parse::<IpAddr>() {
            return self.addresses.contains(&address);
        }
        let host = host.to_ascii_lowercase();
        let parent = host.split_once('.').map(|(_, parent)| parent);
        self.names.iter().any(|name| {
            *name == host
                || (name.strip_prefix("*.").is_some() && name.strip_prefix("*.") == parent)
        })
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

/// The `tls-server-end-point` binding of a certificate in DER (RFC 5929 §4.1): its hash by the hash function of its
/// signature, SHA-256 in place of MD5 and SHA-1. `None` where the signature has no single hash function (Ed25519), for
/// which the binding is undefined.
pub fn end_point(der: &[u8]) -> Option<Vec<u8>> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let algorithm = &certificate.signature_algorithm;
    let signed = match SignatureAlgorithm::try_from(algorithm) {
        Ok(SignatureAlgorithm::RSASSA_PSS(parameters)) => {
            parameters.hash_algorithm_oid().to_id_string()
        }
        _ => algorithm.algorithm.to_id_string(),
    };
    match signed.as_str() {
        SHA256_RSA | SHA256_ECDSA | SHA256 | MD5_RSA | SHA1_RSA | SHA1_ECDSA | SHA1 => {
            Some(Sha256::digest(der).to_vec())
        }
        SHA384_RSA | SHA384_ECDSA | SHA384 => Some(Sha384::digest(der).to_vec()),
        SHA512_RSA | SHA512_ECDSA | SHA512 => Some(Sha512::digest(der).to_vec()),
        SHA224_RSA | SHA224_ECDSA | SHA224 => Some(Sha224::digest(der).to_vec()),
        _ => None,
    }
}

// Signatures of RFC 8017 appendix C and RFC 5758 §3.2; hash functions of RFC 4055 §2.1.
const MD5_RSA: &str = "1.2.840.113549.1.1.4";
const SHA1_RSA: &str = "1.2.840.113549.1.1.5";
const SHA256_RSA: &str = "1.2.840.113549.1.1.11";
const SHA384_RSA: &str = "1.2.840.113549.1.1.12";
const SHA512_RSA: &str = "1.2.840.113549.1.1.13";
const SHA224_RSA: &str = "1.2.840.113549.1.1.14";
const SHA1_ECDSA: &str = "1.2.840.10045.4.1";
const SHA224_ECDSA: &str = "1.2.840.10045.4.3.1";
const SHA256_ECDSA: &str = "1.2.840.10045.4.3.2";
const SHA384_ECDSA: &str = "1.2.840.10045.4.3.3";
const SHA512_ECDSA: &str = "1.2.840.10045.4.3.4";
const SHA1: &str = "1.3.14.3.2.26";
const SHA256: &str = "2.16.840.1.101.3.4.2.1";
const SHA384: &str = "2.16.840.1.101.3.4.2.2";
const SHA512: &str = "2.16.840.1.101.3.4.2.3";
const SHA224: &str = "2.16.840.1.101.3.4.2.4";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use rcgen::{
        CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519,
    };

    fn certificate(algorithm: &'static rcgen::SignatureAlgorithm, names: &[&str]) -> Vec<u8> {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        CertificateParams::new(names)
            .unwrap()
            .self_signed(&key)
            .unwrap()
            .der()
            .to_vec()
    }

    #[test]
    fn names_and_addresses() {
        let facts = Facts::read(&certificate(
            &PKCS_ECDSA_P256_SHA256,
            &["A.example", "*.b.example", "127.0.0.1", "::1"],
        ))
        .unwrap();
        for good in ["a.example", "A.EXAMPLE", "x.b.example", "127.0.0.1", "::1"] {
            assert!(facts.covers(good), "{good}");
        }
        for bad in ["b.example", "x.y.b.example", "example", "127.0.0.2", ""] {
            assert!(!facts.covers(bad), "{bad}");
        }
        assert!(Facts::read(b"no certificate").is_none());
    }

    #[test]
    fn the_binding_follows_the_signature() {
        let p256 = certificate(&PKCS_ECDSA_P256_SHA256, &["a"]);
        assert_eq!(end_point(&p256).unwrap(), Sha256::digest(&p256).to_vec());
        let p384 = certificate(&PKCS_ECDSA_P384_SHA384, &["a"]);
        assert_eq!(end_point(&p384).unwrap(), Sha384::digest(&p384).to_vec());
        assert_eq!(end_point(&certificate(&PKCS_ED25519, &["a"])), None);
        assert_eq!(end_point(b""), None);
    }
}
