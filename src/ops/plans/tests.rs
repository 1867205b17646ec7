//! What is read of folders, and what is not.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the tests make folders"
)]

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::ops::LoadedCookbook;
use crate::ops::load::load;

/// A tree that counts what is opened of another.
struct Counted {
    tree: Arc<dyn Tree>,
    opened: AtomicUsize,
}

impl Tree for Counted {
    fn label(&self) -> String {
        self.tree.label()
    }

    fn entries(&self, dir: &[u8]) -> Result<Vec<TreeEntry>, TreeError> {
        self.tree.entries(dir)
    }

    fn kind(&self, path: &[u8]) -> Result<Option<EntryKind>, TreeError> {
        self.tree.kind(path)
    }

    fn link_target(&self, path: &[u8]) -> Result<Vec<u8>, TreeError> {
        self.tree.link_target(path)
    }

    fn open(&self, path: &[u8]) -> Result<Box<dyn Read + '_>, TreeError> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        self.tree.open(path)
    }

    fn identity(&self, path: &[u8]) -> Result<Option<Digest>, TreeError> {
        self.tree.identity(path)
    }
}

/// A project with one cookbook, and a store.
struct Bench {
    folder: TempDir,
}

/// Files that are as old are known by what the file system says of them.
const SETTLES: Duration = Duration::from_millis(3_300);

impl Bench {
    fn new() -> Self {
        let bench = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        for (path, content) in [
            ("cookbooks/chefignore", "*.bak\n"),
            ("cookbooks/web/metadata.rb", "name 'web'\nversion '1.0.0'\n"),
            ("cookbooks/web/recipes/default.rb", "log 'one'\n"),
            ("cookbooks/web/recipes/other.rb", "log 'two'\n"),
            ("cookbooks/web/notes.bak", "notes\n"),
        ] {
            bench.write(path, content);
        }
        bench
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join("project").join(path)
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, content).expect("a file");
    }

    fn context(&self) -> Context<'static> {
        Context::new(self.folder.path().join("store"))
    }

    /// Loads the cookbook in a run of its own; how many files were opened for it.
    fn load_with(&self, cx: &Context<'_>) -> (usize, LoadedCookbook) {
        let plans = Plans::new(cx);
        let (project, folder) = (self.path(""), self.path("cookbooks/web"));
        let place = Place::folder(&plans.folders, &project, &folder, None).expect("a folder");
        let counted = Arc::new(Counted {
            tree: Arc::clone(&place.tree),
            opened: AtomicUsize::new(0),
        });
        let place = Place {
            tree: Arc::clone(&counted) as Arc<dyn Tree>,
            ..place
        };
        let cookbook = load(&plans, place, None, None).expect("a cookbook");
        plans.finish();
        (counted.opened.load(Ordering::Relaxed), cookbook)
    }

    fn load(&self) -> (usize, LoadedCookbook) {
        self.load_with(&self.context())
    }

    /// Loads it as it is, whatever the store has.
    fn truth(&self) -> LoadedCookbook {
        let empty = tempfile::tempdir().expect("a folder");
        let (opened, cookbook) = self.load_with(&Context::new(empty.path()));
        assert!(opened > 0);
        cookbook
    }
}

fn assert_same(found: &LoadedCookbook, truth: &LoadedCookbook, what: &str) {
    let files = |cookbook: &LoadedCookbook| cookbook.plan.included.read().expect("files");
    assert_eq!(files(found), files(truth), "{what}");
    assert_eq!(found.plan.omitted, truth.plan.omitted, "{what}");
    assert_eq!(found.plan.refused, truth.plan.refused, "{what}");
    assert_eq!(found.content, truth.content, "{what}");
    assert_eq!(found.metadata, truth.metadata, "{what}");
    assert_eq!(found.metadata_rb, truth.metadata_rb, "{what}");
    assert_eq!(found.warnings, truth.warnings, "{what}");
}

/// Writes other content of the same size, and has the file tell the same time of it as before.
fn edit_unseen(path: &Path, content: &str) {
    let before = fs::metadata(path).expect("metadata");
    fs::write(path, content).expect("a file");
    let file = File::open(path).expect("a file");
    let time = before.modified().expect("a time");
    file.set_modified(time).expect("a time");
    let after = fs::metadata(path).expect("metadata");
    assert_eq!(
        (after.len(), after.modified().ok()),
        (before.len(), before.modified().ok())
    );
}

const RECIPE: &str = "cookbooks/web/recipes/default.rb";

/// A change of a cookbook, and what it is called.
type Change = (&'static str, fn(&Bench));

const CHANGES: [Change; 15] = [
    ("edited", |b| b.write(RECIPE, "log 'another'\n")),
    ("edited to the same size", |b| {
        b.write(RECIPE, "log 'two'\n");
    }),
    ("edited with its time given back", |b| {
        edit_unseen(&b.path(RECIPE), "log 'two'\n");
    }),
    ("replaced by a file of the same size and time", |b| {
        let (old, new) = (b.path(RECIPE), b.path("new.rb"));
        fs::write(&new, "log 'two'\n").expect("a file");
        let time = fs::metadata(&old).and_then(|found| found.modified());
        let file = File::open(&new).expect("a file");
        file.set_modified(time.expect("a time")).expect("a time");
        fs::rename(&new, &old).expect("renamed");
    }),
    ("made executable", |b| {
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(b.path(RECIPE), mode).expect("a mode");
    }),
    ("removed", |b| {
        fs::remove_file(b.path(RECIPE)).expect("gone");
    }),
    ("renamed", |b| {
        fs::rename(b.path(RECIPE), b.path("cookbooks/web/recipes/x.rb")).expect("renamed");
    }),
    ("swapped with another", |b| {
        let (one, two) = (b.path(RECIPE), b.path("cookbooks/web/recipes/other.rb"));
        let aside = b.path("aside");
        fs::rename(&one, &aside).expect("renamed");
        fs::rename(&two, &one).expect("renamed");
        fs::rename(&aside, &two).expect("renamed");
    }),
    ("another added", |b| {
        b.write("cookbooks/web/recipes/new.rb", "");
    }),
    ("made a link", |b| {
        fs::remove_file(b.path(RECIPE)).expect("gone");
        symlink("other.rb", b.path(RECIPE)).expect("a link");
    }),
    ("made a folder", |b| {
        fs::remove_file(b.path(RECIPE)).expect("gone");
        b.write(&format!("{RECIPE}/inner.rb"), "");
    }),
    ("a folder marked as vendored", |b| {
        b.write("cookbooks/web/recipes/.cookpack-vendor", "");
    }),
    ("the chefignore above edited", |b| {
        b.write("cookbooks/chefignore", "other*\n");
    }),
    ("a nearer chefignore added", |b| {
        b.write("cookbooks/web/chefignore", "recipes/other*\n");
    }),
    ("the metadata edited", |b| {
        b.write(
            "cookbooks/web/metadata.rb",
            "name 'web'\nversion '1.0.1'\n# a warning is told of nothing\n",
        );
    }),
];

#[test]
fn what_is_unchanged_is_not_read_and_every_change_is_seen() {
    let [at_once, later] = [(), ()].map(|()| CHANGES.map(|change| (change, Bench::new())));
    thread::sleep(SETTLES);
    for ((what, change), bench) in at_once.iter().chain(&later) {
        assert!(bench.load().0 > 0, "{what}");
        let (opened, cookbook) = bench.load();
        assert_eq!(opened, 0, "{what}");
        assert_same(&cookbook, &bench.truth(), what);
        change(bench);
    }
    for ((what, _), bench) in &at_once {
        let (opened, cookbook) = bench.load();
        assert!(opened > 0, "{what}");
        assert_same(&cookbook, &bench.truth(), what);
    }
    // The file system tells the change from what was there before, whoever saw it happen.
    thread::sleep(SETTLES);
    for ((what, _), bench) in at_once.iter().chain(&later) {
        assert_same(&bench.load().1, &bench.truth(), what);
        let (opened, cookbook) = bench.load();
        assert_eq!(opened, 0, "{what}");
        assert_same(&cookbook, &bench.truth(), what);
    }
}

#[test]
fn what_was_just_changed_is_read_until_it_is_old_enough() {
    let bench = Bench::new();
    assert!(bench.load().0 > 0);
    // Within the grain of a coarse clock this is not seen by what the file system tells.
    bench.write(RECIPE, "log 'two'\n");
    let (opened, cookbook) = bench.load();
    assert!(opened > 0);
    assert_same(&cookbook, &bench.truth(), "edited at once");
    let file = File::open(bench.path(RECIPE)).expect("a file");
    let ahead = SystemTime::now() + Duration::from_secs(3_600);
    thread::sleep(SETTLES);
    assert!(bench.load().0 > 0);
    assert_eq!(bench.load().0, 0);
    // A time in the future never is.
    file.set_modified(ahead).expect("a time");
    thread::sleep(SETTLES);
    for _ in 0..2 {
        assert!(bench.load().0 > 0);
    }
}

#[test]
fn what_is_kept_is_not_believed_unless_it_is_to_be() {
    let bench = Bench::new();
    thread::sleep(SETTLES);
    assert!(bench.load().0 > 0);
    assert_eq!(bench.load().0, 0);
    let everything = bench.context().with_index(false);
    assert!(bench.load_with(&everything).0 > 0);
    let mut limits = Limits::default();
    limits.depth -= 1;
    let cx = bench.context().with_limits(limits);
    assert!(bench.load_with(&cx).0 > 0, "other limits");
    assert_eq!(bench.load_with(&cx).0, 0, "other limits");
    // A record that is damaged is made anew, also by a run that believes none.
    let plans = crate::ops::cache_verify(&bench.context(), &[]).expect("a store");
    assert_eq!(plans.damaged().count(), 0);
    let damage = || {
        for item in bench
            .context()
            .store()
            .items(CacheKind::Plan)
            .expect("plans")
        {
            let mut bytes = fs::read(&item.path).expect("a record");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&item.path, bytes).expect("a record");
        }
        let plans = crate::ops::cache_verify(&bench.context(), &[]).expect("a store");
        assert_eq!(plans.damaged().count(), 1);
    };
    damage();
    let (opened, cookbook) = bench.load();
    assert!(opened > 0);
    assert_same(&cookbook, &bench.truth(), "damaged");
    assert_eq!(bench.load().0, 0);
    damage();
    assert!(bench.load_with(&everything).0 > 0);
    assert_eq!(bench.load().0, 0);
}

#[test]
fn metadata_that_looks_elsewhere_is_read_each_time() {
    let bench = Bench::new();
    bench.write("VERSION", "2.0.0");
    bench.write(
        "cookbooks/web/metadata.rb",
        "name 'web'\nversion IO.read(File.join(File.dirname(__FILE__), '../../VERSION'))\n",
    );
    let looks_at_git = Bench::new();
    looks_at_git.write("cookbooks/web/.git/VERSION", "2.0.0");
    looks_at_git.write(
        "cookbooks/web/metadata.rb",
        "name 'web'\nversion IO.read(File.join(File.dirname(__FILE__), '.git/VERSION'))\n",
    );
    thread::sleep(SETTLES);
    for (bench, path) in [
        (&bench, "VERSION"),
        (&looks_at_git, "cookbooks/web/.git/VERSION"),
    ] {
        assert!(bench.load().0 > 0);
        // The metadata.rb and what it reads, and no more.
        let (opened, cookbook) = bench.load();
        assert_eq!(opened, 2, "{path}");
        assert_eq!(cookbook.metadata.version.to_string(), "2.0.0");
        bench.write(path, "2.0.1");
        let (opened, cookbook) = bench.load();
        assert_eq!(opened, 2, "{path}");
        assert_eq!(cookbook.metadata.version.to_string(), "2.0.1");
        assert_same(&cookbook, &bench.truth(), path);
    }
}

#[test]
fn a_cookbook_without_a_name_is_told_of_each_time() {
    let bench = Bench::new();
    bench.write("cookbooks/web/metadata.rb", "version '1.0.0'\n");
    thread::sleep(SETTLES);
    let (_, first) = bench.load();
    let (opened, second) = bench.load();
    assert_eq!(opened, 0);
    assert_eq!(first.warnings.len(), 1);
    assert_same(&second, &first, "no name");
    assert_eq!(second.name.as_str(), "web");
}
