//! What ureq says when a request fails, in this crate's words.

use std::io;

use ureq::Timeout;

use super::HttpError;
use crate::event::Cancelled;

/// Whether a failure is one of those that are over when tried again.
pub(super) fn passes(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Timeout(_) => true,
        ureq::Error::Io(error) => matches!(
            error.kind(),
            io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof
                | io::ErrorKind::TimedOut
        ),
        _ => false,
    }
}

/// A failure in this crate's words.
pub(super) fn described(error: ureq::Error, url: &str, proxy: Option<&str>) -> HttpError {
    let url = url.to_owned();
    let by_proxy = |url: String, reason: String| match proxy {
        Some(proxy) => HttpError::Proxy {
            proxy: proxy.to_owned(),
            url,
            reason,
        },
        None => HttpError::Connect { url, reason },
    };
    match error {
        ureq::Error::Other(reason) if reason.is::<Cancelled>() => Cancelled.into(),
        ureq::Error::HostNotFound if proxy.is_some() => {
            by_proxy(url, "its name cannot be resolved".to_owned())
        }
        ureq::Error::HostNotFound => HttpError::UnknownHost { url },
        ureq::Error::ConnectProxyFailed(reason) => by_proxy(url, reason),
        ureq::Error::Timeout(at) => HttpError::Timeout {
            url,
            phase: match at {
                Timeout::Resolve | Timeout::Connect => "be connected to",
                Timeout::PerWrite | Timeout::SendRequest | Timeout::SendBody => "take the request",
                _ => "answer",
            },
        },
        ureq::Error::Rustls(error) => secrecy(&error, url),
        ureq::Error::Tls(reason) => HttpError::Tls {
            url,
            reason: reason.to_owned(),
        },
        ureq::Error::Io(error) => {
            let inner = error.get_ref();
            if inner.is_some_and(<dyn std::error::Error + Send + Sync>::is::<Cancelled>) {
                return Cancelled.into();
            }
            match inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(error) => secrecy(error, url),
                None if error.kind() == io::ErrorKind::ConnectionRefused => {
                    by_proxy(url, error.to_string())
                }
                None => HttpError::Connect {
                    url,
                    reason: error.to_string(),
                },
            }
        }
        ureq::Error::Protocol(error) => HttpError::Protocol {
            url,
            reason: error.to_string(),
        },
        ureq::Error::LargeResponseHeader(..) => HttpError::Protocol {
            url,
            reason: "its headers are too long".to_owned(),
        },
        ureq::Error::Http(_) | ureq::Error::BadUri(_) => HttpError::Request {
            url,
            reason: "its address or a header is not one of HTTP".to_owned(),
        },
        // Only kinds that cannot show the request.
        error => HttpError::Connect {
            url,
            reason: error.to_string(),
        },
    }
}

fn secrecy(error: &rustls::Error, url: String) -> HttpError {
    HttpError::Tls {
        url,
        reason: error.to_string(),
    }
}
