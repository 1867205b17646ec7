//! Signs requests as a Chef Server wants them: version 1.3 of its protocol, SHA-256 and RSA with
//! PKCS#1 v1.5 (chef/mixlib-authentication, `lib/mixlib/authentication/signedheaderauth.rb`).
#![expect(clippy::disallowed_methods, reason = "rank 3: this module reads a key")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::SignatureScheme;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::sign::SigningKey;
use url::Url;

use crate::digest::Digest;
use crate::http::Request;
use crate::secret::Secret;

/// The form in which a server describes a cookbook's files: the one that every server knows.
const API_VERSION: &str = "0";

/// How long a line of a signature is.
const LINE: usize = 60;

/// A client of a Chef Server, with its key.
pub(super) struct Signer {
    name: String,
    key: Arc<dyn SigningKey>,
    clock: fn() -> SystemTime,
}

impl Signer {
    /// Reads a key from its file: PEM, as PKCS#1 or PKCS#8, without a password. What is wrong is told in
    /// words.
    pub(super) fn new(name: &str, key: &Path, clock: fn() -> SystemTime) -> Result<Self, String> {
        let pem = fs::read(key).map_err(|error| error.to_string())?;
        let der = PrivateKeyDer::from_pem_slice(&pem)
            .map_err(|_| "it is no key as PEM, or one with a password".to_owned())?;
        let key = rustls::crypto::ring::sign::any_supported_type(&der);
        let key = key.map_err(|_| "it is no key that can be used".to_owned())?;
        if key
            .choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256])
            .is_none()
        {
            return Err("it is no key of RSA".to_owned());
        }
        Ok(Self {
            name: name.to_owned(),
            key,
            clock,
        })
    }

    /// A request that gets something, signed. A redirect would need a signature of its own, so that it
    /// is not followed.
    pub(super) fn sign(&self, url: Url) -> Result<Request, String> {
        let time = time(&(self.clock)());
        let hash = BASE64_STANDARD.encode(Digest::of("").as_bytes());
        let text = canonical(&path(&url), &hash, &time, &self.name);
        let scheme = self.key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]);
        let signature = scheme.and_then(|signer| signer.sign(text.as_bytes()).ok());
        let signature = signature.ok_or("the key does not sign")?;
        let signature = BASE64_STANDARD.encode(signature);
        let mut request = Request::get(url)
            .header("Accept", "application/json")
            // A server that is asked without it takes the client for one that is too old.
            .header("X-Chef-Version", "18.0.0")
            .header("X-Ops-Server-API-Version", API_VERSION)
            .header("X-Ops-Sign", "algorithm=sha256;version=1.3;")
            .header("X-Ops-Timestamp", time)
            .header("X-Ops-Content-Hash", hash);
        request.redirects = 0;
        let mut secret = |name: String, value: &str| {
            request.secret_headers.push((name, Secret::new(value)));
        };
        secret("X-Ops-Userid".to_owned(), &self.name);
        for (number, line) in signature.as_bytes().chunks(LINE).enumerate() {
            let line = String::from_utf8_lossy(line);
            secret(format!("X-Ops-Authorization-{}", number + 1), &line);
        }
        Ok(request)
    }
}

/// What is signed.
fn canonical(path: &str, hash: &str, time: &str, user: &str) -> String {
    format!(
        "Method:GET\nPath:{path}\nX-Ops-Content-Hash:{hash}\nX-Ops-Sign:version=1.3\n\
         X-Ops-Timestamp:{time}\nX-Ops-UserId:{user}\nX-Ops-Server-API-Version:{API_VERSION}"
    )
}

/// A path without doubled slashes, and without one at its end.
fn path(url: &Url) -> String {
    let parts = url.path().split('/').filter(|part| !part.is_empty());
    let path: Vec<&str> = parts.collect();
    format!("/{}", path.join("/"))
}

/// A time as ISO 8601 has it, in UTC.
fn time(time: &SystemTime) -> String {
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Years that begin in March end in their leap day: 400 of them have 146,097 days.
    let day = days + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let (month, next) = match month {
        0..=9 => (month + 3, 0),
        _ => (month - 9, 1),
    };
    format!(
        "{:04}-{month:02}-{day_of_month:02}T{:02}:{:02}:{:02}Z",
        era * 400 + year + next,
        rest / 3_600,
        rest / 60 % 60,
        rest % 60
    )
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_written_as_iso_8601() {
        for (seconds, wanted) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_735_689_600, "2025-01-01T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(time(&(UNIX_EPOCH + Duration::from_secs(seconds))), wanted);
        }
    }

    #[test]
    fn a_path_is_signed_in_its_one_form() {
        for (url, wanted) in [
            (
                "https://a/organizations//o/universe/",
                "/organizations/o/universe",
            ),
            ("https://a/", "/"),
            ("https://a/x?y=z", "/x"),
        ] {
            assert_eq!(path(&Url::parse(url).expect("a URL")), wanted);
        }
    }

    /// What `openssl dgst -sha256 -sign testdata/chef_server/client.pem | base64 -w 60` makes of the
    /// text that is to be signed; RSA with PKCS#1 v1.5 always makes the same of it.
    const SIGNATURE: [&str; 6] = [
        "YikOEGAlxPgiFu9tHD5iIi92VXvQ8mQGXuwvI5RxmA2+LyOrHTtxLNi4e6ri",
        "MGwX0jp8wWyBiG3Ew3fUFIYzJi9lJdvXAO5+lqk8vGyBXO6NOK0M2O8T2Ya/",
        "zsI7NVY+s8l+hV0Cd/6K3WSCSgZ5fAhMB/6hyf0jRQGUa92taXnb+lohsU0k",
        "KZ7anfKeV/cd0nWbiEcLIoOZSftDWjSnMt0qAmV6xIHy7hQcs2ooQwkMc/aE",
        "P4HxYkCnVFU0Efi0ANMaUJqWHlsOSlBjwvx57irw642jQnl/IikTWcSsBLir",
        "lSxuAEZsUCdjZLCvpynFx/LRn+oA3VL40Op9++R16g==",
    ];

    fn fixture(name: &str) -> PathBuf {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        folder.join("testdata/chef_server").join(name)
    }

    #[test]
    fn a_request_is_signed_as_openssl_signs_it() {
        let clock = || UNIX_EPOCH + Duration::from_secs(1_230_811_200);
        for key in ["client.pem", "client.pkcs1.pem"] {
            let signer = Signer::new("spec-user", &fixture(key), clock).expect("a key");
            let url = Url::parse("https://chef.example/organizations/acme/universe");
            let request = signer.sign(url.expect("a URL")).expect("a request");
            let mut lines = Vec::new();
            for (name, value) in &request.secret_headers {
                match name.strip_prefix("X-Ops-Authorization-") {
                    Some(number) => lines.push((number.parse::<usize>(), value.expose())),
                    None => assert_eq!(
                        (name.as_str(), value.expose()),
                        ("X-Ops-Userid", "spec-user")
                    ),
                }
            }
            let wanted: Vec<_> = (1..).map(Ok).zip(SIGNATURE).collect();
            assert_eq!(lines, wanted, "{key}");
            let header = |name: &str| {
                let found = request.headers.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| value.as_str())
            };
            assert_eq!(header("X-Ops-Timestamp"), Some("2009-01-01T12:00:00Z"));
            assert_eq!(header("X-Ops-Sign"), Some("algorithm=sha256;version=1.3;"));
            assert_eq!(
                header("X-Ops-Content-Hash"),
                Some("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
            );
            assert_eq!(request.redirects, 0);
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let refused = |path: &Path| {
            let signer = Signer::new("me", path, || UNIX_EPOCH);
            signer.err().expect("refused")
        };
        let certificate = fixture("../tls/server.pem");
        assert_eq!(
            refused(&certificate),
            "it is no key as PEM, or one with a password"
        );
        assert!(!refused(&fixture("absent")).is_empty());
    }
}
