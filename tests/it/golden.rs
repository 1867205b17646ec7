//! The bytes of one corpus in each format and at each level. A change of any of them is a change of what
//! was promised: CHANGELOG.md says what, under "Archive bytes".

use std::num::NonZeroUsize;

use cookpack::archive::{Archive, ArchiveOptions, Format, Level};
use cookpack::{Context, Layout, LockMode, lock_and_assemble, open_project};
use serde_json::{Value, json};

use crate::support::{Sandbox, noise, project_file, sha256};

/// Lines of words, some of them frequent, with a number here and there.
fn prose(length: usize, seed: u64) -> Vec<u8> {
    let words = noise(2 * length, seed);
    let mut text = Vec::new();
    for pair in words.chunks_exact(2) {
        let (common, rare) = (pair[0], pair[1]);
        match common {
            0..16 => text.extend(format!("{rare}\n").bytes()),
            16..48 => text.extend(format!("w{common}{rare} ").bytes()),
            _ => text.extend(format!("word{} ", common & rare).bytes()),
        }
        if text.len() >= length {
            break;
        }
    }
    text.truncate(length);
    text
}

/// Two megabytes of what an encoder, a block and a segment can meet: text, noise, runs, periods of any
/// length, an end at each edge of a block, empty files, cookbooks of a few bytes and of several blocks.
pub(crate) fn corpus() -> Sandbox {
    let sandbox = Sandbox::new();
    for name in ["one", "three", "two"] {
        sandbox.cookbook(name, name, "");
    }
    for (number, length) in [
        0, 1, 2, 3, 511, 512, 513, 4_096, 32_768, 65_535, 70_000, 262_144,
    ]
    .into_iter()
    .enumerate()
    {
        let seed = number as u64 + 1;
        let folder = format!("one/files/{length:06}");
        sandbox.write(format!("{folder}/prose"), prose(length, seed));
        sandbox.write(format!("{folder}/noise"), noise(length, seed));
        sandbox.write(format!("{folder}/zeros"), vec![0; length]);
    }
    for period in [
        1, 2, 3, 4, 5, 7, 8, 31, 258, 259, 1_000, 32_767, 32_768, 32_769,
    ] {
        let content: Vec<u8> = noise(period, 99)
            .into_iter()
            .cycle()
            .take(3 * period)
            .collect();
        sandbox.write(format!("two/files/period-{period:05}"), content);
    }
    sandbox.write("two/files/again", prose(262_144, 12));
    sandbox.write("three/files/run", "#!/bin/sh\nexit 0\n");
    sandbox.chmod("three/files/run", 0o755);
    sandbox.write("three/files/über/日本語", "x\n");
    sandbox.write(
        format!("three/files/{}", "long".repeat(50)),
        "beyond ustar\n",
    );
    let list = ["one", "three", "two"].map(|name| format!("{name} = {{ path = \"{name}\" }}\n"));
    sandbox.manifest(&list.concat());
    sandbox
}

/// The corpus' layout.
pub(crate) fn layout(sandbox: &Sandbox) -> Layout {
    let cx = Context::new(sandbox.store());
    let project = open_project(&cx, &sandbox.project()).expect("a project");
    let locked = lock_and_assemble(&cx, &project.manifest, LockMode::Fresh);
    locked.expect("a layout").1
}

fn write(layout: &Layout, format: Format, level: Level, threads: usize) -> (Vec<u8>, Archive) {
    let mut options = ArchiveOptions::default();
    options.level = level;
    options.jobs = NonZeroUsize::new(threads).expect("threads");
    let mut bytes = Vec::new();
    let archive = layout.write_to(&mut bytes, format, &options);
    (bytes, archive.expect("an archive"))
}

#[test]
fn the_bytes_of_a_corpus_are_those_that_were_promised() {
    let sandbox = corpus();
    let layout = layout(&sandbox);
    let mut found = serde_json::Map::new();
    found.insert(
        "content".to_owned(),
        json!(layout.content_digest().expect("a digest").to_string()),
    );
    for format in Format::ALL {
        for level in [Level::Default, Level::Best] {
            let (bytes, archive) = write(&layout, format, level, 1);
            let (again, _) = write(&layout, format, level, 3);
            assert!(
                bytes == again,
                "{format}, {level:?}: threads changed the bytes"
            );
            assert_eq!(archive.digests.archive.to_string(), sha256(&bytes));
            let entry = json!({
                "size": bytes.len(),
                "encoder": archive.compression.map(|compression| compression.encoder),
                "block": archive.compression.map(|compression| compression.block),
                "container": archive.digests.container.map(|digest| digest.to_string()),
                "archive": format!("sha256:{}", sha256(&bytes)),
            });
            found.insert(format!("{format} {}", level.as_str()), entry);
        }
    }
    let wanted: Value =
        serde_json::from_str(&project_file("testdata/golden/archives.json")).expect("JSON");
    let found = Value::Object(found);
    assert!(found == wanted, "other bytes than were promised: {found:#}");
}
