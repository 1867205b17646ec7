//! What is compressed while it is read needs not be read again, and nobody sees a difference but in time.

use std::num::NonZeroUsize;
use std::path::Path;

use cookpack::archive::{ArchiveOptions, Format, Level};
use cookpack::{Context, Layout, LockMode, lock_and_assemble, open_project, stream_archive};

use crate::support::{Sandbox, noise};

/// Cookbooks that a manifest places, in the order in which an archive does not have them.
fn project(cookbooks: &[(&str, usize)]) -> Sandbox {
    let sandbox = Sandbox::new();
    let mut lines = String::new();
    for (seed, (name, bytes)) in (1..).zip(cookbooks) {
        let folder = format!("site/{name}");
        sandbox.cookbook(&folder, name, "");
        sandbox.write(format!("{folder}/files/a.txt"), "shared by all\n".repeat(9));
        sandbox.write(format!("{folder}/files/noise"), noise(*bytes, seed));
        sandbox.write(format!("{folder}/files-b"), "before `files/`\n");
        sandbox.symlink("files/a.txt", format!("{folder}/linked"));
        lines.push_str(&format!("{name} = {{ path = \"{folder}\" }}\n"));
    }
    sandbox.manifest(&lines);
    sandbox
}

struct Way {
    format: Format,
    level: Level,
    jobs: usize,
}

impl Way {
    fn options(&self) -> ArchiveOptions {
        let mut options = ArchiveOptions::default();
        options.level = self.level;
        options.jobs = NonZeroUsize::new(self.jobs).expect("a number");
        options
    }

    fn context(&self, store: &Path) -> Context<'static> {
        Context::new(store).with_jobs(self.options().jobs)
    }

    fn layout(&self, sandbox: &Sandbox, cx: &Context<'_>) -> Layout {
        let project = open_project(cx, &sandbox.project()).expect("a project");
        let locked = lock_and_assemble(cx, &project.manifest, LockMode::Fresh);
        locked.expect("a layout").1
    }

    fn write(&self, cx: &Context<'_>, layout: &Layout) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let written = stream_archive(cx, layout, &mut bytes, self.format, &self.options());
        written.ok().map(|_| bytes)
    }

    /// What is written where nothing was compressed ahead.
    fn plainly(&self, sandbox: &Sandbox) -> Vec<u8> {
        let store = tempfile::tempdir().expect("a folder");
        let cx = self.context(store.path());
        let layout = self.layout(sandbox, &cx);
        self.write(&cx, &layout).expect("an archive")
    }

    /// What is written where it was, once `change` changed the project in between.
    fn ahead(&self, sandbox: &Sandbox, change: impl FnOnce()) -> Option<Vec<u8>> {
        let store = tempfile::tempdir().expect("a folder");
        let cx = self.context(store.path());
        let cx = cx.with_archive(self.format, &self.options());
        let layout = self.layout(sandbox, &cx);
        change();
        self.write(&cx, &layout)
    }
}

fn ways() -> impl Iterator<Item = Way> {
    let formats = [Format::TarGz, Format::Zip];
    formats.into_iter().flat_map(|format| {
        let numbers = [1, 2, 4].map(|jobs| (Level::Default, jobs));
        let all = numbers.into_iter().chain([(Level::Best, 2)]);
        all.map(move |(level, jobs)| Way {
            format,
            level,
            jobs,
        })
    })
}

/// Of sizes around the 32 KiB that may be referred to, and of several blocks.
const COOKBOOKS: [(&str, usize); 9] = [
    ("a", 100),
    ("a-b", 10),
    ("b", 40_000),
    ("c", 3_000),
    ("d", 600_000),
    ("e", 1),
    ("e_f", 20_000),
    ("f", 32_768),
    ("g", 300_000),
];

#[test]
fn no_source_is_read_again() {
    for way in ways() {
        let sandbox = project(&COOKBOOKS);
        let plain = way.plainly(&sandbox);
        let gone = || sandbox.remove("site");
        let (format, jobs) = (way.format, way.jobs);
        let found = way.ahead(&sandbox, gone);
        assert!(found.as_ref() == Some(&plain), "{format}, -j{jobs}");
    }
}

#[test]
fn without_it_sources_are_read_again() {
    let sandbox = project(&COOKBOOKS);
    let way = Way {
        format: Format::TarGz,
        level: Level::Default,
        jobs: 2,
    };
    let store = tempfile::tempdir().expect("a folder");
    let cx = way.context(store.path());
    let layout = way.layout(&sandbox, &cx);
    sandbox.remove("site");
    assert_eq!(way.write(&cx, &layout), None);
}

#[test]
fn a_large_cookbook_is_read_again_and_none_behind_it() {
    for way in ways().filter(|way| way.level == Level::Default) {
        let mut cookbooks = COOKBOOKS.to_vec();
        cookbooks[4].1 = 5 << 20;
        let sandbox = project(&cookbooks);
        let plain = way.plainly(&sandbox);
        let gone = || {
            for (name, _) in cookbooks {
                // It refers to what stands before it.
                if !["b", "c", "d"].contains(&name) {
                    sandbox.remove(format!("site/{name}"));
                }
            }
        };
        let found = way.ahead(&sandbox, gone);
        let (format, jobs) = (way.format, way.jobs);
        assert!(found.as_ref() == Some(&plain), "{format}, -j{jobs}");
    }
}

#[test]
fn a_file_that_changes_once_it_was_compressed_is_packed_as_it_was() {
    let sandbox = project(&COOKBOOKS);
    let way = Way {
        format: Format::TarGz,
        level: Level::Default,
        jobs: 2,
    };
    let plain = way.plainly(&sandbox);
    let change = || {
        sandbox.write("site/b/files/noise", "another content");
    };
    assert!(way.ahead(&sandbox, change) == Some(plain));
}

#[test]
fn a_wrong_guess_of_what_stands_between_changes_no_byte() {
    let sandbox = project(&COOKBOOKS);
    let out = |args: &str| {
        sandbox.forget();
        sandbox.ok(&format!("build -o ../out.tar.gz -j 2 {args}"));
        sandbox.read("../out.tar.gz")
    };
    let all = out("");
    assert!(out("--no-index") == all);
    // Some are left out by their groups, which is known only when all are locked.
    let manifest = sandbox.text("cookpack.toml");
    let manifest = manifest.replace("site/c\" }", "site/c\", groups = [\"dev\"] }");
    sandbox.write("cookpack.toml", &manifest);
    let without = out("--except dev");
    assert_ne!(without, all);
    sandbox.write("cookpack.toml", manifest.replace("c = {", "# c = {"));
    assert!(out("") == without);
}

#[test]
fn what_is_wrong_is_told_as_ever() {
    let sandbox = project(&COOKBOOKS);
    sandbox.write("site/c/metadata.rb", "name 'c'\nversion `git describe`\n");
    sandbox.symlink("/etc/hostname", "site/e/outside");
    let told = sandbox.run("build -j 2");
    let locked = sandbox.run("lock -j 2");
    assert_eq!((told.code, told.stderr), (locked.code, locked.stderr));
    assert_eq!(told.code, Some(1));
    sandbox.cookbook("site/c", "c", "");
    let refused = sandbox.run("build -j 2");
    assert!(
        refused.stderr.contains("outside of the cookbook"),
        "{refused}"
    );
    assert!(!sandbox.exists("bundle.tar.gz"));
}
