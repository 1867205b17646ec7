//! What a person reads of a contradiction.

use std::fmt::{self, Write as _};

use super::clash::{Asker, Clash, Contradiction, Edit, Pinned, Reason, RuledOut, Want};
use super::closed::whence;
use crate::error::{Diagnose, Diagnostic};
use crate::name::CookbookName;
use crate::text::{Label, Location};
use crate::version::{Constraint, Version};

impl Asker {
    /// A short name: a file, or a cookbook.
    fn brief(&self, manifest: &str) -> String {
        match self {
            Self::Manifest => manifest.to_owned(),
            Self::Pinned { name, .. } | Self::Offered { name, .. } => format!("`{name}`"),
            Self::Lock { .. } => "the lockfile".to_owned(),
        }
    }
}

/// `1.0.0`, or `1.0.0 to 1.4.2`.
fn range(first: Version, last: Version) -> String {
    match first == last {
        true => first.to_string(),
        false => format!("{first} to {last}"),
    }
}

/// A name may be any text that somebody wrote, with what would move a terminal's cursor in it.
fn wanted(name: &str, constraint: &Constraint) -> String {
    let name = name.escape_debug();
    match constraint.is_any() {
        true => format!("`{name}`"),
        false => format!("`{name} {constraint}`"),
    }
}

impl Want {
    /// What is wanted, as a fragment without who wants it where a line shows that.
    fn note(&self) -> String {
        let what = wanted(&self.name, &self.constraint);
        match &self.by {
            Asker::Manifest => format!("wants {what}"),
            Asker::Pinned { name, version, .. } => format!("`{name}` {version} needs {what}"),
            Asker::Offered {
                name,
                first,
                last,
                count,
                all,
                source,
            } => {
                let verb = if *count == 1 || *all { "needs" } else { "need" };
                let who = match (*all, *count) {
                    (true, 2..) => format!("every version of `{name}`"),
                    _ => format!("`{name}` {}", range(*first, *last)),
                };
                format!("{who} ({source}) {verb} {what}")
            }
            Asker::Lock { version, gone } => {
                let gone = if *gone {
                    ", which no source has any more"
                } else {
                    ""
                };
                format!("the lockfile holds `{}` at {version}{gone}", self.name)
            }
        }
    }
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Some(at) => write!(f, "{at}: {}", self.note()),
            None => f.write_str(&self.note()),
        }
    }
}

impl RuledOut {
    fn note(&self, name: &str) -> String {
        let Self {
            first,
            last,
            count,
            reason,
        } = self;
        let versions = range(*first, *last);
        let does = if *count == 1 { "does" } else { "do" };
        match reason {
            Reason::Unwanted { by, constraints } => {
                let verb = if by.starts_with('`') {
                    "needs"
                } else {
                    "wants"
                };
                match &constraints[..] {
                    [one] => {
                        format!("`{name}` {versions} {does} not fit `{one}`, which {by} {verb}")
                    }
                    [one, other] => format!(
                        "`{name}` {versions} {does} not fit `{one}` or `{other}`, which {by} {verb}"
                    ),
                    _ => format!("`{name}` {versions} {does} not fit what {by} {verb}"),
                }
            }
            Reason::Needs {
                name: needed,
                constraint,
                known,
            } => {
                let verb = if *count == 1 { "needs" } else { "need" };
                let lacking = if *known { "" } else { ", which no source has" };
                format!(
                    "`{name}` {versions} {verb} {}{lacking}",
                    wanted(needed, constraint)
                )
            }
            Reason::Locked { version } => {
                let be = if *count == 1 { "is" } else { "are" };
                format!("`{name}` {versions} {be} not {version}, which the lockfile holds")
            }
            Reason::Together => {
                format!("`{name}` {versions} {does} not fit all of these at once")
            }
        }
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |at: &Option<Location>| match at {
            Some(at) => format!(" in {at}"),
            None => String::new(),
        };
        match self {
            Self::Rename { from, to, at } => {
                write!(
                    f,
                    "did you mean `{to}`? write it in place of `{from}`{}",
                    place(at)
                )
            }
            Self::Constraint {
                name,
                from,
                to,
                at,
                version,
            } => {
                let place = place(at);
                match from.is_any() {
                    true => write!(f, "ask for `{name}` `{to}`{place}")?,
                    false => write!(f, "write `{to}` in place of `{from}` for `{name}`{place}")?,
                }
                write!(f, ": then `{name}` {version} fits")
            }
            Self::Free { name, version } => {
                write!(
                    f,
                    "run `cookpack update {name}`: then `{name}` {version} fits"
                )
            }
        }
    }
}

/// `a`, `a and b`, `a, b and c`.
fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Lines that are told of each kind; what is beyond is counted.
const SHOWN: usize = 6;

impl Contradiction {
    /// Those that want the name itself, each once.
    fn askers(&self) -> Vec<String> {
        let mut askers = Vec::new();
        for want in self.wants.iter().filter(|want| want.name == self.name) {
            let brief = want.by.brief(&self.manifest.0);
            if !askers.contains(&brief) {
                askers.push(brief);
            }
        }
        askers
    }

    fn message(&self) -> String {
        let name = self.name.escape_debug();
        let askers = self.askers();
        let verb = match &askers[..] {
            [one] if one.starts_with('`') => "needs",
            [_] => "wants",
            many if many.iter().all(|one| one.starts_with('`')) => "need",
            _ => "want",
        };
        if !self.known {
            let askers = listed(&askers);
            return format!("no source has a cookbook `{name}`, which {askers} {verb}");
        }
        let askers = listed(&askers);
        if let (Some(pinned), Some(source)) = (&self.pinned, &self.source) {
            let version = pinned.version;
            return format!("`{name}` {version} from {source} does not fit what {askers} {verb}");
        }
        let further =
            |out: &RuledOut| matches!(out.reason, Reason::Needs { .. } | Reason::Together);
        match &self.wants[..] {
            [want] => format!("no version of `{name}` fits `{}`", want.constraint),
            _ if self.ruled_out.iter().any(further) => {
                format!("no version of `{name}` that {askers} {verb} can be used")
            }
            _ => format!("no version of `{name}` fits what {askers} {verb}"),
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        // What the versions of the name itself need is told of each group of them.
        let together = self
            .ruled_out
            .iter()
            .any(|out| out.reason == Reason::Together);
        let own =
            |want: &Want| matches!(&want.by, Asker::Offered { name, .. } if *name == self.name);
        let unplaced = self.wants.iter().filter(|want| want.at.is_none());
        let unplaced = unplaced.filter(|want| together || !own(want));
        push_shown(&mut notes, unplaced.map(Want::note), "demands");
        let told = self.ruled_out.iter().map(|out| out.note(&self.name));
        push_shown(&mut notes, told, "groups of versions");
        match (&self.source, &self.asked[..]) {
            (Some(_), _) if self.pinned.is_some() => {}
            (Some(source), _) => notes.push(format!("`{}` comes from {source}", self.name)),
            (None, []) => notes.push("no source is given to ask for cookbooks by name".to_owned()),
            (None, asked) => notes.push(format!("asked: {}", asked.join(", "))),
        }
        notes
    }

    fn hints(&self) -> Vec<String> {
        let mut hints: Vec<_> = self.edits.iter().map(Edit::to_string).collect();
        let renames = |edit: &Edit| matches!(edit, Edit::Rename { .. });
        if let Some(near) = &self.near
            && !self.edits.iter().any(renames)
        {
            hints.push(format!("did you mean `{near}`?"));
        }
        let (file, format) = &self.manifest;
        if self.pinned.is_some() {
            let direct = self.wants.iter().filter(|want| want.name == self.name);
            let unfit = |want: &&Want| {
                self.pinned
                    .as_ref()
                    .is_some_and(|p| !want.constraint.matches(p.version))
            };
            let mut constraints = Vec::new();
            for want in direct.filter(unfit) {
                let constraint = format!("`{}`", want.constraint);
                if !constraints.contains(&constraint) {
                    constraints.push(constraint);
                }
            }
            if !constraints.is_empty() {
                hints.push(format!(
                    "point `{}` at a tag, branch or folder whose version fits {}",
                    self.name,
                    listed(&constraints)
                ));
            }
        }
        if self.known && hints.is_empty() && self.edits_searched {
            hints.push("no change of one constraint makes these fit: change two, or take one of the cookbooks from a repository or a folder".to_owned());
        }
        match self.name.parse::<CookbookName>() {
            Err(invalid) => hints.push(invalid.to_string()),
            Ok(_) if !self.known => hints.push(whence(&self.name, file, *format)),
            Ok(_) => {}
        }
        hints
    }

    /// What is said of lines.
    fn labels(&self) -> Vec<Label> {
        let placed = |want: &Want| want.at.as_ref().map(|at| at.label(want.note()));
        let mut labels: Vec<_> = self.wants.iter().filter_map(placed).collect();
        if let Some(Pinned { version, at }) = &self.pinned
            && let Some(at) = at
        {
            let given = format!("gives `{}` {version}", self.name);
            // One line says both who wants a cookbook and where it is from.
            match labels.iter_mut().find(|label| label.at == *at) {
                Some(label) => label.note = format!("{}, and {given}", label.note),
                None => labels.push(at.label(given)),
            }
        }
        labels
    }

    fn diagnostic(&self) -> Diagnostic {
        Diagnostic {
            message: self.message(),
            labels: self.labels(),
            notes: self.notes(),
            hints: self.hints(),
        }
    }
}

fn push_shown(notes: &mut Vec<String>, told: impl Iterator<Item = String>, what: &str) {
    let mut told: Vec<_> = told.collect();
    let hidden = told.len().saturating_sub(SHOWN);
    // One line that counts one line would gain nothing.
    if hidden > 1 {
        told.truncate(SHOWN);
        told.push(format!("and {hidden} more {what}"));
    }
    notes.append(&mut told);
}

impl fmt::Display for Contradiction {
    /// The whole story, a sentence a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.message();
        for Label { at, note } in self.labels() {
            let _ = write!(text, "\n  {at}: {note}");
        }
        for note in self.notes() {
            let _ = write!(text, "\n  {note}");
        }
        for hint in self.hints() {
            let _ = write!(text, "\n  help: {hint}");
        }
        f.write_str(&text)
    }
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let messages: Vec<_> = self
            .contradictions
            .iter()
            .map(Contradiction::message)
            .collect();
        f.write_str(&messages.join("; "))
    }
}

impl std::error::Error for Clash {}

impl Diagnose for Clash {
    fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut diagnostics: Vec<_> = self
            .contradictions
            .iter()
            .map(Contradiction::diagnostic)
            .collect();
        if self.more
            && let Some(last) = diagnostics.last_mut()
        {
            last.notes.push(
                "this is not all that does not fit; what is left is told when this is mended"
                    .to_owned(),
            );
        }
        diagnostics
    }
}
