//! Objects of packs that libgit2 wrote, and of packs that were damaged.

use git2::{Repository, RepositoryInitOptions};
use tempfile::TempDir;

use super::*;

/// Bytes of the largest object that these tests read at once.
const AT_ONCE: usize = 100_000;

const LIMITS: Limits = Limits {
    at_once: AT_ONCE,
    put_together: 4 * AT_ONCE,
};

/// The content of a blob.
fn blob(packs: &Packs, readers: &Readers, id: Oid) -> Option<Vec<u8>> {
    let content = packs.object(readers, id, ObjectType::Blob)?;
    Some(content.into_bytes().expect("what was read before"))
}

/// A mirror of one pack that has these contents, and their ids.
fn mirror(contents: &[Vec<u8>]) -> (TempDir, Vec<Oid>) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut options = RepositoryInitOptions::new();
    options.bare(true).external_template(false);
    let repository = Repository::init_opts(folder.path(), &options).expect("a repository");
    let mut pack = repository.packbuilder().expect("a pack");
    let mut ids = Vec::new();
    for content in contents {
        let id = repository.blob(content).expect("a blob");
        pack.insert_object(id, Some("same name"))
            .expect("an object of the pack");
        ids.push(id);
    }
    let folder_of_packs = folder.path().join("objects/pack");
    pack.write(&folder_of_packs, 0).expect("the pack");
    for id in &ids {
        let (fan, rest) = (&id.to_string()[..2], &id.to_string()[2..]);
        let loose = folder.path().join("objects").join(fan).join(rest);
        fs::remove_file(loose).expect("removed");
    }
    (folder, ids)
}

/// Text that does not repeat itself.
fn text(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let step = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b' ' + u8::try_from(state >> 27).expect("five bits")
    };
    (0..length).map(step).collect()
}

/// As many versions of one text, each with other words at another place.
fn versions(count: u32) -> Vec<Vec<u8>> {
    let version = |number: u32| {
        let mut text = text(7, 20_000);
        let at = 100 * number as usize;
        let words = format!("<version {number}>");
        text.splice(at..at, words.bytes());
        text
    };
    (0..count).map(version).collect()
}

fn file(folder: &TempDir, ending: &str) -> PathBuf {
    let packs = fs::read_dir(folder.path().join("objects/pack")).expect("the packs");
    let mut paths = packs.map(|entry| entry.expect("a file").path());
    let found = paths.find(|path| path.extension().is_some_and(|found| found == ending));
    found.expect("a file with this ending")
}

/// How many entries of the one pack are differences.
fn differences(folder: &TempDir, ids: &[Oid]) -> usize {
    let packs = Packs::open(folder.path(), true, LIMITS);
    let pack = &packs.packs[0];
    let is_difference = |id: &&Oid| {
        let id = id.as_bytes().first_chunk().expect("an id");
        let offset = pack.index.offset(id).expect("in the index");
        let mut bytes = Vec::new();
        pack.read(offset, FIRST, &mut bytes).expect("read");
        let entry = data::Entry::from_bytes(&bytes, offset, Kind::Sha1).expect("an entry");
        entry.header.is_delta()
    };
    ids.iter().filter(is_difference).count()
}

#[test]
fn whole_objects_are_read_whatever_their_size() {
    let sizes = [
        0,
        1,
        2,
        100,
        FIRST - 1,
        FIRST,
        FIRST + 1,
        30_000,
        AT_ONCE,
        AT_ONCE + 1,
        1_000_000,
    ];
    let contents: Vec<_> = sizes
        .iter()
        .map(|size| text(u32::try_from(*size).expect("small"), *size))
        .collect();
    let (folder, ids) = mirror(&contents);
    let packs = Packs::open(folder.path(), true, LIMITS);
    let readers = Readers::default();
    for (id, content) in ids.iter().zip(&contents) {
        let found = blob(&packs, &readers, *id);
        assert!(found.as_ref() == Some(content), "{} bytes", content.len());
    }
    assert_eq!(readers.idle().len(), 1);
}

#[test]
fn what_does_not_compress_is_read_as_well() {
    // Bytes of a cheap generator whose upper bits are as good as random.
    let noise = |seed: u64, length: usize| -> Vec<u8> {
        let mut state = seed;
        let step = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        (0..length).map(step).collect()
    };
    let contents: Vec<_> = [10, FIRST - 60, FIRST, 70_000, AT_ONCE, AT_ONCE + 1]
        .iter()
        .map(|length| noise(*length as u64, *length))
        .collect();
    let (folder, ids) = mirror(&contents);
    let packs = Packs::open(folder.path(), true, LIMITS);
    for (id, content) in ids.iter().zip(&contents) {
        let found = blob(&packs, &Readers::default(), *id);
        assert!(found.as_ref() == Some(content), "{} bytes", content.len());
    }
}

#[test]
fn differences_are_put_together() {
    let contents = versions(60);
    let (folder, ids) = mirror(&contents);
    assert!(differences(&folder, &ids) > 40);
    let packs = Packs::open(folder.path(), true, LIMITS);
    let readers = Readers::default();
    for (id, content) in ids.iter().zip(&contents) {
        let found = blob(&packs, &readers, *id);
        assert!(found.as_ref() == Some(content));
    }
    let read = readers.idle()[0].mapped.as_ref().map(|mapped| mapped.read);
    assert!(read.is_some_and(|read| read <= MOST_READ));
}

#[test]
fn two_packs_do_not_take_the_bases_of_each_other() {
    let (one, other) = (versions(30), versions(31));
    let other: Vec<_> = other
        .into_iter()
        .map(|text| [text, vec![b'!']].concat())
        .collect();
    let (first, ids) = mirror(&one);
    let (second, other_ids) = mirror(&other);
    let readers = Readers::default();
    let packs = [
        Packs::open(first.path(), false, LIMITS),
        Packs::open(second.path(), false, LIMITS),
    ];
    for (at, id) in ids.iter().enumerate() {
        let found = blob(&packs[0], &readers, *id);
        assert!(found.as_ref() == Some(&one[at]));
        let found = blob(&packs[1], &readers, other_ids[at]);
        assert!(found.as_ref() == Some(&other[at]));
    }
    assert_eq!(readers.idle().len(), 1);
}

#[test]
fn the_rest_is_left_to_libgit2() {
    let contents = vec![text(1, 50)];
    let (folder, ids) = mirror(&contents);
    let packs = Packs::open(folder.path(), true, LIMITS);
    let object = |id, kind| {
        let content = packs.object(&Readers::default(), id, kind)?;
        content.into_bytes().ok()
    };
    assert!(object(ids[0], ObjectType::Blob).is_some());
    // Of another kind, not there.
    assert_eq!(object(ids[0], ObjectType::Tree), None);
    let absent = Oid::from_bytes(&[7; 20]).expect("an id");
    assert_eq!(object(absent, ObjectType::Blob), None);
    // Loose.
    let repository = Repository::open_bare(folder.path()).expect("a repository");
    let loose = repository.blob(b"loose").expect("a blob");
    assert_eq!(object(loose, ObjectType::Blob), None);
}

#[test]
fn a_large_difference_is_left_to_libgit2() {
    let contents = versions(4);
    let (folder, ids) = mirror(&contents);
    assert!(differences(&folder, &ids) > 0);
    let limits = Limits {
        put_together: 19_000,
        ..LIMITS
    };
    let packs = Packs::open(folder.path(), true, limits);
    for id in ids {
        let is_difference = differences(&folder, &[id]) == 1;
        let found = blob(&packs, &Readers::default(), id);
        assert_eq!(found.is_none(), is_difference);
    }
}

#[test]
fn what_is_large_is_given_in_pieces() {
    for length in [AT_ONCE, AT_ONCE + 1, 1_000_000] {
        let content = text(5, length);
        let (folder, ids) = mirror(std::slice::from_ref(&content));
        let packs = Packs::open(folder.path(), true, LIMITS);
        let found = packs.object(&Readers::default(), ids[0], ObjectType::Blob);
        let found = found.expect("the content");
        let is_whole = matches!(found, Content::Whole(_));
        assert_eq!(is_whole, length <= AT_ONCE);
        let mut read = Vec::new();
        found.into_read().read_to_end(&mut read).expect("read");
        assert!(read == content, "{length} bytes");
    }
}

#[test]
fn damage_gives_no_wrong_content() {
    let mut contents = versions(8);
    contents.extend((1..8).map(|seed| text(seed, 700 * seed as usize)));
    contents.push(text(9, 2 * AT_ONCE));
    let (folder, ids) = mirror(&contents);
    let mut missed = 0;
    for ending in ["pack", "idx"] {
        let path = file(&folder, ending);
        let whole = fs::read(&path).expect("read");
        // What git writes may not be written to.
        fs::remove_file(&path).expect("removed");
        let places = (0..whole.len()).step_by(whole.len() / 200);
        for at in places {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x55;
            fs::write(&path, &damaged).expect("written");
            missed += read_all(&folder, &ids, &contents);
            fs::write(&path, &whole[..at]).expect("written");
            missed += read_all(&folder, &ids, &contents);
        }
        fs::write(&path, &whole).expect("written");
    }
    assert!(missed > 400, "{missed} objects were found to be damaged");
    assert_eq!(read_all(&folder, &ids, &contents), 0);
}

/// How many contents are not given. Those that are given are the right ones.
fn read_all(folder: &TempDir, ids: &[Oid], contents: &[Vec<u8>]) -> usize {
    let packs = Packs::open(folder.path(), true, LIMITS);
    let readers = Readers::default();
    let is_missed = |(id, content): &(&Oid, &Vec<u8>)| match blob(&packs, &readers, **id) {
        Some(found) => {
            assert!(found == **content);
            false
        }
        None => true,
    };
    ids.iter().zip(contents).filter(is_missed).count()
}

#[test]
fn an_id_that_leads_to_other_content_is_left_to_libgit2_where_ids_are_checked() {
    let contents = vec![text(1, 90), text(2, 90)];
    let (folder, ids) = mirror(&contents);
    let path = file(&folder, "idx");
    let mut index = fs::read(&path).expect("read");
    fs::remove_file(&path).expect("removed");
    // The offsets are the last before the two checksums, four bytes each.
    let offsets = index.len() - 40 - 8;
    index[offsets..offsets + 8].rotate_left(4);
    fs::write(&path, &index).expect("written");
    let object = |check, id| {
        let packs = Packs::open(folder.path(), check, LIMITS);
        blob(&packs, &Readers::default(), id)
    };
    assert_eq!(object(true, ids[0]), None);
    assert!(object(false, ids[0]).as_ref() == Some(&contents[1]));
}
