//! What the client says.

use git2::Oid;

use super::packet::Message;
use crate::git::shallow::ShallowRoots;
use crate::git::transport::Wants;

/// How this client names itself to a server.
const AGENT: &str = concat!("agent=cookpack/", env!("CARGO_PKG_VERSION"));

/// A depth that git takes for all of a history (git, `shallow.h`, `INFINITE_DEPTH`).
const WHOLE: &str = "deepen 2147483647";

/// `ls-refs` of version 2.
pub(super) fn list_refs(capabilities: &[String], prefixes: &[String]) -> Message {
    let mut message = command("ls-refs", capabilities);
    message.line("peel").line("symrefs").line("ref-prefix HEAD");
    for prefix in prefixes.iter().filter(|prefix| *prefix != "HEAD") {
        message.line(&format!("ref-prefix {prefix}"));
    }
    message.flush();
    message
}

/// `fetch` of version 2.
pub(super) fn fetch_v2(
    capabilities: &[String],
    wants: &Wants,
    roots: &ShallowRoots,
    known: &[Oid],
) -> Message {
    let mut message = command("fetch", capabilities);
    for feature in ["thin-pack", "no-progress", "ofs-delta"] {
        message.line(feature);
    }
    let (Wants::Shallow(ids) | Wants::History(ids)) = wants;
    for id in ids {
        message.line(&format!("want {id}"));
    }
    depth(&mut message, wants, roots);
    for id in known {
        message.line(&format!("have {id}"));
    }
    message.line("done").flush();
    message
}

/// The one request of version 0. All is said at once: which commits of ours the server has is its
/// business, and it need not tell.
pub(super) fn fetch_v0(
    wants: &Wants,
    capabilities: &[String],
    roots: &ShallowRoots,
    known: &[Oid],
) -> Message {
    let mut message = Message::default();
    let used = [
        "thin-pack",
        "side-band-64k",
        "no-progress",
        "ofs-delta",
        "shallow",
    ];
    let mut chosen: Vec<_> = used
        .into_iter()
        .filter(|used| capabilities.iter().any(|found| found == used))
        .collect();
    if capabilities.iter().any(|found| found.starts_with("agent=")) {
        chosen.push(AGENT);
    }
    let (Wants::Shallow(ids) | Wants::History(ids)) = wants;
    for (index, id) in ids.iter().enumerate() {
        match index {
            0 => message.line(&format!("want {id} {}", chosen.join(" "))),
            _ => message.line(&format!("want {id}")),
        };
    }
    depth(&mut message, wants, roots);
    message.flush();
    for id in known {
        message.line(&format!("have {id}"));
    }
    message.line("done");
    message
}

/// How much history is wanted, and where ours ends.
fn depth(message: &mut Message, wants: &Wants, roots: &ShallowRoots) {
    for root in roots.ids() {
        message.line(&format!("shallow {root}"));
    }
    match wants {
        Wants::Shallow(_) => {
            message.line("deepen 1");
        }
        Wants::History(_) if !roots.is_empty() => {
            message.line(WHOLE);
        }
        Wants::History(_) => {}
    }
}

fn command(name: &str, capabilities: &[String]) -> Message {
    let mut message = Message::default();
    message.line(&format!("command={name}"));
    if capabilities.iter().any(|found| found.starts_with("agent=")) {
        message.line(AGENT);
    }
    if capabilities
        .iter()
        .any(|found| found == "object-format=sha1")
    {
        message.line("object-format=sha1");
    }
    message.delimiter();
    message
}
