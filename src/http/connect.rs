//! How a connection is made, and how a wait on one is cut short.

use std::time;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::time::Duration;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, RustlsConnector,
    SocksConnector, TcpConnector, Transport,
};

use ureq::Error;

use crate::event::{CancelToken, Cancelled};

/// How long a wait goes on before somebody looks whether it is still wanted.
const SLICE: time::Duration = time::Duration::from_millis(100);

/// All that makes a connection, each on what the one before it made: the proxy's, plain, and within
/// it what TLS encrypts.
pub(super) fn connector(cancel: &CancelToken) -> impl Connector {
    let plain =
        ().chain(SocksConnector::default())
            .chain(ConnectProxyConnector::default())
            .chain(TcpConnector::default());
    // Below TLS: a read of TLS that was broken off cannot be taken up again.
    plain
        .chain(Interruptible(cancel.clone()))
        .chain(RustlsConnector::default())
}

/// Finds a host's addresses as the system does; whatever fails, the host is not known.
#[derive(Debug)]
pub(super) struct Names(pub(super) DefaultResolver);

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = self.0.resolve(uri, config, timeout);
        found.map_err(|error| match error {
            Error::Io(_) => Error::HostNotFound,
            error => error,
        })
    }
}

/// Makes connections of which no read outlives the wish for it by long.
#[derive(Debug)]
struct Interruptible(CancelToken);

impl<In: Transport> Connector<In> for Interruptible {
    type Out = InterruptibleTransport<In>;

    fn connect(
        &self,
        _details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|inner| InterruptibleTransport {
            inner,
            cancel: self.0.clone(),
        }))
    }
}

#[derive(Debug)]
struct InterruptibleTransport<T> {
    inner: T,
    cancel: CancelToken,
}

impl<T: Transport> Transport for InterruptibleTransport<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        let mut left = *timeout.after;
        loop {
            if self.cancel.is_cancelled() {
                return Err(Error::Other(Box::new(Cancelled)));
            }
            let slice = left.min(SLICE);
            let waited = self.inner.await_input(NextTimeout {
                after: Duration::Exact(slice),
                per_read: None,
                ..timeout
            });
            match waited {
                Err(Error::Timeout(_)) if slice < left => left -= slice,
                other => return other,
            }
        }
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
