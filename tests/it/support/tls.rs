//! A certificate authority of a test's own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::finish;
use super::sandbox::path_variable;

/// An authority that nobody trusts by itself, and a server that it vouches for as `localhost`.
pub(crate) struct Authority {
    folder: PathBuf,
}

impl Authority {
    /// Makes the keys and the certificates, with `openssl`.
    pub(crate) fn new(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        let new_key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        let openssl = |args: &str| {
            let mut command = Command::new("openssl");
            command
                .args(args.split_whitespace())
                .env_clear()
                .env("PATH", path_variable())
                .env("HOME", folder)
                .current_dir(folder);
            finish(&mut command).ok();
        };
        openssl(&format!(
            "req -x509 {new_key} -keyout ca.key -out ca.pem -days 30 -subj /CN=Test-CA \
             -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign"
        ));
        openssl(&format!(
            "req {new_key} -keyout server.key -out server.csr -subj /CN=localhost"
        ));
        let extensions = "subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n\
                          basicConstraints=CA:FALSE\n";
        std::fs::write(folder.join("server.ext"), extensions).expect("a file");
        openssl(
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -set_serial 7 -days 30 \
             -extfile server.ext -out server.pem",
        );
        Self {
            folder: folder.to_owned(),
        }
    }

    /// The certificate to trust.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// What a server needs.
    pub(crate) fn server(&self) -> Arc<rustls::ServerConfig> {
        let certificates = CertificateDer::pem_file_iter(self.folder.join("server.pem"))
            .expect("a certificate")
            .collect::<Result<Vec<_>, _>>()
            .expect("a certificate");
        let key = PrivateKeyDer::from_pem_file(self.folder.join("server.key")).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .expect("a certificate with its key");
        Arc::new(config)
    }
}
