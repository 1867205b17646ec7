//! What others read out of our archives. They share no code with us.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::{Run, Sandbox, Tarball, have};

/// A cookbook with what readers stumble over. With `beyond`, also paths that ustar cannot hold.
fn sample(beyond: bool) -> (Sandbox, Tarball) {
    let sandbox = Sandbox::new();
    sandbox
        .cookbook("web", "web", "")
        .cookbook("db", "db", "depends 'web'\n");
    sandbox.write("web/files/bin/run", "#!/bin/sh\n");
    sandbox.chmod("web/files/bin/run", 0o755);
    sandbox.write("web/files/empty", "");
    sandbox.write(
        "web/files/binary",
        (0..=255).cycle().take(100_000).collect::<Vec<u8>>(),
    );
    sandbox.write("web/files/512", [b'x'; 512]);
    sandbox.write("web/files/with blank", "x");
    sandbox.write("web/files/-dash", "x");
    sandbox.write("web/files/über/日本語.txt", "x");
    sandbox.write("web/.kitchen.yml", "x");
    sandbox.write(
        format!("web/{}/{}", "d".repeat(90), "f".repeat(90)),
        "split",
    );
    sandbox.write(
        format!("web/{}/ä{}", "e".repeat(60), "ö".repeat(40)),
        "split, not ASCII",
    );
    if beyond {
        sandbox.write(format!("web/files/{}", "l".repeat(200)), "long");
        let deep = [&*"p".repeat(100), &"q".repeat(100), &"r".repeat(100)].join("/");
        sandbox.write(format!("web/{deep}/s"), "deep");
        sandbox.write(
            format!("web/files/{}/é", "ü".repeat(110)),
            "long, not ASCII",
        );
    }
    sandbox.manifest("web = { path = \"web\" }\ndb = { path = \"db\" }\n");
    sandbox.ok("build");
    let archive = Tarball::read(&sandbox.read("bundle.tar.gz"));
    let long = archive.members.iter().filter(|m| m.long.is_some()).count();
    assert_eq!(long, if beyond { 3 } else { 0 });
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

/// Has a tool list the archive, and extract it into `out`.
fn agrees(sandbox: &Sandbox, archive: &Tarball, list: &str, extract: &str) {
    // What a tool warns of is a fault of ours.
    let silent = |run: Run| {
        let run = run.ok();
        assert_eq!(run.stderr, "", "{run}");
        run
    };
    let listed = silent(sandbox.shell(list));
    assert_eq!(listed.lines(), archive.paths());
    sandbox.shell("mkdir out").ok();
    silent(sandbox.shell(extract));
    let found = below(&sandbox.path("out"));
    let wanted = wanted(archive);
    let names = |files: &BTreeMap<String, _>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(&wanted));
    assert!(found == wanted, "contents or modes differ");
}

#[test]
fn gnu_tar_agrees() {
    if !have("tar") {
        return;
    }
    let (sandbox, archive) = sample(true);
    agrees(
        &sandbox,
        &archive,
        "export LC_ALL=C; tar --quoting-style=literal -tzf bundle.tar.gz",
        "export LC_ALL=C; tar -xzf bundle.tar.gz -C out",
    );
}

#[test]
fn bsdtar_agrees() {
    if !have("bsdtar") {
        return;
    }
    let (sandbox, archive) = sample(true);
    agrees(
        &sandbox,
        &archive,
        "export LC_ALL=C.UTF-8; bsdtar -tzf bundle.tar.gz",
        "export LC_ALL=C.UTF-8; bsdtar -xzf bundle.tar.gz -C out",
    );
}

#[test]
fn pythons_tarfile_agrees() {
    if !have("python3") {
        return;
    }
    let (sandbox, archive) = sample(true);
    agrees(
        &sandbox,
        &archive,
        "export PYTHONIOENCODING=utf-8\n\
         python3 -c 'import tarfile; print(*tarfile.open(\"bundle.tar.gz\", errorlevel=2).getnames(), sep=\"\\n\")'",
        "python3 - <<'EOF'\n\
         import inspect, tarfile\n\
         with tarfile.open('bundle.tar.gz', errorlevel=2, encoding='utf-8') as archive:\n\
         \x20   for member in archive:\n\
         \x20       assert member.isreg() and not member.pax_headers, member\n\
         \x20       assert (member.uid, member.gid, member.uname, member.gname) == (0, 0, '', ''), member\n\
         \x20   archive.extractall('out')\n\
         EOF",
    );
}

/// The reader that Chef 12 to 14 fall back to is this one, with a long-link rule of its own around it
/// (chef/mixlib-archive, `lib/mixlib/archive/tar.rb`), and so is this script.
const RUBY: &str = r#"
ruby -rrubygems/package -rzlib -rfileutils - "$mode" <<'EOF'
Encoding.default_external = Encoding::UTF_8
long = nil
Zlib::GzipReader.open("bundle.tar.gz") do |gzip|
  Gem::Package::TarReader.new(gzip) do |tar|
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
  raise "bytes after the first member" if gzip.unused
end
EOF
"#;

#[test]
fn rubys_tar_reader_agrees() {
    if !have("ruby") {
        return;
    }
    let (sandbox, archive) = sample(true);
    agrees(
        &sandbox,
        &archive,
        &format!("mode=list\n{RUBY}"),
        &format!("mode=extract\n{RUBY}"),
    );
}

#[test]
fn gzip_agrees() {
    if !have("gzip") {
        return;
    }
    let (sandbox, archive) = sample(false);
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
        let (sandbox, _) = sample(true);
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
