//! Which servers are trusted, and who this client is.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use super::{HttpError, HttpOptions};

/// What the options say about certificates. All files are read and checked here.
pub(super) fn settings(options: &HttpOptions) -> Result<TlsConfig, HttpError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = match (&options.ca_file, &options.extra_ca_file) {
        (None, None) => RootCerts::PlatformVerifier,
        (own, extra) => {
            let mut found = match own {
                Some(path) => certificates(path)?,
                // Whatever cannot be read of the system's is missed when a server needs it.
                None => rustls_native_certs::load_native_certs().certs,
            };
            if let Some(path) = extra {
                found.extend(certificates(path)?);
            }
            let known = found
                .iter()
                .map(|der| Certificate::from_der(der).to_owned());
            RootCerts::Specific(Arc::new(known.collect()))
        }
    };
    let own = match &options.client_certificate {
        None => None,
        Some(path) => {
            let key = options.client_key.as_deref().unwrap_or(path);
            Some(client_certificate(path, key, &provider)?)
        }
    };
    Ok(TlsConfig::builder()
        .root_certs(roots)
        .client_cert(own)
        .unversioned_rustls_crypto_provider(provider)
        .build())
}

fn unusable(path: &Path, reason: &dyn std::fmt::Display) -> HttpError {
    HttpError::Certificates {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, HttpError> {
    fs::read(path).map_err(|error| unusable(path, &error))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, HttpError> {
    let text = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|_| unusable(path, &"it is not written as PEM"))?;
    if found.is_empty() {
        return Err(unusable(path, &"there is none in it"));
    }
    Ok(found)
}

fn client_certificate(
    path: &Path,
    key_path: &Path,
    provider: &CryptoProvider,
) -> Result<ClientCert, HttpError> {
    let chain = certificates(path)?;
    let key_text = read(key_path)?;
    let no_key = |_| {
        let reason = "there is no key in it that is written as PEM and has no password";
        unusable(key_path, &reason)
    };
    let der = PrivateKeyDer::from_pem_slice(&key_text).map_err(no_key)?;
    // ureq takes it for granted that they belong together.
    let checked = CertifiedKey::from_der(chain.clone(), der, provider);
    checked.map_err(|error| unusable(path, &error))?;
    let chain: Vec<_> = chain
        .iter()
        .map(|der| Certificate::from_der(der).to_owned())
        .collect();
    let key = PrivateKey::from_pem(&key_text);
    let key = key.map_err(|error| unusable(key_path, &error))?;
    Ok(ClientCert::new_with_certs(&chain, key))
}
