//! The local authority and the certificates it makes, for servers that were given none.

use std::net::IpAddr;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};
use time::{Duration, OffsetDateTime};

use super::{CertificateError, Facts};
use crate::config::{CertificateFiles, Config};
use crate::data_folder::{DataFolder, PRIVATE, PUBLIC};

/// File of the authority's certificate in the data folder.
pub const AUTHORITY: &str = "ca.pem";
const AUTHORITY_KEY: &str = "ca.key";
const FOLDER: &str = "certificates";

const AUTHORITY_LIFE: Duration = Duration::days(3650);
/// What all clients accept of a certificate.
const LIFE: Duration = Duration::days(397);
/// Left when a certificate is made anew.
const RENEW: Duration = Duration::days(30);
/// Clocks of clients may be behind.
const BEFORE: Duration = Duration::days(1);

/// What one certificate is for: the domain and further names and addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The domain, ASCII.
    pub domain: String,
    /// Further DNS names.
    pub also: Vec<String>,
    /// IP addresses.
    pub addresses: Vec<IpAddr>,
}

impl Names {
    /// Of every domain of a configuration. The first one's certificate, which clients get that name no server, is good
    /// for this machine as well: `localhost`, loopback, the addresses listened on and the public SIP host.
    pub fn of(config: &Config) -> Vec<Self> {
        let own = |domain: &crate::config::Domain| Self {
            domain: domain.ascii.clone(),
            also: Vec::new(),
            addresses: Vec::new(),
        };
        let mut all: Vec<Self> = config.domains.iter().map(own).collect();
        let Some(first) = all.first_mut() else {
            return all;
        };
        first.add("localhost");
        first.add("127.0.0.1");
        first.add("::1");
        if let Some(host) = &config.sip.public_host {
            first.add(host);
        }
        let listened = [
            &config.xmpp.client,
            &config.xmpp.client_tls,
            &config.http.listen_tls,
            &config.sip.tls,
        ];
        for address in listened.into_iter().flatten().map(std::net::SocketAddr::ip) {
            if !address.is_unspecified() && !first.addresses.contains(&address) {
                first.addresses.push(address);
            }
        }
        all
    }

    fn add(&mut self, host: &str) {
        match host.parse::<IpAddr>() {
            Ok(address) if !self.addresses.contains(&address) => self.addresses.push(address),
            Ok(_) => {}
            Err(_) if self.domain == host || self.also.iter().any(|name| name == host) => {}
            Err(_) => self.also.push(host.to_owned()),
        }
    }

    /// Domains that are addresses go where addresses go.
    fn alternatives(&self) -> Result<Vec<SanType>, rcgen::Error> {
        let mut all = Vec::new();
        for name in std::iter::once(&self.domain).chain(&self.also) {
            all.push(match name.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(name.as_str().try_into()?),
            });
        }
        all.extend(self.addresses.iter().copied().map(SanType::IpAddress));
        Ok(all)
    }

    fn covered_by(&self, facts: &Facts) -> bool {
        let names = std::iter::once(&self.domain).chain(&self.also);
        names.into_iter().all(|name| facts.covers(name))
            && self
                .addresses
                .iter()
                .all(|address| facts.addresses.contains(address))
    }
}

/// Makes what is missing, near its end or not for these names; returns where the certificates are, in the order of `names`.
pub(super) fn ensure(
    folder: &DataFolder,
    names: &[Names],
    now: OffsetDateTime,
) -> Result<Vec<CertificateFiles>, CertificateError> {
    folder.make_folder(FOLDER)?;
    let (authority, fresh) = authority(folder, now)?;
    let mut all = Vec::with_capacity(names.len());
    for name in names {
        let stem = format!("{FOLDER}/{}", name.domain);
        let (certificate, key) = (format!("{stem}.pem"), format!("{stem}.key"));
        let files = CertificateFiles {
            certificate: folder.file(&certificate),
            key: folder.file(&key),
        };
        if fresh || !still_good(&files, name, now) {
            let (chain, private) =
                issue(&authority, name, now).map_err(|error| making(&name.domain, error))?;
            // The key first: a pair that was half written does not match and is made anew.
            folder.write(&key, private.as_bytes(), PRIVATE)?;
            folder.write(&certificate, chain.as_bytes(), PUBLIC)?;
        }
        all.push(files);
    }
    Ok(all)
}

fn still_good(files: &CertificateFiles, names: &Names, now: OffsetDateTime) -> bool {
    let provider = rustls::crypto::ring::default_provider();
    super::Identity::read(files, &provider).is_ok_and(|identity| {
        names.covered_by(&identity.facts)
            && identity.facts.not_after - now > RENEW
            && identity.facts.not_before <= now
    })
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
}

/// Reads the authority or makes one; true if it is new, and with it every certificate must be.
fn authority(
    folder: &DataFolder,
    now: OffsetDateTime,
) -> Result<(Authority, bool), CertificateError> {
    if let Some(key) = existing_authority(folder, now) {
        let issuer = Issuer::new(authority_params(&key, now), key);
        return Ok((Authority { issuer }, false));
    }
    let failed = |error| making("the local authority", error);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
    let params = authority_params(&key, now);
    let certificate = params.self_signed(&key).map_err(failed)?;
    folder.write(AUTHORITY_KEY, key.serialize_pem().as_bytes(), PRIVATE)?;
    folder.write(AUTHORITY, certificate.pem().as_bytes(), PUBLIC)?;
    Ok((
        Authority {
            issuer: Issuer::new(params, key),
        },
        true,
    ))
}

/// The key of an authority that outlives a certificate made now and whose certificate is there.
fn existing_authority(folder: &DataFolder, now: OffsetDateTime) -> Option<KeyPair> {
    let key = KeyPair::from_pem(&std::fs::read_to_string(folder.file(AUTHORITY_KEY)).ok()?).ok()?;
    let certificate =
        CertificateDer::from_pem_slice(&std::fs::read(folder.file(AUTHORITY)).ok()?).ok()?;
    let facts = Facts::read(&certificate)?;
    let same_key = certificate
        .windows(key.public_key_raw().len())
        .any(|window| window == key.public_key_raw());
    (same_key && facts.not_after - now > LIFE + RENEW).then_some(key)
}

/// The same for the same key, but for the dates, so that an issuer can be made from the key alone.
fn authority_params(key: &KeyPair, now: OffsetDateTime) -> CertificateParams {
    let hash = Sha256::digest(key.public_key_raw());
    let mark = hash
        .iter()
        .take(4)
        .fold(0_u32, |mark, byte| mark << 8 | u32::from(*byte));
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(
        DnType::CommonName,
        format!("Adsum local authority {mark:08x}"),
    );
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = now - BEFORE;
    params.not_after = now + AUTHORITY_LIFE;
    params
}

fn issue(
    authority: &Authority,
    names: &Names,
    now: OffsetDateTime,
) -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::default();
    params.subject_alt_names = names.alternatives()?;
    params.distinguished_name = DistinguishedName::new();
    // At most 64 characters; the name that counts is the alternative one.
    params.distinguished_name.push(
        DnType::CommonName,
        names.domain.chars().take(64).collect::<String>(),
    );
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    params.use_authority_key_identifier_extension = true;
    params.not_before = now - BEFORE;
    params.not_after = now + LIFE;
    let certificate = params.signed_by(&key, &authority.issuer)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

fn making(name: &str, error: rcgen::Error) -> CertificateError {
    CertificateError::Making {
        name: name.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn names(domain: &str) -> Names {
        Names {
            domain: domain.to_owned(),
            also: Vec::new(),
            addresses: Vec::new(),
        }
    }

    fn read(files: &CertificateFiles) -> Vec<u8> {
        std::fs::read(&files.certificate).unwrap()
    }

    #[test]
    fn made_once_and_renewed_near_the_end() {
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(place.path()).unwrap();
        let now = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
        let all = [names("a.example"), names("b.example")];
        let files = ensure(&folder, &all, now).unwrap();
        let before: Vec<_> = files.iter().map(read).collect();
        for file in [&folder.file(AUTHORITY_KEY), &files[0].key, &files[1].key] {
            assert_eq!(
                std::fs::metadata(file).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        ensure(&folder, &all, now + Duration::days(360)).unwrap();
        assert_eq!(files.iter().map(read).collect::<Vec<_>>(), before);
        let authority = std::fs::read(folder.file(AUTHORITY)).unwrap();
        ensure(&folder, &all, now + Duration::days(370)).unwrap();
        assert!(
            files
                .iter()
                .map(read)
                .zip(&before)
                .all(|(after, before)| after != *before)
        );
        assert_eq!(std::fs::read(folder.file(AUTHORITY)).unwrap(), authority);
        ensure(&folder, &all, now + Duration::days(3600)).unwrap();
        assert_ne!(std::fs::read(folder.file(AUTHORITY)).unwrap(), authority);
    }

    #[test]
    fn made_anew_for_new_names_and_after_a_mishap() {
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(place.path()).unwrap();
        let now = OffsetDateTime::now_utc();
        let mut name = names("a.example");
        let files = ensure(&folder, &[name.clone()], now).unwrap().remove(0);
        let before = read(&files);
        name.add("localhost");
        name.add("127.0.0.1");
        ensure(&folder, &[name.clone()], now).unwrap();
        assert_ne!(read(&files), before);
        std::fs::write(&files.key, "torn").unwrap();
        ensure(&folder, &[name.clone()], now).unwrap();
        assert!(still_good(&files, &name, now));
    }

    #[test]
    fn the_first_domain_is_good_for_this_machine() {
        let text = "domains = [\"a.example\", \"b.example\"]\n[sip]\ntls = [\"192.0.2.1:5061\"]\npublic_host = \"sip.a.example\"\n";
        let config = crate::config::parse(text, None, []).unwrap().config;
        let all = Names::of(&config);
        assert_eq!(all[0].also, ["localhost", "sip.a.example"]);
        let addresses: Vec<_> = all[0].addresses.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["127.0.0.1", "::1", "192.0.2.1"]);
        assert_eq!(all[1], names("b.example"));
    }
}
