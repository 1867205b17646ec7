//! The body of an answer, as it comes.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

use super::HttpError;
use crate::event::Cancelled;

/// A reader of a body without limit; what is encoded as gzip is decoded.
pub(super) fn reader(
    body: ureq::Body,
    encoding: Option<&str>,
    url: &str,
) -> Result<Box<dyn Read + Send>, HttpError> {
    let raw = Plain(body.into_with_config().limit(u64::MAX).reader());
    let encoding = encoding.unwrap_or("identity").trim().to_ascii_lowercase();
    match encoding.as_str() {
        "identity" | "" => Ok(Box::new(raw)),
        "gzip" | "x-gzip" => Ok(Box::new(MultiGzDecoder::new(raw))),
        _ => Err(HttpError::Protocol {
            url: url.to_owned(),
            reason: "its content has an encoding that was not asked for".to_owned(),
        }),
    }
}

/// Reads a body; its errors are told in words that need no knowledge of this client.
struct Plain<R>(R);

impl<R: Read> Read for Plain<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into).map_err(|error| {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
            match inner {
                Some(ureq::Error::Timeout(_)) => {
                    io::Error::new(io::ErrorKind::TimedOut, "nothing came for too long")
                }
                Some(ureq::Error::Other(reason)) if reason.is::<Cancelled>() => {
                    io::Error::other(Cancelled)
                }
                _ => error,
            }
        })
    }
}
