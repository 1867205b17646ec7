//! The client against servers on loopback.

use std::io::{Read, Write};
use std::thread;

use super::loopback::{Reply, Server, answer, fixture, redirect, secure_url, tls_server};
use super::*;
use crate::error::{Diagnose, Kind};
use crate::event::CancelToken;

fn quick() -> HttpOptions {
    HttpOptions {
        retry_waits: vec![Duration::from_millis(1); 2],
        ..HttpOptions::default()
    }
}

fn client(options: &HttpOptions) -> Client {
    Client::new(options, &CancelToken::default()).unwrap()
}

fn send(request: Request) -> Result<(Url, String), HttpError> {
    send_with(&quick(), request)
}

fn send_with(options: &HttpOptions, request: Request) -> Result<(Url, String), HttpError> {
    let mut response = client(options).send(request)?.success()?;
    let mut text = String::new();
    response.body.read_to_string(&mut text).unwrap();
    Ok((response.url, text))
}

fn with_credentials(mut request: Request) -> Request {
    request.authorization = Some(Secret::new("Basic s3cret"));
    request.secret_headers = vec![("X-Token".to_owned(), Secret::new("s3cret"))];
    request
}

#[test]
fn a_request_says_who_asks_and_gets_the_body() {
    let server = Server::start(|_, _| answer("200 OK", &[("X-Own", "1")], "hello"));
    let url = server.url("/a?b=c#d");
    let request = Request::get(url.clone()).header("Git-Protocol", "version=2");
    let response = client(&quick()).send(request).unwrap();
    assert_eq!(
        (response.status, response.header("x-own")),
        (200, Some("1"))
    );
    assert_eq!(response.url, url);
    let seen = &server.seen()[0];
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        ("GET", "/a?b=c")
    );
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        seen.header("user-agent"),
        Some(&*format!("cookpack/{version}"))
    );
    assert_eq!(seen.header("git-protocol"), Some("version=2"));
    assert_eq!(seen.header("accept-encoding"), Some("gzip"));
    assert_eq!(seen.header("authorization"), None);
}

#[test]
fn a_body_is_posted_as_it_is() {
    let server = Server::start(|seen, _| answer("200 OK", &[], &seen.body));
    let request = Request::post(server.url("/"), b"0009done\n\0".to_vec());
    assert_eq!(send(request).unwrap().1, "0009done\n\0");
    assert_eq!(server.seen()[0].method, "POST");
}

#[test]
fn what_is_compressed_is_decoded_and_what_is_cut_short_is_an_error() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&b"hello ".repeat(100)).unwrap();
    let whole = encoder.finish().unwrap();
    let server = Server::start(move |_, n| {
        let body = if n == 0 { &whole[..] } else { &whole[..20] };
        answer("200 OK", &[("Content-Encoding", "gzip")], body)
    });
    let text = send(Request::get(server.url("/"))).unwrap().1;
    assert_eq!(text, "hello ".repeat(100));
    let mut response = client(&quick())
        .send(Request::get(server.url("/")))
        .unwrap();
    let error = response.body.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
}

#[test]
fn a_body_that_ends_too_early_is_an_error() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf".to_vec();
    let server = Server::start(move |_, _| Reply::Send(head.clone()));
    let mut response = client(&quick())
        .send(Request::get(server.url("/")))
        .unwrap();
    assert!(response.body.read_to_end(&mut Vec::new()).is_err());
}

#[test]
fn redirects_are_followed_and_the_last_address_is_told() {
    let server = Server::start(|seen, _| match seen.target.as_str() {
        "/a" => redirect("301 Moved", "b/c"),
        "/b/c" => redirect("302 Found", "/d?e"),
        _ => answer("200 OK", &[], "there"),
    });
    let request = with_credentials(Request::get(server.url("/a")));
    let (url, text) = send(request).unwrap();
    assert_eq!((url, text.as_str()), (server.url("/d?e"), "there"));
    let seen = server.seen();
    assert!(
        seen.iter()
            .all(|s| s.header("authorization") == Some("Basic s3cret"))
    );
    assert!(seen.iter().all(|s| s.header("x-token") == Some("s3cret")));
}

#[test]
fn attack_a_redirect_to_another_host_carries_no_credentials_and_none_come_back() {
    let other = Server::start(|seen, _| {
        let back = seen.header("x-back").unwrap_or_default().to_owned();
        redirect("307 Temporary", back)
    });
    let there = other.url("/steal");
    let server = Server::start(move |seen, _| match seen.target.as_str() {
        "/a" => redirect("302 Found", &there),
        _ => answer("200 OK", &[], "back"),
    });
    let back = server.url("/back").to_string();
    let mut request = with_credentials(Request::get(server.url("/a"))).header("X-Back", back);
    // Nor does a user and a password in the address.
    request.url.set_username("me").unwrap();
    request.url.set_password(Some("s3cret")).unwrap();
    assert_eq!(send(request).unwrap().1, "back");
    let (here, there) = (server.seen(), other.seen());
    assert_eq!((here.len(), there.len()), (2, 1));
    assert_eq!(here[0].header("authorization"), Some("Basic s3cret"));
    for seen in [&there[0], &here[1]] {
        assert_eq!(seen.header("authorization"), None, "{seen:?}");
        assert_eq!(seen.header("x-token"), None, "{seen:?}");
        assert!(!format!("{seen:?}").contains("s3cret"));
    }
}

#[test]
fn attack_credentials_in_a_redirects_address_are_not_sent() {
    let server = Server::start(|seen, n| match n {
        0 => redirect(
            "302 Found",
            format!("http://me:pw@{}/b", seen.header("host").unwrap()),
        ),
        _ => answer("200 OK", &[], ""),
    });
    let (url, _) = send(Request::get(server.url("/a"))).unwrap();
    assert_eq!(url, server.url("/b"));
    assert_eq!(server.seen()[1].header("authorization"), None);
}

#[test]
fn attack_a_redirect_from_https_to_http_is_refused() {
    let plain = Server::start(|_, _| answer("200 OK", &[], "listened to"));
    let to = plain.url("/a");
    let secure = Server::start_with(Some(tls_server(false)), move |_, _| {
        redirect("301 Moved", &to)
    });
    let options = HttpOptions {
        ca_file: Some(fixture("authority.pem")),
        ..quick()
    };
    let error = send_with(&options, Request::get(secure_url(&secure, "/a"))).unwrap_err();
    assert!(
        matches!(error, HttpError::InsecureRedirect { .. }),
        "{error}"
    );
    assert!(plain.seen().is_empty());
}

#[test]
fn attack_a_redirect_to_a_file_is_refused() {
    let server = Server::start(|_, _| redirect("302 Found", "file:///etc/passwd"));
    let error = send(Request::get(server.url("/"))).unwrap_err();
    assert!(matches!(error, HttpError::Redirect { .. }), "{error}");
}

#[test]
fn redirects_end_somewhere() {
    let server = Server::start(|_, n| redirect("302 Found", format!("/{n}")));
    let error = send(Request::get(server.url("/"))).unwrap_err();
    assert!(
        matches!(error, HttpError::TooManyRedirects { limit: 10, .. }),
        "{error}"
    );
    assert_eq!(server.seen().len(), 11);
    let mut request = Request::get(server.url("/"));
    request.redirects = 0;
    assert!(matches!(
        send(request),
        Err(HttpError::TooManyRedirects { limit: 0, .. })
    ));
}

#[test]
fn what_is_posted_is_posted_again_or_not_at_all() {
    let server = Server::start(|seen, _| match seen.target.as_str() {
        "/keeps" => redirect("308 Permanent", "/there"),
        "/there" => answer("200 OK", &[], &seen.body),
        _ => redirect("302 Found", "/there"),
    });
    let post = |path| send(Request::post(server.url(path), b"body".to_vec()));
    assert_eq!(post("/keeps").unwrap().1, "body");
    let error = post("/loses").unwrap_err();
    assert!(matches!(error, HttpError::Redirect { .. }), "{error}");
    assert!(server.seen().iter().all(|seen| seen.method == "POST"));
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn what_may_pass_is_tried_three_times_and_nothing_else_is() {
    for (status, tries) in [
        ("429 Too Many Requests", 3),
        ("500 Internal", 3),
        ("502 Bad Gateway", 3),
        ("503 Unavailable", 3),
        ("504 Gateway Timeout", 3),
        ("501 Not Implemented", 1),
        ("401 Unauthorized", 1),
        ("404 Not Found", 1),
    ] {
        let server = Server::start(move |_, _| answer(status, &[], ""));
        let error = send(Request::get(server.url("/"))).unwrap_err();
        assert!(matches!(error, HttpError::Status { .. }), "{error}");
        assert_eq!(server.seen().len(), tries, "{status}");
    }
}

#[test]
fn a_later_try_succeeds() {
    let server = Server::start(|_, n| match n {
        0 => Reply::Send(Vec::new()),
        1 => answer("503 Busy", &[("Retry-After", "0")], ""),
        _ => answer("200 OK", &[], "third"),
    });
    assert_eq!(send(Request::get(server.url("/"))).unwrap().1, "third");
}

#[test]
fn a_server_that_wants_a_longer_wait_is_not_waited_for() {
    let server = Server::start(|_, _| answer("429 Slow Down", &[("Retry-After", "31")], ""));
    assert!(send(Request::get(server.url("/"))).is_err());
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn what_is_posted_is_sent_once_unless_it_may_be_repeated() {
    let server = Server::start(|_, _| answer("503 Busy", &[], ""));
    let mut request = Request::post(server.url("/"), Vec::new());
    assert!(send(request.clone()).is_err());
    assert_eq!(server.seen().len(), 1);
    request.repeatable = true;
    assert!(send(request).is_err());
    assert_eq!(server.seen().len(), 4);
}

#[test]
fn nobody_listening_is_told_after_some_tries() {
    let port = Server::start(|_, _| answer("200 OK", &[], "")).port;
    // The server is gone.
    let url = Url::parse(&format!("http://me:s3cret@127.0.0.1:{port}/a")).unwrap();
    let mut error = send(Request::get(url.clone()));
    for _ in 0..50 {
        if error.is_err() {
            break;
        }
        thread::sleep(Duration::from_millis(20));
        error = send(Request::get(url.clone()));
    }
    let error = error.unwrap_err();
    assert!(matches!(error, HttpError::Connect { .. }), "{error:?}");
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(!format!("{error} {error:?}").contains("s3cret"));
}

#[test]
fn an_unknown_host_is_told_as_such() {
    // No name has such a long part: nobody is asked for it.
    let host = "x".repeat(64);
    let url = Url::parse(&format!("http://{host}.invalid/")).unwrap();
    let error = send(Request::get(url)).unwrap_err();
    assert!(matches!(error, HttpError::UnknownHost { .. }), "{error:?}");
}

#[test]
fn an_answer_that_does_not_begin_is_given_up() {
    let server = Server::start(|_, _| Reply::Stall(b"HTTP/1.1 200".to_vec()));
    let options = HttpOptions {
        head_timeout: Duration::from_millis(150),
        ..quick()
    };
    let error = send_with(&options, Request::get(server.url("/"))).unwrap_err();
    assert!(matches!(error, HttpError::Timeout { .. }), "{error:?}");
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn a_body_may_take_as_long_as_it_wants_but_not_stand_still() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab".to_vec();
    let server = Server::start(move |_, n| match n {
        // Longer than one wait is sliced into, and than an answer may take to begin.
        0 => Reply::Pause(head.clone(), Duration::from_millis(500), b"cd".to_vec()),
        _ => Reply::Stall(head.clone()),
    });
    let options = HttpOptions {
        head_timeout: Duration::from_millis(400),
        idle_timeout: Duration::from_secs(5),
        ..quick()
    };
    let text = send_with(&options, Request::get(server.url("/")))
        .unwrap()
        .1;
    assert_eq!(text, "abcd");
    let options = HttpOptions {
        idle_timeout: Duration::from_millis(250),
        ..quick()
    };
    let mut response = client(&options)
        .send(Request::get(server.url("/")))
        .unwrap();
    let mut text = Vec::new();
    let error = response.body.read_to_end(&mut text).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    assert_eq!(error.to_string(), "nothing came for too long");
    assert_eq!(text, b"ab");
}

#[test]
fn a_wait_ends_when_it_is_cancelled() {
    let server = Server::start(|_, n| match n {
        0 => Reply::Stall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab".to_vec()),
        1 => Reply::Stall(Vec::new()),
        _ => answer("503 Busy", &[("Retry-After", "30")], ""),
    });
    let token = CancelToken::default();
    let cancel_soon = || {
        let token = token.clone();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            token.cancel();
        })
    };
    let url = server.url("/");
    let client = Client::new(&HttpOptions::default(), &token).unwrap();
    let mut response = client.send(Request::get(url.clone())).unwrap();
    let soon = cancel_soon();
    let error = response.body.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "stopped on request");
    soon.join().unwrap();
    drop(response);
    assert!(matches!(
        client.send(Request::get(url.clone())),
        Err(HttpError::Cancelled(_))
    ));
    for _ in 0..2 {
        let token = CancelToken::default();
        let client = Client::new(&HttpOptions::default(), &token).unwrap();
        let soon = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            token.cancel();
        });
        let error = client.send(Request::get(url.clone())).err().unwrap();
        assert_eq!(error.kind(), Kind::Cancelled, "{error:?}");
        soon.join().unwrap();
    }
}

#[test]
fn attack_a_line_break_in_a_secret_header_is_refused_and_not_shown() {
    let server = Server::start(|_, _| answer("200 OK", &[], ""));
    for value in ["s3cret\r\nHost: other", "s3cret\nX: y", "s3cret\0"] {
        let mut request = Request::get(server.url("/"));
        request.authorization = Some(Secret::new(value));
        let error = send(request.clone()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"));
        request.authorization = None;
        request.secret_headers = vec![("X-Token".to_owned(), Secret::new(value))];
        let error = send(request).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }
    assert!(server.seen().is_empty());
}

#[test]
fn leak_what_a_client_is_made_of_shows_no_secret() {
    let options = HttpOptions {
        https_proxy: Some(Secret::new("http://me:s3cret@proxy.example")),
        ..HttpOptions::default()
    };
    assert!(!format!("{options:?}").contains("s3cret"));
    let shown = format!("{:?}", basic("me", &Secret::new("s3cret")));
    assert_eq!(shown, "Secret(…)");
}

#[test]
fn a_user_and_a_password_in_the_address_are_sent_decoded() {
    let server = Server::start(|_, _| answer("200 OK", &[], ""));
    let mut url = server.url("/a");
    url.set_username("me@home").unwrap();
    url.set_password(Some("p:w%")).unwrap();
    let (last, _) = send(Request::get(url)).unwrap();
    assert_eq!(last, server.url("/a"));
    let sent = basic("me@home", &Secret::new("p:w%"));
    assert_eq!(
        server.seen()[0].header("authorization"),
        Some(sent.expose())
    );
}

#[test]
fn a_proxy_is_asked_with_its_own_credentials_and_gets_no_others() {
    let server = Server::start(|_, _| answer("200 OK", &[], "through"));
    let port = server.port;
    let proxy = Server::start(move |_, _| Reply::Tunnel(port));
    let address = format!("http://me:p%40w@127.0.0.1:{}", proxy.port);
    let options = HttpOptions {
        http_proxy: Some(Secret::new(address.clone())),
        ..quick()
    };
    // Only the proxy knows this host.
    let url = Url::parse("http://git.cookpack.invalid:1234/a").unwrap();
    let request = with_credentials(Request::get(url));
    assert_eq!(send_with(&options, request).unwrap().1, "through");
    let asked = &proxy.seen()[0];
    assert_eq!(
        (asked.method.as_str(), asked.target.as_str()),
        ("CONNECT", "git.cookpack.invalid:1234")
    );
    let own = basic("me", &Secret::new("p@w"));
    assert_eq!(asked.header("proxy-authorization"), Some(own.expose()));
    assert_eq!(asked.header("authorization"), None);
    let seen = &server.seen()[0];
    assert_eq!(seen.header("authorization"), Some("Basic s3cret"));
    assert_eq!(seen.header("proxy-authorization"), None);
    // https has its own proxy, and some hosts have none.
    let options = HttpOptions {
        https_proxy: Some(Secret::new(address)),
        ..quick()
    };
    assert!(send_with(&options, Request::get(server.url("/"))).is_ok());
    let options = HttpOptions {
        http_proxy: options.https_proxy.clone(),
        no_proxy: Some("127.0.0.0/8".to_owned()),
        ..quick()
    };
    assert!(send_with(&options, Request::get(server.url("/"))).is_ok());
    assert_eq!(proxy.seen().len(), 1);
}

#[test]
fn a_proxy_that_refuses_is_named_without_its_password() {
    let proxy = Server::start(|_, _| answer("407 Proxy Authentication Required", &[], ""));
    let options = HttpOptions {
        http_proxy: Some(Secret::new(format!("me:s3cret@127.0.0.1:{}", proxy.port))),
        ..quick()
    };
    let url = Url::parse("http://git.cookpack.invalid/a").unwrap();
    let error = send_with(&options, Request::get(url)).unwrap_err();
    let HttpError::Proxy { proxy: shown, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(*shown, format!("http://127.0.0.1:{}", proxy.port));
    assert!(!format!("{error} {error:?}").contains("s3cret"));
}

#[test]
fn a_server_is_trusted_by_the_authority_that_is_named_and_by_no_other() {
    let server = Server::start_with(Some(tls_server(false)), |_, _| answer("200 OK", &[], "ok"));
    let url = secure_url(&server, "/");
    let mut options = HttpOptions {
        ca_file: Some(fixture("authority.pem")),
        ..quick()
    };
    assert_eq!(
        send_with(&options, Request::get(url.clone())).unwrap().1,
        "ok"
    );
    options.ca_file = Some(fixture("client.pem"));
    let error = send_with(&options, Request::get(url)).unwrap_err();
    assert!(matches!(error, HttpError::Tls { .. }), "{error:?}");
    let hints = &error.diagnostics()[0].hints;
    assert!(hints[0].contains("http.sslCAInfo"), "{hints:?}");
}

#[test]
fn an_authority_is_trusted_besides_the_others() {
    let server = Server::start_with(Some(tls_server(false)), |_, _| answer("200 OK", &[], "ok"));
    let url = secure_url(&server, "/");
    for ca_file in [None, Some(fixture("client.pem"))] {
        let mut options = HttpOptions { ca_file, ..quick() };
        assert!(send_with(&options, Request::get(url.clone())).is_err());
        options.extra_ca_file = Some(fixture("authority.pem"));
        let answered = send_with(&options, Request::get(url.clone()));
        assert_eq!(answered.unwrap().1, "ok");
    }
}

#[test]
fn a_server_that_asks_is_shown_the_clients_certificate() {
    let server = Server::start_with(Some(tls_server(true)), |_, _| answer("200 OK", &[], "ok"));
    let url = secure_url(&server, "/");
    let mut options = HttpOptions {
        ca_file: Some(fixture("authority.pem")),
        retry_waits: Vec::new(),
        ..quick()
    };
    assert!(send_with(&options, Request::get(url.clone())).is_err());
    options.client_certificate = Some(fixture("client.pem"));
    options.client_key = Some(fixture("client.key.pem"));
    assert_eq!(
        send_with(&options, Request::get(url.clone())).unwrap().1,
        "ok"
    );
}

#[test]
fn certificates_that_cannot_be_used_are_told_with_their_file() {
    let refused = |options: &HttpOptions, file: &str| {
        let error = Client::new(options, &CancelToken::default()).err().unwrap();
        assert!(error.to_string().contains(file), "{error}");
        assert_eq!(error.kind(), Kind::User);
    };
    let ca = |file: &str| HttpOptions {
        ca_file: Some(fixture(file)),
        ..quick()
    };
    refused(&ca("missing.pem"), "missing.pem");
    refused(&ca("server.key.pem"), "server.key.pem");
    let own = |key: &str| HttpOptions {
        client_certificate: Some(fixture("client.pem")),
        client_key: Some(fixture(key)),
        ..quick()
    };
    refused(&own("client.pem"), "client.pem");
    // The key of another certificate.
    refused(&own("server.key.pem"), "client.pem");
}

#[test]
fn tls_goes_through_a_proxy() {
    let server = Server::start_with(Some(tls_server(false)), |_, _| answer("200 OK", &[], "ok"));
    let port = server.port;
    let proxy = Server::start(move |_, _| Reply::Tunnel(port));
    let options = HttpOptions {
        ca_file: Some(fixture("authority.pem")),
        https_proxy: Some(Secret::new(format!("127.0.0.1:{}", proxy.port))),
        ..quick()
    };
    let text = send_with(&options, Request::get(secure_url(&server, "/")))
        .unwrap()
        .1;
    assert_eq!(text, "ok");
    assert_eq!(proxy.seen()[0].method, "CONNECT");
}
