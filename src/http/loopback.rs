//! A small HTTP server for the tests of this crate: one thread, one request a connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use url::Url;

/// What a server was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// The path, or the whole address that a proxy is asked for.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// What a server does.
pub(crate) enum Reply {
    /// Sends this and closes.
    Send(Vec<u8>),
    /// Sends this, and then nothing more until the client goes away.
    Stall(Vec<u8>),
    /// Sends this, waits, and sends the rest.
    Pause(Vec<u8>, Duration, Vec<u8>),
    /// Connects the client to this port of this machine, as a proxy does.
    Tunnel(u16),
}

/// An answer with a status, headers and a body.
pub(crate) fn answer(status: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let mut bytes = format!("HTTP/1.1 {status}\r\nConnection: close\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend(format!("{name}: {value}\r\n").bytes());
    }
    bytes.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
    bytes.extend(body);
    Reply::Send(bytes)
}

/// An answer that sends on elsewhere.
pub(crate) fn redirect(status: &str, to: impl AsRef<str>) -> Reply {
    answer(status, &[("Location", to.as_ref())], "")
}

/// A server, until it is dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    stopped: Arc<AtomicBool>,
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

impl Server {
    /// Starts a server that answers the nth request (from 0) as `reply` says.
    pub(crate) fn start(reply: impl Fn(&Seen, usize) -> Reply + Send + 'static) -> Self {
        Self::start_with(None, reply)
    }

    /// As [`Self::start`], over TLS.
    pub(crate) fn start_with(
        tls: Option<Arc<rustls::ServerConfig>>,
        reply: impl Fn(&Seen, usize) -> Reply + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let stopped = Arc::new(AtomicBool::new(false));
        let server = Self {
            port,
            seen: Arc::clone(&seen),
            stopped: Arc::clone(&stopped),
        };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                let raw = stream.try_clone().unwrap();
                let stream: Box<dyn Stream> = match &tls {
                    None => Box::new(stream),
                    Some(config) => {
                        let end = rustls::ServerConnection::new(Arc::clone(config)).unwrap();
                        Box::new(rustls::StreamOwned::new(end, stream))
                    }
                };
                // A client that goes away is a part of some tests.
                let _ = serve(stream, &raw, &seen, &reply);
            }
        });
        server
    }

    /// An address on this server.
    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://127.0.0.1:{}{path}", self.port)).unwrap()
    }

    /// All requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(
    stream: Box<dyn Stream>,
    raw: &TcpStream,
    seen: &Mutex<Vec<Seen>>,
    reply: &impl Fn(&Seen, usize) -> Reply,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut request = Seen::default();
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let mut words = line.split(' ').map(str::to_owned);
    request.method = words.next().unwrap_or_default();
    request.target = words.next().unwrap_or_default();
    if request.target.is_empty() {
        return Ok(());
    }
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        request.headers.push((name.to_owned(), value.to_owned()));
    }
    let length = request.header("content-length").unwrap_or("0").parse();
    request.body = vec![0; length.unwrap()];
    stream.read_exact(&mut request.body)?;
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(request.clone());
        seen.len() - 1
    };
    let reply = reply(&request, number);
    let stream = stream.get_mut();
    match reply {
        Reply::Send(bytes) => stream.write_all(&bytes)?,
        Reply::Stall(bytes) => {
            stream.write_all(&bytes)?;
            stream.flush()?;
            let _ = stream.read(&mut [0]);
        }
        Reply::Pause(first, wait, rest) => {
            stream.write_all(&first)?;
            stream.flush()?;
            thread::sleep(wait);
            stream.write_all(&rest)?;
        }
        Reply::Tunnel(port) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            stream.flush()?;
            let there = TcpStream::connect(("127.0.0.1", port))?;
            let (mut from, mut to) = (raw.try_clone()?, there.try_clone()?);
            let out = thread::spawn(move || std::io::copy(&mut from, &mut to));
            std::io::copy(&mut &there, &mut &*raw)?;
            let _ = raw.shutdown(std::net::Shutdown::Both);
            let _ = out.join();
        }
    }
    stream.flush()
}

/// A certificate or a key for the tests.
pub(crate) fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("testdata/tls")
        .join(name)
}

/// An address on a server that speaks TLS.
pub(crate) fn secure_url(server: &Server, path: &str) -> Url {
    Url::parse(&format!("https://localhost:{}{path}", server.port)).unwrap()
}

/// A server's settings for TLS; whether it wants to know who asks.
pub(crate) fn tls_server(asks: bool) -> Arc<rustls::ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = |name| {
        let read = CertificateDer::pem_file_iter(fixture(name)).unwrap();
        read.collect::<Result<Vec<_>, _>>().unwrap()
    };
    let key = PrivateKeyDer::from_pem_file(fixture("server.key.pem")).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = if asks {
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(chain("authority.pem"));
        let verifier =
            rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        config.with_client_cert_verifier(verifier.build().unwrap())
    } else {
        config.with_no_client_auth()
    };
    Arc::new(config.with_single_cert(chain("server.pem"), key).unwrap())
}
