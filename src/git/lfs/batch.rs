//! Asks a server of git LFS where it has objects (git-lfs, `docs/api/batch.md`).

use std::collections::BTreeMap;
use std::io::Read as _;

use serde::{Deserialize, Serialize};
use url::Url;

use super::place::Server;
use crate::git::remotes::Remotes;
use crate::git::said::shown;
use crate::git::visitor::{ROUNDS, Visitor, has_authorization};
use crate::git::{GitError, host_and_port};
use crate::http::{Request, Response, same_origin};
use crate::lfs::Pointer;
use crate::manifest::redact;
use crate::secret::Secret;

/// Objects that are asked for at once, as git-lfs does (git-lfs, `tq/transfer_queue.go`).
pub(super) const BATCH: usize = 100;

const MEDIA_TYPE: &str = "application/vnd.git-lfs+json";

/// Bytes of an answer that are read. An object's part of it is seldom more than some kilobytes.
const LONGEST_ANSWER: u64 = 16 << 20;

/// Headers that shape a request are the client's own affair. Attack: a server that sets them could
/// have the client send another request than the one that it means to send.
const OWN_HEADERS: [&str; 10] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

#[derive(Serialize)]
struct Question {
    operation: &'static str,
    transfers: [&'static str; 1],
    hash_algo: &'static str,
    objects: Vec<Asked>,
}

#[derive(Serialize)]
struct Asked {
    oid: String,
    size: u64,
}

#[derive(Deserialize)]
struct Answer {
    transfer: Option<String>,
    hash_algo: Option<String>,
    objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    oid: String,
    #[serde(default)]
    authenticated: Option<bool>,
    actions: Option<Actions>,
    error: Option<ObjectError>,
}

#[derive(Deserialize)]
struct Actions {
    download: Option<Action>,
}

#[derive(Deserialize)]
struct Action {
    href: String,
    header: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct ObjectError {
    code: Option<u16>,
    message: Option<String>,
}

/// Where an object is.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// It may give access by itself, in its query.
    pub(super) url: Url,
    /// For this address alone.
    pub(super) headers: Vec<(String, Secret)>,
    /// Whether the server says that nobody need say more.
    pub(super) is_authenticated: bool,
}

/// Where a server has these objects, in their order; none for one that it does not have.
pub(super) fn ask(
    remotes: &Remotes<'_>,
    shown_url: &str,
    server: &Server,
    pointers: &[Pointer],
) -> Result<Vec<Option<Link>>, GitError> {
    let objects = pointers.iter().map(|pointer| Asked {
        oid: pointer.oid.to_string(),
        size: pointer.size,
    });
    let question = Question {
        operation: "download",
        transfers: ["basic"],
        hash_algo: "sha256",
        objects: objects.collect(),
    };
    let shown_server = redact(server.url.as_str());
    let wrong = |reason: String| GitError::LargeFiles {
        url: shown_url.to_owned(),
        reason: format!("`{shown_server}` {reason}"),
    };
    // Text and numbers are always JSON.
    let body = serde_json::to_vec(&question).unwrap_or_default();
    let response = send(remotes, shown_url, server, &body)?;
    let is_safe = response.url.scheme() == "https";
    let mut text = Vec::new();
    let read = response.body.take(LONGEST_ANSWER).read_to_end(&mut text);
    remotes.cancel().check()?;
    read.map_err(|error| GitError::Connection {
        url: shown_server.clone(),
        reason: error.to_string(),
    })?;
    links(&text, is_safe, pointers).map_err(wrong)
}

/// Reads an answer. What it holds is not told: headers and addresses of it give access.
fn links(text: &[u8], is_safe: bool, pointers: &[Pointer]) -> Result<Vec<Option<Link>>, String> {
    let answer: Answer = serde_json::from_slice(text).map_err(|error| {
        format!(
            "does not answer as git LFS wants it (line {}, column {})",
            error.line(),
            error.column()
        )
    })?;
    if answer.transfer.is_some_and(|transfer| transfer != "basic") {
        return Err("wants another way of transfer than `basic`".to_owned());
    }
    if answer.hash_algo.is_some_and(|hash| hash != "sha256") {
        return Err("names objects by another digest than SHA-256".to_owned());
    }
    let mut objects = BTreeMap::new();
    for object in answer.objects {
        objects.entry(object.oid.clone()).or_insert(object);
    }
    let link = |pointer: &Pointer| {
        let oid = pointer.oid.to_string();
        let Some(object) = objects.remove(&oid) else {
            return Ok(None);
        };
        if let Some(error) = object.error {
            let message = shown(error.message.unwrap_or_default().as_bytes());
            return match error.code {
                Some(404 | 410) => Ok(None),
                code => Err(format!(
                    "does not give the object {oid}: {message} (code {})",
                    code.unwrap_or_default()
                )),
            };
        }
        let Some(action) = object.actions.and_then(|actions| actions.download) else {
            return Ok(None);
        };
        Ok(Some(Link {
            url: checked(&action.href, is_safe)?,
            headers: action
                .header
                .unwrap_or_default()
                .into_iter()
                .filter(|(name, _)| !OWN_HEADERS.contains(&&*name.to_ascii_lowercase()))
                .map(|(name, value)| (name, Secret::new(value)))
                .collect(),
            is_authenticated: object.authenticated.unwrap_or_default(),
        }))
    };
    pointers.iter().map(link).collect()
}

/// An address at which an object is said to be. Attack: an answer that came encrypted must not have
/// its headers sent where everybody can read them; and nothing but http(s) is ever opened.
fn checked(href: &str, is_safe: bool) -> Result<Url, String> {
    let url = Url::parse(href).ok();
    let mut url = url.ok_or("names what is no address for a download".to_owned())?;
    let shown = redact(url.as_str());
    match url.scheme() {
        "https" => {}
        "http" if !is_safe => {}
        "http" => {
            return Err(format!(
                "sends downloads to `{shown}`, which is not encrypted"
            ));
        }
        scheme => {
            return Err(format!(
                "sends downloads to a `{scheme}:` address, and only http and https are followed"
            ));
        }
    }
    url.set_fragment(None);
    Ok(url)
}

/// Posts a batch until the server is content with who asks.
fn send(
    remotes: &Remotes<'_>,
    shown_url: &str,
    server: &Server,
    body: &[u8],
) -> Result<Response, GitError> {
    let (access, cancel) = (remotes.access(), remotes.cancel());
    let config = remotes.config()?;
    let client = remotes
        .clients()
        .client_for(&server.url, (access, config), cancel)?;
    let mut visitor = Visitor::new(&server.url, access, config, cancel);
    let mut url = visitor.home().clone();
    url.set_path(&format!(
        "{}/objects/batch",
        url.path().trim_end_matches('/')
    ));
    for _ in 0..ROUNDS {
        let mut request = Request::post(url.clone(), body.to_vec())
            .header("Content-Type", MEDIA_TYPE)
            .header("Accept", MEDIA_TYPE);
        // A batch of downloads changes nothing at the server, and is sent on as it is (git-lfs,
        // `lfshttp/client.go`).
        request.repeatable = true;
        request.posted_anew = true;
        request.secret_headers = server.headers_for(&url);
        visitor.introduce(&mut request)?;
        let had_header = has_authorization(&request) && request.authorization.is_none();
        let response = client.send(request)?;
        let shown = redact(response.url.as_str());
        let host = host_and_port(&response.url);
        match response.status {
            200..300 => {
                visitor.approve();
                return Ok(response);
            }
            401 => {
                let has_moved = !same_origin(&url, &response.url);
                if has_moved {
                    visitor.moved_to(&response.url);
                }
                url = response.url.clone();
                let header = had_header.then_some("the header that is set for it");
                if !visitor.challenged(&response, header, has_moved)? {
                    return Err(GitError::Unauthorized {
                        url: shown,
                        host,
                        tried: visitor.tried(),
                    });
                }
            }
            403 => return Err(GitError::Forbidden { url: shown, host }),
            404 | 410 => {
                return Err(GitError::NoLfsServer {
                    url: shown_url.to_owned(),
                    server: redact(server.url.as_str()),
                    host,
                });
            }
            _ => return Ok(response.success()?),
        }
    }
    Err(GitError::Unauthorized {
        url: redact(url.as_str()),
        host: host_and_port(&url),
        tried: visitor.tried(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::digest::Digest;

    fn pointers() -> [Pointer; 2] {
        ["one", "two"].map(|text| Pointer {
            oid: Digest::of(text),
            size: 3,
        })
    }

    fn read(answer: &Value, is_safe: bool) -> Result<Vec<Option<Link>>, String> {
        links(answer.to_string().as_bytes(), is_safe, &pointers())
    }

    fn with_href(href: &str) -> Value {
        let objects = pointers().map(|pointer| {
            json!({
                "oid": pointer.oid.to_string(),
                "actions": { "download": { "href": href } },
            })
        });
        json!({ "objects": objects })
    }

    #[test]
    fn objects_are_told_by_their_ids_in_any_order() {
        let [one, two] = pointers().map(|pointer| pointer.oid.to_string());
        let answer = json!({ "transfer": "basic", "hash_algo": "sha256", "more": 1, "objects": [
            { "oid": two, "error": { "code": 404, "message": "no" } },
            { "oid": "unknown", "actions": { "download": { "href": "gopher://x" } } },
            { "oid": one, "size": 3, "authenticated": true, "actions": { "download": {
                "href": "https://h/one?token=x#part",
                "header": { "Authorization": "RemoteAuth x", "HOST": "other", "X-A": "b" },
                "expires_in": 60,
            } } },
        ] });
        let found = read(&answer, true).unwrap();
        assert!(found[1].is_none());
        let link = found[0].as_ref().unwrap();
        assert_eq!(link.url.as_str(), "https://h/one?token=x");
        let names: Vec<_> = link.headers.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["Authorization", "X-A"]);
        assert!(link.is_authenticated);
        // A server that has nothing to say of an object does not have it.
        let nothing = json!({ "objects": [{ "oid": one, "actions": {} }] });
        assert!(read(&nothing, true).unwrap().iter().all(Option::is_none));
    }

    #[test]
    fn attack_only_http_is_opened_and_not_in_clear_after_https() {
        for href in [
            "file:///etc/passwd",
            "ssh://h/a",
            "ftp://h/a",
            "data:,x",
            "/a",
            "",
        ] {
            assert!(read(&with_href(href), false).is_err(), "{href}");
        }
        assert!(read(&with_href("http://h/a"), false).is_ok());
        assert!(read(&with_href("http://h/a"), true).is_err());
        assert!(read(&with_href("https://h/a"), true).is_ok());
    }

    #[test]
    fn leak_an_answer_that_cannot_be_read_is_not_told() {
        let [one, _] = pointers().map(|pointer| pointer.oid.to_string());
        let answer = json!({ "objects": [{ "oid": one, "actions": { "download": {
            "href": "https://h/a", "header": "hunter2",
        } } }] });
        let error = read(&answer, true).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
        let error = read(&with_href("http://me:hunter2@h/a?hunter2"), true).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn what_was_not_asked_for_is_refused() {
        let [one, _] = pointers().map(|pointer| pointer.oid.to_string());
        for answer in [
            json!({ "transfer": "tus", "objects": [] }),
            json!({ "hash_algo": "sha512", "objects": [] }),
            json!({ "message": "no" }),
            json!({ "objects": [{ "oid": one, "error": { "code": 422, "message": "odd" } }] }),
        ] {
            read(&answer, true).unwrap_err();
        }
    }
}
