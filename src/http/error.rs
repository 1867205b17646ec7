//! What can go wrong with a request.

use std::path::PathBuf;

use crate::error::{Diagnose, Diagnostic, Kind, message_with_causes};
use crate::event::Cancelled;

/// Why a request has no answer. Addresses are without credentials.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Nobody knows the host's address.
    #[error("the name of the host of `{url}` cannot be resolved")]
    UnknownHost {
        /// The address.
        url: String,
    },
    /// There is no connection, or it broke.
    #[error("cannot connect to `{url}`: {reason}")]
    Connect {
        /// The address.
        url: String,
        /// What the system says.
        reason: String,
    },
    /// The server is not who it should be, or cannot be spoken to in secret.
    #[error("there is no secure connection to `{url}`: {reason}")]
    Tls {
        /// The address.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// A file of certificates or keys cannot be used.
    #[error("the certificates in `{}` cannot be used: {reason}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The server took too long.
    #[error("`{url}` took too long to {phase}")]
    Timeout {
        /// The address.
        url: String,
        /// What it was to do.
        phase: &'static str,
    },
    /// The proxy does not help.
    #[error("the proxy `{proxy}` does not connect to `{url}`: {reason}")]
    Proxy {
        /// The proxy's address.
        proxy: String,
        /// The address.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The setting for the proxy is no address of one.
    #[error("`{proxy}` is not the address of a proxy")]
    InvalidProxy {
        /// The proxy's address.
        proxy: String,
    },
    /// The server sends on and on.
    #[error("`{url}` is redirected more than {limit} times")]
    TooManyRedirects {
        /// The address.
        url: String,
        /// How many redirects are followed.
        limit: usize,
    },
    /// The server sends on to where everybody can listen.
    #[error("`{url}` is redirected to `{to}`, which is not encrypted")]
    InsecureRedirect {
        /// The address.
        url: String,
        /// Where it leads.
        to: String,
    },
    /// The server sends on to where cannot be followed.
    #[error("the redirect of `{url}` cannot be followed: {reason}")]
    Redirect {
        /// The address.
        url: String,
        /// Why not.
        reason: String,
    },
    /// The server refuses.
    #[error("`{url}` answers with the status {status}")]
    Status {
        /// The address.
        url: String,
        /// The status.
        status: u16,
    },
    /// The server does not speak HTTP as it should.
    #[error("`{url}` does not answer as HTTP wants it: {reason}")]
    Protocol {
        /// The address.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The request cannot be sent.
    #[error("the request to `{url}` cannot be sent: {reason}")]
    Request {
        /// The address.
        url: String,
        /// Why not.
        reason: String,
    },
    /// The caller asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Diagnose for HttpError {
    fn kind(&self) -> Kind {
        match self {
            Self::Certificates { .. } | Self::InvalidProxy { .. } => Kind::User,
            Self::Cancelled(_) => Kind::Cancelled,
            _ => Kind::Unavailable,
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        vec![self.with_hints(Diagnostic::new(message_with_causes(self)))]
    }
}

impl HttpError {
    /// Adds to what is shown what to do next.
    pub(crate) fn with_hints(&self, shown: Diagnostic) -> Diagnostic {
        match self {
            Self::UnknownHost { .. } => {
                shown.hint("is the host's name right, and is there a network?")
            }
            Self::Connect { .. } => {
                shown.hint("if a proxy is needed here, name it in `https_proxy` or `http.proxy`")
            }
            Self::Tls { .. } => shown.hint(
                "if the host has a certificate of your own, name a file with its authority in git's `http.sslCAInfo` or in SSL_CERT_FILE",
            ),
            Self::Certificates { .. } => {
                shown.hint("certificates and keys are wanted as PEM, and keys without a password")
            }
            Self::Timeout { .. } => shown.hint("try again later"),
            Self::Proxy { .. } => shown.hint(
                "a proxy's user and password stand in its address: `http://USER:PASSWORD@HOST:PORT`; `no_proxy` names hosts that need none",
            ),
            Self::InvalidProxy { .. } => shown.hint(
                "write `http://HOST:PORT` in `https_proxy`, `http_proxy` or git's `http.proxy`",
            ),
            Self::InsecureRedirect { .. } => {
                shown.hint("write the `http://` address itself, if nobody listens in between")
            }
            Self::Status { status: 429, .. } | Self::Status { status: 500.., .. } => {
                shown.hint("the server is at a loss; try again later")
            }
            _ => shown,
        }
    }
}
