//! A contradiction as a JSON document: the same as the sentences, for a machine.

use serde_json::{Value, json};

use super::clash::{Asker, Clash, Contradiction, Edit, Reason, RuledOut, Want};
use crate::text::Location;

impl Clash {
    /// Everything that is told of it, as a document. Keys are added and never change their meaning;
    /// versions and constraints are text, a place in a file is `FILE:LINE`.
    pub fn to_json(&self) -> Value {
        let contradictions = self.contradictions.iter().map(contradiction);
        json!({
            "contradictions": contradictions.collect::<Vec<_>>(),
            "more": self.more,
        })
    }
}

fn contradiction(found: &Contradiction) -> Value {
    json!({
        "cookbook": found.name,
        "known": found.known,
        "pinned": found.pinned.as_ref().map(|pinned| json!({
            "version": pinned.version.to_string(),
            "at": place(pinned.at.as_ref()),
        })),
        "wants": found.wants.iter().map(want).collect::<Vec<_>>(),
        "ruled_out": found.ruled_out.iter().map(ruled_out).collect::<Vec<_>>(),
        "source": found.source,
        "asked": found.asked,
        "near": found.near,
        "edits": found.edits.iter().map(edit).collect::<Vec<_>>(),
    })
}

fn place(at: Option<&Location>) -> Option<String> {
    at.map(ToString::to_string)
}

fn want(want: &Want) -> Value {
    let by = match &want.by {
        Asker::Manifest => json!({ "kind": "manifest" }),
        Asker::Pinned {
            name,
            version,
            source,
        } => json!({
            "kind": "located",
            "cookbook": name,
            "version": version.to_string(),
            "source": source,
        }),
        Asker::Offered {
            name,
            first,
            last,
            count,
            all,
            source,
        } => json!({
            "kind": "offered",
            "cookbook": name,
            "first": first.to_string(),
            "last": last.to_string(),
            "count": count,
            "all": all,
            "source": source,
        }),
        Asker::Lock { version, gone } => json!({
            "kind": "lockfile",
            "version": version.to_string(),
            "gone": gone,
        }),
    };
    json!({
        "by": by,
        "cookbook": want.name,
        "constraint": want.constraint.to_string(),
        "at": place(want.at.as_ref()),
    })
}

fn ruled_out(out: &RuledOut) -> Value {
    let reason = match &out.reason {
        Reason::Unwanted { by, constraints } => {
            let constraints = constraints.iter().map(ToString::to_string);
            json!({
                "kind": "unwanted",
                "by": by,
                "constraints": constraints.collect::<Vec<_>>(),
            })
        }
        Reason::Needs {
            name,
            constraint,
            known,
        } => json!({
            "kind": "needs",
            "cookbook": name,
            "constraint": constraint.to_string(),
            "known": known,
        }),
        Reason::Locked { version } => json!({ "kind": "locked", "version": version.to_string() }),
        Reason::Together => json!({ "kind": "together" }),
    };
    json!({
        "first": out.first.to_string(),
        "last": out.last.to_string(),
        "count": out.count,
        "reason": reason,
    })
}

fn edit(edit: &Edit) -> Value {
    match edit {
        Edit::Rename { from, to, at } => json!({
            "kind": "rename",
            "from": from,
            "to": to,
            "at": place(at.as_ref()),
        }),
        Edit::Constraint {
            name,
            from,
            to,
            at,
            version,
        } => json!({
            "kind": "constraint",
            "cookbook": name,
            "from": from.to_string(),
            "to": to.to_string(),
            "at": place(at.as_ref()),
            "version": version.to_string(),
        }),
        Edit::Free { name, version } => json!({
            "kind": "update",
            "cookbook": name,
            "version": version.to_string(),
        }),
    }
}
