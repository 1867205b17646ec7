use std::collections::BTreeMap;
use std::io::Read;

use super::*;
use crate::event::CancelToken;
use crate::layout::plan_cookbook;
use crate::metadata::Metadata;
use crate::ruby::{Settings, TreeFiles};
use crate::text::SourceFile;
use crate::tree::{EntryKind, Tree, TreeEntry, TreeError};

const METADATA: &str = "name 'web'\nversion '1.2'\ndepends 'apt', '~> 2.0'\ndepends 'java'\n\
    supports 'ubuntu', '>= 12.04'\nrecipe 'web', 'all'\nprivacy true\ngem 'x', '>= 1'\n\
    chef_version '>= 12', '< 15'\nlong_description 'été'\nunknown_word 1\n";

/// Files by path, and what is a link or a submodule.
struct Fixture(BTreeMap<&'static str, (EntryKind, &'static str)>);

const FILE: EntryKind = EntryKind::File { executable: false };

fn fixture() -> Fixture {
    Fixture(BTreeMap::from([
        ("cookbooks/chefignore", (FILE, "# x\n*.bak\n")),
        ("cookbooks/web", (EntryKind::Directory, "")),
        ("cookbooks/web/.git", (EntryKind::Directory, "")),
        ("cookbooks/web/Berksfile", (FILE, "")),
        ("cookbooks/web/a.bak", (FILE, "a")),
        ("cookbooks/web/link", (EntryKind::Symlink, "run")),
        ("cookbooks/web/metadata.rb", (FILE, METADATA)),
        ("cookbooks/web/module", (EntryKind::Submodule, "")),
        (
            "cookbooks/web/run",
            (EntryKind::File { executable: true }, "#!"),
        ),
    ]))
}

impl Tree for Fixture {
    fn label(&self) -> String {
        "fixture".to_owned()
    }

    fn entries(&self, dir: &[u8]) -> Result<Vec<TreeEntry>, TreeError> {
        let dir = std::str::from_utf8(dir).expect("UTF-8");
        let below = self.0.iter().filter_map(|(path, (kind, _))| {
            let name = path.strip_prefix(dir)?.strip_prefix('/')?;
            let name = (!name.contains('/')).then(|| name.as_bytes().to_vec())?;
            Some(TreeEntry { name, kind: *kind })
        });
        Ok(below.collect())
    }

    fn kind(&self, path: &[u8]) -> Result<Option<EntryKind>, TreeError> {
        let path = std::str::from_utf8(path).expect("UTF-8");
        let found = self.0.get(path).map(|(kind, _)| *kind);
        Ok(found.or((path == "cookbooks").then_some(EntryKind::Directory)))
    }

    fn link_target(&self, path: &[u8]) -> Result<Vec<u8>, TreeError> {
        let path = std::str::from_utf8(path).expect("UTF-8");
        Ok(self.0[path].1.as_bytes().to_vec())
    }

    fn open(&self, path: &[u8]) -> Result<Box<dyn Read + '_>, TreeError> {
        let path = std::str::from_utf8(path).expect("UTF-8");
        Ok(Box::new(self.0[path].1.as_bytes()))
    }
}

fn base() -> TreePath {
    TreePath::parse("cookbooks/web").expect("a path")
}

fn record() -> PlanRecord {
    let tree = fixture();
    let plan = plan_cookbook(&tree, &base(), &Limits::default(), &CancelToken::default());
    let plan = plan.expect("a plan");
    let file = SourceFile::new("metadata.rb", METADATA);
    let files = TreeFiles {
        tree: &tree,
        base: base(),
    };
    let metadata = Metadata::from_ruby(&file, &files, &Settings::default()).expect("metadata");
    PlanRecord {
        content: plan.content_digest().expect("a digest"),
        plan,
        metadata: Some(RecordedMetadata {
            is_json: false,
            metadata_rb: Some(METADATA.to_owned()),
            file,
            metadata,
        }),
    }
}

fn key() -> Digest {
    Digest::of("key")
}

#[test]
fn a_record_is_read_as_it_was_written() {
    let written = record();
    let bytes = written.write(&key()).expect("bytes");
    let read = PlanRecord::read(&bytes, &key(), &base()).expect("a record");
    let files = |record: &PlanRecord| record.plan.included.read().expect("files");
    assert_eq!(files(&read), files(&written));
    assert_eq!(read.plan.omitted, written.plan.omitted);
    assert_eq!(read.plan.refused, written.plan.refused);
    assert_eq!(
        (
            read.plan.included.len(),
            read.plan.omitted.len(),
            read.plan.refused.len()
        ),
        (3, 3, 1)
    );
    assert_eq!(read.content, written.content);
    assert_eq!(read.content, read.plan.content_digest().expect("a digest"));
    let read = read.metadata.expect("metadata");
    let read = read.shown_as("metadata.rb".to_owned());
    let written = written.metadata.expect("metadata");
    assert_eq!(read, written);
    assert_eq!(read.metadata.to_json(), written.metadata.to_json());
    assert_eq!(
        read.metadata.dependencies[1].at.to_string(),
        "metadata.rb:4"
    );
}

#[test]
fn every_damage_makes_it_none() {
    let bytes = record().write(&key()).expect("bytes");
    assert!(is_whole_record(&bytes, &key()));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(
            PlanRecord::read(&changed, &key(), &base()).is_none(),
            "{at}"
        );
        assert!(!is_whole_record(&bytes[..at], &key()), "{at}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(!is_whole_record(&longer, &key()));
    // A file that was renamed, or is an answer to another question.
    assert!(PlanRecord::read(&bytes, &Digest::of("other"), &base()).is_none());
}

/// The bytes with a check that fits, as somebody would write them who means harm.
fn forged(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = record().write(&key()).expect("bytes");
    bytes.truncate(bytes.len() - DIGEST);
    change(&mut bytes);
    let check = Digest::of(&bytes);
    bytes.extend_from_slice(check.as_bytes());
    bytes
}

#[test]
fn a_forged_path_or_form_makes_it_none() {
    assert!(PlanRecord::read(&forged(|_| {}), &key(), &base()).is_some());
    let change = |bytes: &mut Vec<u8>, from: &[u8], to: &[u8]| {
        let at = bytes
            .windows(from.len())
            .position(|window| window == from)
            .expect("it is there");
        bytes[at..at + to.len()].copy_from_slice(to);
    };
    let paths = forged(|bytes| change(bytes, b"metadata.rb", b"../etc/x.rb"));
    assert!(PlanRecord::read(&paths, &key(), &base()).is_none());
    let form = forged(|bytes| change(bytes, FORM, b"cookpack-plan 0\n"));
    assert!(PlanRecord::read(&form, &key(), &base()).is_none());
    let longer = forged(|bytes| bytes.push(0));
    assert!(PlanRecord::read(&longer, &key(), &base()).is_none());
}

#[test]
fn what_would_not_be_read_as_it_is_is_not_written() {
    let mut refused = record();
    refused.plan.refused[0].reason = Refusal::LinkDangling {
        target: "x".to_owned(),
    };
    assert!(refused.write(&key()).is_none());
    let mut of_another_file = record();
    let metadata = of_another_file.metadata.as_mut().expect("metadata");
    metadata.metadata.version_at = Some(SourceFile::new("other.rb", "").at(0..0));
    assert!(of_another_file.write(&key()).is_none());
}

#[test]
fn each_input_gives_another_key() {
    let (base, other) = (base(), TreePath::root());
    let (limits, mut fewer) = (Limits::default(), Limits::default());
    fewer.patterns -= 1;
    let inputs = PlanInputs {
        identity: Digest::of("1"),
        base: &base,
        root_name: None,
        chefignore: None,
        is_declared: false,
        limits: &limits,
    };
    let of = |change: &dyn Fn(&mut PlanInputs<'_>)| {
        let mut changed = inputs;
        change(&mut changed);
        changed.key()
    };
    let chefignore = |inputs: &mut PlanInputs<'_>, path, content| {
        inputs.chefignore = Some((path, Digest::of(content)));
    };
    let keys = [
        inputs.key(),
        of(&|inputs| inputs.identity = Digest::of("2")),
        of(&|inputs| inputs.root_name = Some("web")),
        of(&|inputs| chefignore(inputs, b"chefignore", "1")),
        of(&|inputs| chefignore(inputs, b"chefignore", "2")),
        of(&|inputs| chefignore(inputs, b"cookbooks/chefignore", "1")),
        of(&|inputs| inputs.is_declared = true),
        PlanInputs {
            base: &other,
            ..inputs
        }
        .key(),
        PlanInputs {
            limits: &fewer,
            ..inputs
        }
        .key(),
    ];
    let different: std::collections::BTreeSet<_> = keys.iter().collect();
    assert_eq!(different.len(), keys.len());
    assert_eq!(inputs.key(), of(&|_| {}));
}
