//! The server's side of Git LFS: batches and downloads (git-lfs, `docs/api/batch.md`).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::http_server::{HttpRequest, HttpResponse};
use super::sha256;

/// What a server has of large files.
#[derive(Clone, Debug, Default)]
pub(crate) struct LfsServer {
    /// Contents by what they are asked for by.
    pub(crate) objects: BTreeMap<String, Vec<u8>>,
    /// The address at which downloads begin, where that is another server.
    pub(crate) downloads_at: Option<String>,
    /// What a download must have as its `Authorization`; the batch says so to those it lets in.
    pub(crate) token: Option<String>,
    /// Whether downloads are for those whom the server lets in, and not for everybody.
    pub(crate) guarded: bool,
}

/// The text that stands in git for a large file.
pub(crate) fn pointer(content: &[u8]) -> String {
    format!(
        "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n",
        sha256(content),
        content.len()
    )
}

const DOWNLOADS: &str = "/large-files/";

/// The answer to a batch, if a request is one.
pub(super) fn batch(lfs: &LfsServer, request: &HttpRequest) -> Option<HttpResponse> {
    request.path.strip_suffix("/info/lfs/objects/batch")?;
    let is_json = |name| {
        let value = request.header(name).unwrap_or_default();
        value.starts_with("application/vnd.git-lfs+json")
    };
    let asked: Option<Value> = serde_json::from_slice(&request.content()).ok();
    let asked = asked.filter(|asked| asked["operation"] == "download");
    if request.method != "POST" || !is_json("accept") || !is_json("content-type") {
        return Some(HttpResponse::new(406, "not a batch\n"));
    }
    let Some(asked) = asked else {
        return Some(HttpResponse::new(422, "not a batch\n"));
    };
    let here = format!("http://{}", request.header("host").unwrap_or_default());
    let base = lfs.downloads_at.as_ref().unwrap_or(&here);
    let objects = asked["objects"].as_array().into_iter().flatten();
    let objects: Vec<Value> = objects
        .map(|object| {
            let id = object["oid"].as_str().unwrap_or_default();
            if !lfs.objects.contains_key(id) {
                return json!({
                    "oid": id, "size": object["size"],
                    "error": { "code": 404, "message": "no such object" },
                });
            }
            let mut download = json!({ "href": format!("{base}{DOWNLOADS}{id}") });
            if let Some(token) = &lfs.token {
                download["header"] = json!({ "Authorization": token });
            }
            json!({ "oid": id, "size": object["size"], "actions": { "download": download } })
        })
        .collect();
    let body = json!({ "transfer": "basic", "objects": objects, "hash_algo": "sha256" });
    let response = HttpResponse::new(200, body.to_string());
    Some(response.with("Content-Type", "application/vnd.git-lfs+json"))
}

/// The content of a large file, if a request is for one.
pub(super) fn download(lfs: &LfsServer, request: &HttpRequest) -> Option<HttpResponse> {
    let id = request.path.strip_prefix(DOWNLOADS)?;
    if !lfs.guarded && lfs.token.as_deref() != request.header("authorization") {
        return Some(HttpResponse::new(403, "not for you\n"));
    }
    Some(match lfs.objects.get(id) {
        Some(content) => HttpResponse::new(200, content.clone()),
        None => HttpResponse::new(404, "gone\n"),
    })
}
