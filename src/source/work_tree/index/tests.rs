use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;

use git2::{IndexEntry, IndexTime};

use super::*;

/// Paths of all lengths, in folders that begin like files and the other way round.
fn paths() -> Vec<Vec<u8>> {
    let mut paths: Vec<Vec<u8>> = (1..40).map(|length| vec![b'a'; length]).collect();
    paths.extend(["b/c", "b-d", "b.e/f", "b/g/h", "é/ü.rb", "z z"].map(Vec::from));
    // Longer ones than an entry's flags can say, of which those behind have almost everything.
    paths.push(vec![b'l'; 4094]);
    paths.push(vec![b'l'; 4095]);
    paths.push(vec![b'l'; 5000]);
    paths.push([&[b'l'; 4999][..], b"m"].concat());
    paths.push(b"not/utf-8/\xff".to_vec());
    paths
}

fn entry(number: u32, path: &[u8], is_extended: bool) -> IndexEntry {
    let modes = [0o100_644, 0o100_755, 0o120_000, 0o160_000];
    let time = |add: u32| IndexTime::new(1_700_000_000 + (number + add) as i32, add + number);
    IndexEntry {
        ctime: time(7),
        mtime: time(3),
        dev: 1,
        ino: 100_000 + number,
        mode: modes[number as usize % 4],
        uid: 2,
        gid: 3,
        file_size: number,
        id: Oid::from_bytes(&[number as u8; 20]).expect("an id"),
        flags: 0,
        // Intent to add, which makes the flags longer.
        flags_extended: if is_extended { 1 << 13 } else { 0 },
        path: path.to_vec(),
    }
}

/// An index that libgit2 wrote in a form, as bytes, and the entries that it has itself.
fn written(version: u32, is_extended: bool) -> (Vec<u8>, Vec<IndexEntry>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("index");
    // One without a repository, so that no object needs be there.
    let mut index = git2::Index::open(&path).expect("an index");
    index.set_version(version).expect("a version");
    for (number, path) in (1..).zip(paths()) {
        index
            .add(&entry(
                number,
                &path,
                is_extended && number.is_multiple_of(3),
            ))
            .expect("an entry");
    }
    index.write().expect("written");
    let bytes = fs::read(&path).expect("bytes");
    // What is longer makes a third form of the second one.
    let version = version + u32::from(is_extended && version == 2);
    assert_eq!(u32::from(bytes[7]), version);
    (bytes, index.iter().collect())
}

fn reader(bytes: &[u8]) -> io::Result<Reader<Cursor<Vec<u8>>>> {
    Reader::new(Cursor::new(bytes.to_vec()), bytes.len() as u64)
}

fn all(bytes: &[u8]) -> io::Result<BTreeMap<Vec<u8>, Entry>> {
    let mut reader = reader(bytes)?;
    let mut found = BTreeMap::new();
    while reader.advance()? {
        found.insert(reader.path.clone(), reader.entry.clone().expect("an entry"));
    }
    reader.check_extensions()?;
    Ok(found)
}

fn stat(entry: &IndexEntry) -> Stat {
    let time = |time: &IndexTime| (time.seconds() as u32, time.nanoseconds());
    Stat {
        changed: time(&entry.ctime),
        modified: time(&entry.mtime),
        inode: entry.ino,
        size: entry.file_size,
    }
}

#[test]
fn all_forms_are_read_as_libgit2_reads_them() {
    for version in [2, 4] {
        for is_extended in [false, true] {
            let (bytes, wanted) = written(version, is_extended);
            let found = all(&bytes).expect("entries");
            assert_eq!(found.len(), wanted.len());
            assert_eq!(found.len(), paths().len());
            for entry in wanted {
                let found = &found[&entry.path];
                assert_eq!(found.id, entry.id);
                assert_eq!(found.mode, entry.mode);
                assert_eq!(found.stage, 0);
                // libgit2 keeps no fractions of seconds when it is built without them.
                assert_eq!(found.stat, stat(&entry), "{version} {is_extended}");
            }
        }
    }
}

#[test]
fn what_is_cut_off_is_an_error() {
    for version in [2, 4] {
        let (bytes, wanted) = written(version, true);
        for end in (0..bytes.len() - ID).step_by(7) {
            let read = all(&bytes[..end]);
            let is_short = read.as_ref().is_ok_and(|found| found.len() < wanted.len());
            assert!(read.is_err() && !is_short, "{end} of {}", bytes.len());
        }
    }
}

#[test]
fn damage_is_an_error_or_another_entry_and_never_a_panic() {
    for version in [2, 4] {
        let (bytes, _) = written(version, true);
        for at in 0..bytes.len().min(6_000) {
            for with in [0, 0x7f, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] = with;
                let _ = all(&damaged);
            }
        }
    }
    for head in [
        &b"DIRX\0\0\0\x02\0\0\0\0"[..],
        b"DIRC\0\0\0\x05\0\0\0\0",
        b"",
    ] {
        let bytes = [head, &[0; ID]].concat();
        assert!(reader(&bytes).is_err(), "{head:?}");
    }
}

#[test]
fn a_split_index_is_none() {
    let head = b"DIRC\0\0\0\x02\0\0\0\0";
    let extended = |extension: &[u8]| [&head[..], extension, &[0; ID]].concat();
    assert!(all(&extended(b"")).is_ok());
    assert!(all(&extended(b"TREE\0\0\0\x02ab")).is_ok());
    assert!(all(&extended(b"TREE\0\0\0\x03ab")).is_err());
    assert!(all(&extended(b"link\0\0\0\0")).is_err());
    assert!(all(&extended(b"TREE\0\0\0\x02ablink\0\0\0\x01x")).is_err());
}

#[test]
fn paths_are_found_in_any_order() {
    for version in [2, 4] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("index");
        let (bytes, entries) = written(version, false);
        fs::write(&path, bytes).expect("a file");
        let mut index = Index::open(&path).expect("an index");
        let mut ids: BTreeMap<_, _> = entries.iter().map(|e| (e.path.clone(), e.id)).collect();
        let absent = [&b"a/"[..], b"", b"b", b"b/", b"b/c/d", b"zz", b"l"];
        let absent = absent.map(<[u8]>::to_vec);
        let mut asked: Vec<_> = ids.keys().cloned().chain(absent).collect();
        for _ in 0..3 {
            for path in &asked {
                let found = index.find(path).expect("read").map(|entry| entry.id);
                assert_eq!(found, ids.get(path).copied(), "{path:?}");
                // And once more.
                let again = index.find(path).expect("read").map(|entry| entry.id);
                assert_eq!(again, found);
            }
            asked.sort();
            asked.reverse();
        }
        ids.clear();
    }
}

#[cfg(unix)]
#[test]
fn a_file_is_known_as_long_as_nothing_says_that_it_changed() {
    use std::fs::FileTimes;
    use std::time::{Duration, SystemTime};

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a");
    fs::write(&file, "content").expect("a file");
    let now = || fs::symlink_metadata(&file).expect("a file");
    let stat = Stat::of(&now()).expect("a stat");
    let id = Oid::from_bytes(&[7; 20]).expect("an id");
    let index = |stat: Stat, mode: u32, stage: u16| {
        let mut bytes = b"DIRC\0\0\0\x02\0\0\0\x01".to_vec();
        let (changed, modified) = (stat.changed, stat.modified);
        let numbers = [changed.0, changed.1, modified.0, modified.1, 0, stat.inode];
        for number in numbers.into_iter().chain([mode, 0, 0, stat.size]) {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.extend_from_slice(id.as_bytes());
        bytes.extend_from_slice(&(stage | 1).to_be_bytes());
        bytes.extend_from_slice(b"a\0\0\0\0\0\0\0\0\0");
        bytes.extend_from_slice(&[0; ID]);
        bytes
    };
    let path = folder.path().join("index");
    let known_in = |bytes: Vec<u8>, age: i64| {
        fs::write(&path, bytes).expect("an index");
        let written = now().modified().expect("a time");
        let second = Duration::from_secs(1);
        let written: SystemTime = if age > 0 { written + second } else { written };
        let file = File::options().append(true).open(&path).expect("an index");
        file.set_times(FileTimes::new().set_modified(written))
            .expect("a time");
        let mut index = Index::open(&path).expect("an index");
        index.known(b"a", &now()).expect("read")
    };
    assert_eq!(known_in(index(stat, FILE, 0), 1), Some(id));
    // The index is no younger than the file: it may have changed again since.
    assert_eq!(known_in(index(stat, FILE, 0), 0), None);
    // In conflict, and another kind of thing.
    assert_eq!(known_in(index(stat, FILE, 0x1000), 1), None);
    assert_eq!(known_in(index(stat, 0o120_000, 0), 1), None);
    let changes: [fn(&mut Stat); 6] = [
        |stat| stat.changed.0 += 1,
        |stat| stat.changed.1 ^= 1,
        |stat| stat.modified.0 -= 1,
        |stat| stat.modified.1 ^= 1,
        |stat| stat.inode += 1,
        |stat| stat.size += 1,
    ];
    for change in changes {
        let mut other = stat;
        change(&mut other);
        assert_eq!(known_in(index(other, FILE, 0), 1), None, "{other:?}");
    }
}

#[test]
fn executables_are_those_below_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("index");
    let (bytes, entries) = written(4, false);
    fs::write(&path, bytes).expect("a file");
    for start in ["", "b/", "b-", "none/"] {
        let wanted: BTreeSet<Vec<u8>> = entries
            .iter()
            .filter(|entry| entry.mode == 0o100_755)
            .filter_map(|entry| Some(entry.path.strip_prefix(start.as_bytes())?.to_vec()))
            .collect();
        let found = executables(&path, start.as_bytes()).expect("read");
        assert_eq!(found, wanted, "{start}");
        assert!(!start.is_empty() || found.len() > 10);
    }
    assert!(executables(&folder.path().join("none"), b"").is_err());
}
