//! HTTP/1.1 on a port of the loopback interface, as far as git and its like speak it.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use flate2::read::GzDecoder;

/// Connections that are open at once; one more is closed without an answer.
const CONNECTIONS: usize = 256;
/// How long a connection may say nothing.
const SILENCE: Duration = Duration::from_secs(60);
/// The longest line, and the longest body, that are read.
const LINE: u64 = 64 << 10;
const BODY: u64 = 64 << 20;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct HttpRequest {
    pub(crate) method: String,
    /// The path, as it was sent.
    pub(crate) path: String,
    /// What follows the `?`.
    pub(crate) query: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// Without its transfer coding; still compressed if it was.
    pub(crate) body: Vec<u8>,
}

impl HttpRequest {
    /// The value of a header, whose name is given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| &**value)
    }

    /// The body as its sender meant it.
    pub(crate) fn content(&self) -> Vec<u8> {
        match self.header("content-encoding") {
            Some("gzip") => {
                let mut plain = Vec::new();
                let mut decoder = GzDecoder::new(&*self.body).take(BODY);
                decoder.read_to_end(&mut plain).expect("gzip");
                plain
            }
            _ => self.body.clone(),
        }
    }
}

/// An answer to be sent.
#[derive(Clone, Debug)]
pub(crate) struct HttpResponse {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the body goes in chunks, without its length told before.
    pub(crate) chunked: bool,
    /// After how many bytes of the body the connection is dropped.
    pub(crate) cut: Option<usize>,
    /// How long the body takes.
    pub(crate) lasts: Duration,
}

impl HttpResponse {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            chunked: false,
            cut: None,
            lasts: Duration::ZERO,
        }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// What a server does with a request.
pub(crate) type Answer = dyn Fn(&HttpRequest) -> HttpResponse + Send + Sync;

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// A server that answers until it is dropped.
pub(crate) struct HttpServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    ended: AtomicBool,
    next: AtomicU64,
    open: Mutex<BTreeMap<u64, TcpStream>>,
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, BTreeMap<u64, TcpStream>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpServer {
    /// Listens on a free port, with TLS if that is given.
    pub(crate) fn start(tls: Option<Arc<rustls::ServerConfig>>, answer: Arc<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let in_acceptor = Arc::clone(&shared);
        let acceptor = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if in_acceptor.ended.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let Ok(kept) = stream.try_clone() else {
                    continue;
                };
                let number = in_acceptor.next.fetch_add(1, Ordering::Relaxed);
                {
                    let mut open = in_acceptor.open();
                    if open.len() >= CONNECTIONS {
                        continue;
                    }
                    open.insert(number, kept);
                }
                let (answer, shared) = (Arc::clone(&answer), Arc::clone(&in_acceptor));
                let tls = tls.clone();
                std::thread::spawn(move || {
                    // That a peer goes away is its own affair.
                    let _ = converse(stream, tls, &*answer);
                    if let Some(stream) = shared.open().remove(&number) {
                        let _ = stream.shutdown(Shutdown::Both);
                    }
                });
            }
        });
        Self {
            address,
            shared,
            acceptor: Some(acceptor),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Closes the port and every connection. Nothing listens there from then on.
    pub(crate) fn stop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        if let Some(acceptor) = self.acceptor.take() {
            // Wakes the acceptor, which then sees that it is over.
            let _ = TcpStream::connect(self.address);
            acceptor.join().expect("the acceptor");
        }
        for stream in self.shared.open().values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn converse(
    stream: TcpStream,
    tls: Option<Arc<rustls::ServerConfig>>,
    answer: &Answer,
) -> io::Result<()> {
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_write_timeout(Some(SILENCE))?;
    stream.set_nodelay(true)?;
    let stream: Box<dyn Stream> = match tls {
        None => Box::new(stream),
        Some(config) => {
            let connection = rustls::ServerConnection::new(config).map_err(io::Error::other)?;
            Box::new(rustls::StreamOwned::new(connection, stream))
        }
    };
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream)? {
        let response = answer(&request);
        if request.method == "CONNECT" {
            // A proxy whose every destination is this server.
            stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            stream.get_mut().flush()?;
            continue;
        }
        let whole = write_response(stream.get_mut(), &request, &response)?;
        if !whole || request.header("connection") == Some("close") {
            break;
        }
    }
    Ok(())
}

fn line(stream: &mut BufReader<Box<dyn Stream>>) -> io::Result<String> {
    let mut line = String::new();
    stream.take(LINE).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn read_request(stream: &mut BufReader<Box<dyn Stream>>) -> io::Result<Option<HttpRequest>> {
    let first = line(stream)?;
    if first.is_empty() {
        return Ok(None);
    }
    let mut words = first.split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1")) = (words.next(), words.next(), words.next())
    else {
        return Err(invalid("not a request of HTTP/1.1"));
    };
    // A proxy is sent the whole address.
    let target = match target.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => target,
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = HttpRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    loop {
        let line = line(stream)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| invalid("no header"))?;
        let header = (name.to_ascii_lowercase(), value.trim().to_owned());
        request.headers.push(header);
    }
    if request.header("expect") == Some("100-continue") {
        stream
            .get_mut()
            .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        stream.get_mut().flush()?;
    }
    request.body = read_body(stream, &request)?;
    Ok(Some(request))
}

fn read_body(
    stream: &mut BufReader<Box<dyn Stream>>,
    request: &HttpRequest,
) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if request.header("transfer-encoding") != Some("chunked") {
        let length = request.header("content-length").unwrap_or("0");
        let length: u64 = length.parse().map_err(|_| invalid("no length"))?;
        if length > BODY {
            return Err(invalid("the body is too long"));
        }
        body.resize(length as usize, 0);
        stream.read_exact(&mut body)?;
        return Ok(body);
    }
    loop {
        let length = line(stream)?;
        let length = usize::from_str_radix(&length, 16).map_err(|_| invalid("no chunk"))?;
        let start = body.len();
        if (start + length) as u64 > BODY {
            return Err(invalid("the body is too long"));
        }
        body.resize(start + length, 0);
        stream.read_exact(&mut body[start..])?;
        line(stream)?;
        if length == 0 {
            return Ok(body);
        }
    }
}

/// Returns whether the whole response was sent.
fn write_response(
    stream: &mut dyn Stream,
    request: &HttpRequest,
    response: &HttpResponse,
) -> io::Result<bool> {
    let mut head = format!("HTTP/1.1 {} -\r\n", response.status);
    for (name, value) in &response.headers {
        head += &format!("{name}: {value}\r\n");
    }
    match response.chunked {
        true => head += "Transfer-Encoding: chunked\r\n\r\n",
        false => head += &format!("Content-Length: {}\r\n\r\n", response.body.len()),
    }
    stream.write_all(head.as_bytes())?;
    if request.method == "HEAD" {
        stream.flush()?;
        return Ok(true);
    }
    let body = &response.body[..response.cut.unwrap_or(response.body.len())];
    let size = match response.lasts.is_zero() {
        true => 16 << 10,
        false => body.len().div_ceil(10).max(1),
    };
    for piece in body.chunks(size) {
        if response.chunked {
            stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes())?;
        }
        stream.write_all(piece)?;
        if response.chunked {
            stream.write_all(b"\r\n")?;
        }
        stream.flush()?;
        std::thread::sleep(response.lasts / 10);
    }
    if response.chunked && response.cut.is_none() {
        stream.write_all(b"0\r\n\r\n")?;
    }
    stream.flush()?;
    Ok(response.cut.is_none())
}
