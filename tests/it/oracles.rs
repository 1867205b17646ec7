//! What others read out of our archives. They share no code with us.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::num::NonZeroUsize;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use cookpack::archive::{ArchiveOptions, Format};
use cookpack::{Context, LockMode, lock_and_assemble, open_project, write_archive};

use crate::support::{Run, Sandbox, Tarball, have, noise};

/// Lengths of paths at which formats and their readers change their minds, in bytes.
const LENGTHS: [usize; 11] = [98, 99, 100, 101, 155, 156, 255, 256, 257, 300, 900];

/// A path of so many bytes below `web/`, in components of at most so many.
fn path_of(length: usize, component: usize, letter: &str) -> String {
    let mut path = format!("web/{}-{component}-{length}", letter.len());
    while path.len() < length {
        // A component that would leave nothing but a slash is one shorter.
        let left = length - path.len() - 1;
        let bytes = match left > component {
            true => component - usize::from(left == component + 1),
            false => left,
        };
        path.push('/');
        path.push_str(&"x".repeat(bytes % letter.len()));
        path.push_str(&letter.repeat(bytes / letter.len()));
    }
    assert_eq!(path.len(), length);
    path
}

/// Whether no header of ustar holds a path: a hundred bytes, or up to 155 before a slash and up to a
/// hundred behind it (POSIX.1-1988).
fn is_beyond_ustar(path: &str) -> bool {
    let fits = |(at, _): (usize, &str)| (1..=155).contains(&at) && path.len() - at - 1 <= 100;
    path.len() > 100 && !path.match_indices('/').any(fits)
}

/// Packs a sandbox's project in each format: `bundle.tar.gz`, `bundle.tar` and `bundle.zip`.
fn pack(sandbox: &Sandbox) {
    let cx = Context::new(sandbox.store());
    let project = open_project(&cx, &sandbox.project()).expect("a project");
    let locked = lock_and_assemble(&cx, &project.manifest, LockMode::Fresh);
    let (_, layout) = locked.expect("a layout");
    let mut options = ArchiveOptions::default();
    options.jobs = NonZeroUsize::new(2).expect("two");
    for format in Format::ALL {
        let path = sandbox.path(format!("bundle.{format}"));
        write_archive(&cx, &layout, &path, format, &options).expect("an archive");
    }
}

/// A cookbook with what readers stumble over, packed in each format.
fn sample() -> (Sandbox, Tarball) {
    let sandbox = Sandbox::new();
    sandbox
        .cookbook("web", "web", "")
        .cookbook("db", "db", "depends 'web'\n");
    sandbox.write("web/files/bin/run", "#!/bin/sh\n");
    sandbox.chmod("web/files/bin/run", 0o755);
    for size in [0, 1, 511, 512, 513, 65_535, 65_536, 300_000] {
        let content: Vec<u8> = (0..=255).cycle().take(size).collect();
        sandbox.write(format!("web/files/of-{size}"), content);
    }
    sandbox.write("web/files/noise", noise(300_000, 7));
    sandbox.write("web/files/with blank", "x");
    sandbox.write("web/files/-dash", "x");
    sandbox.write("web/files/über/日本語.txt", "x");
    sandbox.write("web/.kitchen.yml", "x");
    let mut paths = BTreeSet::new();
    for letter in ["x", "ö", "語"] {
        for length in LENGTHS {
            for component in [60, 100, 101, 255] {
                paths.insert(path_of(length, component, letter));
            }
        }
    }
    for path in &paths {
        sandbox.write(path, path);
    }
    sandbox.manifest("web = { path = \"web\" }\ndb = { path = \"db\" }\n");
    pack(&sandbox);
    let archive = Tarball::read(&sandbox.read("bundle.tar.gz"));
    for member in &archive.members {
        let path = &member.path;
        assert_eq!(member.long.is_some(), is_beyond_ustar(path), "{path}");
    }
    let packed: BTreeSet<&str> = archive.paths().into_iter().collect();
    for path in &paths {
        assert!(packed.contains(&**path), "{path}");
        assert_eq!(archive.text(path), path);
    }
    assert!(sandbox.read("bundle.tar") == archive.container);
    (sandbox, archive)
}

/// Path to content and whether it may be executed, of all files below a folder.
fn below(folder: &Path) -> BTreeMap<String, (Vec<u8>, bool)> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, (Vec<u8>, bool)>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let kind = path.symlink_metadata().expect("metadata");
            if kind.is_dir() {
                walk(root, &path, found);
                continue;
            }
            let name = path
                .strip_prefix(root)
                .expect("below")
                .to_str()
                .expect("UTF-8");
            let executable = kind.permissions().mode() & 0o111 != 0;
            let content = fs::read(&path).expect("a file");
            found.insert(name.to_owned(), (content, executable));
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

fn wanted(archive: &Tarball) -> BTreeMap<String, (Vec<u8>, bool)> {
    let files = archive.files().into_iter();
    files
        .map(|(path, (data, mode))| (path.to_owned(), (data.to_vec(), mode == 0o755)))
        .collect()
}

/// Has a tool list an archive, and extract it into `out`. What it warns of is a fault of ours.
fn agrees(sandbox: &Sandbox, archive: &Tarball, list: &str, extract: &str) {
    let silent = |run: Run| {
        let run = run.ok();
        assert_eq!(run.stderr, "", "{run}");
        run
    };
    let listed = silent(sandbox.shell(list));
    assert_eq!(listed.lines(), archive.paths(), "{list}");
    sandbox.shell("rm -rf out; mkdir out").ok();
    silent(sandbox.shell(extract));
    let found = below(&sandbox.path("out"));
    let wanted = wanted(archive);
    let names = |files: &BTreeMap<String, _>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(&wanted), "{extract}");
    assert!(found == wanted, "contents or modes differ: {extract}");
}

#[test]
fn gnu_tar_agrees() {
    if !have("tar") {
        return;
    }
    let (sandbox, archive) = sample();
    for file in ["bundle.tar.gz", "bundle.tar"] {
        agrees(
            &sandbox,
            &archive,
            &format!("LC_ALL=C tar --quoting-style=literal -tf {file}"),
            &format!("LC_ALL=C tar -xf {file} -C out"),
        );
    }
}

#[test]
fn bsdtar_agrees() {
    if !have("bsdtar") {
        return;
    }
    let (sandbox, archive) = sample();
    for format in Format::ALL {
        agrees(
            &sandbox,
            &archive,
            &format!("LC_ALL=C.UTF-8 bsdtar -tf bundle.{format}"),
            &format!("LC_ALL=C.UTF-8 bsdtar -xf bundle.{format} -C out"),
        );
    }
}

#[test]
fn unzip_agrees() {
    if !have("unzip") {
        return;
    }
    let (sandbox, archive) = sample();
    let tested = sandbox.shell("LC_ALL=C.UTF-8 unzip -tq bundle.zip").ok();
    assert_eq!(tested.stderr, "", "{tested}");
    assert!(tested.out().starts_with("No errors detected"), "{tested}");
    agrees(
        &sandbox,
        &archive,
        "LC_ALL=C.UTF-8 unzip -Z1 bundle.zip",
        "LC_ALL=C.UTF-8 unzip -q bundle.zip -d out",
    );
}

#[test]
fn seven_zip_agrees() {
    if !have("7z") {
        return;
    }
    let (sandbox, archive) = sample();
    let quiet = "-bso0 -bsp0";
    for (list, extract) in [
        (
            "7z l -ba -slt bundle.zip",
            format!("7z x {quiet} -oout bundle.zip"),
        ),
        (
            "7z l -ba -slt bundle.tar",
            format!("7z x {quiet} -oout bundle.tar"),
        ),
        (
            "7z x -so bundle.tar.gz > again.tar; 7z l -ba -slt again.tar",
            format!("7z x -so bundle.tar.gz | 7z x {quiet} -si -ttar -oout"),
        ),
    ] {
        agrees(
            &sandbox,
            &archive,
            &format!("export LC_ALL=C.UTF-8; {list} | sed -n 's/^Path = //p'"),
            &format!("export LC_ALL=C.UTF-8; {extract}"),
        );
    }
}

#[test]
fn pythons_tarfile_agrees() {
    if !have("python3") {
        return;
    }
    let (sandbox, archive) = sample();
    for file in ["bundle.tar.gz", "bundle.tar"] {
        agrees(
            &sandbox,
            &archive,
            &format!(
                "export PYTHONIOENCODING=utf-8\n\
                 python3 -c 'import tarfile; print(*tarfile.open(\"{file}\", errorlevel=2).getnames(), sep=\"\\n\")'"
            ),
            &format!(
                "python3 - <<'EOF'\n\
                 import tarfile\n\
                 with tarfile.open('{file}', errorlevel=2, encoding='utf-8') as archive:\n\
                 \x20   for member in archive:\n\
                 \x20       assert member.isreg() and not member.pax_headers, member\n\
                 \x20       assert (member.uid, member.gid, member.uname, member.gname) == (0, 0, '', ''), member\n\
                 \x20   archive.extractall('out')\n\
                 EOF"
            ),
        );
    }
}

/// Python's module extracts no modes, so that the script looks at them.
#[test]
fn pythons_zipfile_agrees() {
    if !have("python3") {
        return;
    }
    let (sandbox, archive) = sample();
    agrees(
        &sandbox,
        &archive,
        "export PYTHONIOENCODING=utf-8\n\
         python3 -c 'import zipfile; print(*zipfile.ZipFile(\"bundle.zip\").namelist(), sep=\"\\n\")'",
        "python3 - <<'EOF'\n\
         import os, zipfile\n\
         with zipfile.ZipFile('bundle.zip') as archive:\n\
         \x20   assert archive.testzip() is None and archive.comment == b''\n\
         \x20   for member in archive.infolist():\n\
         \x20       mode = member.external_attr >> 16\n\
         \x20       assert mode in (0o100644, 0o100755), (member, mode)\n\
         \x20       assert member.date_time == (1980, 1, 1, 0, 0, 0), member\n\
         \x20       assert member.flag_bits & 0x800 or member.filename.isascii(), member\n\
         \x20       os.chmod(archive.extract(member, 'out'), mode & 0o777)\n\
         EOF",
    );
}

/// The reader that Chef 12 to 14 fall back to is this one, with a long-link rule of its own around it
/// (chef/mixlib-archive, `lib/mixlib/archive/tar.rb`), and so is this script.
const RUBY: &str = r#"
ruby -rrubygems/package -rzlib -rfileutils - "$mode" "$file" <<'EOF'
Encoding.default_external = Encoding::UTF_8
def walk(io)
  long = nil
  Gem::Package::TarReader.new(io) do |tar|
    tar.each do |entry|
      if entry.full_name == "././@LongLink"
        long = entry.read.strip
        next
      end
      name = (long || entry.full_name).force_encoding("UTF-8")
      long = nil
      raise "not a file: #{name}" unless entry.file?
      raise "skipped by Chef: #{name}" if name =~ /\.{2}\//
      if ARGV[0] == "list"
        puts name
        next
      end
      path = File.join("out", name)
      FileUtils.mkdir_p(File.dirname(path))
      File.binwrite(path, entry.read.to_s)
      File.chmod(entry.header.mode, path)
    end
  end
end
if ARGV[1].end_with?(".gz")
  Zlib::GzipReader.open(ARGV[1]) do |gzip|
    walk(gzip)
    gzip.read
    raise "bytes after the first member" if gzip.unused
  end
else
  File.open(ARGV[1], "rb") { |file| walk(file) }
end
EOF
"#;

#[test]
fn rubys_tar_reader_agrees() {
    if !have("ruby") {
        return;
    }
    let (sandbox, archive) = sample();
    for file in ["bundle.tar.gz", "bundle.tar"] {
        agrees(
            &sandbox,
            &archive,
            &format!("mode=list file={file}\n{RUBY}"),
            &format!("mode=extract file={file}\n{RUBY}"),
        );
    }
}

#[test]
fn gzip_agrees() {
    if !have("gzip") {
        return;
    }
    let (sandbox, archive) = sample();
    let run = sandbox
        .shell("gzip -t bundle.tar.gz; gzip -dc bundle.tar.gz")
        .ok();
    assert_eq!(run.stderr, "");
    assert!(run.stdout == archive.container);
}

/// The script in the documentation of a container digest.
fn container_recipe() -> String {
    let source = include_str!("../../src/digest.rs");
    let lines = source
        .lines()
        .map(|line| line.strip_prefix("/// ").unwrap_or_default());
    let recipe = lines
        .skip_while(|line| *line != "import hashlib, itertools, sys, tarfile")
        .take_while(|line| *line != "```");
    recipe.map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_recipe_of_a_container_digest_gives_it() {
    if !have("python3") {
        return;
    }
    for layout in ["flat", "cookbooks"] {
        let (sandbox, _) = sample();
        let manifest = sandbox.text("cookpack.toml");
        let bundle = format!("[bundle]\nlayout = \"{layout}\"");
        sandbox.write("cookpack.toml", manifest.replacen("[bundle]", &bundle, 1));
        let bytes = sandbox.build_bytes("");
        let archive = Tarball::read(&bytes);
        sandbox.write("bundle.tar", &archive.container);
        sandbox.write("recipe.py", container_recipe());
        let run = sandbox.shell("python3 recipe.py bundle.tar").ok();
        let receipt = cookpack::archive::read_archive(
            &mut &bytes[..],
            None,
            &cookpack::limits::Limits::default(),
            &mut (),
            &cookpack::event::CancelToken::default(),
        )
        .expect("an archive of ours");
        let container = receipt.container.expect("a tar").to_string();
        assert_eq!(run.out().trim(), container, "{layout}");
        assert_eq!(receipt.files, archive.members.len() as u64);
    }
}

/// More entries than a zip can count without zip64.
#[test]
fn a_hundred_thousand_files_are_read_by_all() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "");
    for folder in 0..100 {
        let folder = sandbox.path(format!("web/files/{folder:02}"));
        fs::create_dir_all(&folder).expect("a folder");
        for file in 0..1_000 {
            fs::write(folder.join(format!("f{file:03}")), format!("{file}\n")).expect("a file");
        }
    }
    sandbox.manifest("web = { path = \"web\" }\n");
    pack(&sandbox);
    for (tool, count) in [
        ("tar", "tar -tf bundle.tar.gz | wc -l"),
        ("tar", "tar -tf bundle.tar | wc -l"),
        ("bsdtar", "bsdtar -tf bundle.tar.gz | wc -l"),
        ("bsdtar", "bsdtar -tf bundle.zip | wc -l"),
        (
            "unzip",
            "unzip -tq bundle.zip >&2 && unzip -Z1 bundle.zip | wc -l",
        ),
        (
            "7z",
            "7z t -bso0 -bsp0 bundle.zip; 7z l -ba bundle.zip | wc -l",
        ),
        (
            "python3",
            "python3 -c 'import tarfile; print(len(tarfile.open(\"bundle.tar.gz\").getnames()))'",
        ),
        (
            "python3",
            "python3 -c 'import zipfile; a = zipfile.ZipFile(\"bundle.zip\")\nassert a.testzip() is None; print(len(a.namelist()))'",
        ),
        (
            "ruby",
            "ruby -rrubygems/package -rzlib -e 'puts Gem::Package::TarReader.new(Zlib::GzipReader.open(\"bundle.tar.gz\")).count'",
        ),
    ] {
        if have(tool) {
            // Beside them metadata.rb, the metadata.json made of it, and a recipe.
            let run = sandbox.shell(&format!("export LC_ALL=C\n{count}")).ok();
            assert_eq!(run.out().trim(), "100003", "{run}");
        }
    }
}
