//! What is known of an earlier archive never shows in a receipt.

use super::super::trail::{Mark, Trail};
use super::*;

const FORMATS: [Format; 2] = [Format::TarGz, Format::Zip];

/// The cookbooks of [`cookbooks`], with another file in the one of this name.
fn with_change(changed: &str) -> Layout {
    let mut cookbooks = cookbooks();
    let mut found = cookbooks.iter_mut().filter(|(name, _)| *name == changed);
    let (_, files) = found.next().expect("a cookbook");
    files.push(("recipes/changed.rb", text(99, 700)));
    layout(&cookbooks).0
}

fn trails(store: &MemoryStore) -> HashMap<Digest, Vec<u8>> {
    store.trails.lock().expect("trails").clone()
}

#[test]
fn an_archive_that_goes_on_from_another_one_has_its_own_digest() {
    let (original, _) = layout(&cookbooks());
    let names: Vec<_> = cookbooks().into_iter().map(|(name, _)| name).collect();
    let changed = [0, 3, names.len() - 1].map(|index| with_change(names[index]));
    for format in FORMATS {
        let wanted = |layout| written_as(format, layout, 1, None);
        let of_original = wanted(&original);
        let of_changed = changed.each_ref().map(wanted);
        for jobs in [1, 2] {
            let store = MemoryStore::default();
            for (layout, of_layout) in changed.iter().zip(&of_changed) {
                let changes = [(&original, &of_original), (layout, of_layout)];
                for (layout, wanted) in changes.into_iter().chain(changes) {
                    let (bytes, archive, _) = written_as(format, layout, jobs, Some(&store));
                    assert!(bytes == wanted.0, "{format}, {jobs}");
                    assert_eq!(archive, wanted.1, "{format}, {jobs}");
                    assert_eq!(archive.digests.archive, Digest::of(&bytes));
                }
            }
            // One for each first segment.
            assert_eq!(trails(&store).len(), 2, "{format}, {jobs}");
        }
    }
}

#[test]
fn a_damaged_segment_is_not_taken_for_what_is_known_of_it() {
    let (layout, _) = layout(&cookbooks());
    for format in FORMATS {
        for jobs in [1, 2] {
            let store = MemoryStore::default();
            let (wanted, receipt, _) = written_as(format, &layout, jobs, Some(&store));
            let known = trails(&store);
            assert_eq!(known.len(), 1);
            for damages in [true, false] {
                store.damages.store(damages, Ordering::Relaxed);
                let (bytes, archive, _) = written_as(format, &layout, jobs, Some(&store));
                assert!(bytes == wanted);
                assert_eq!(archive, receipt);
                assert!(trails(&store) == known, "what is known stays");
            }
        }
    }
}

/// A state that is not that of the bytes shows that it is taken, and how far.
#[test]
fn what_is_known_is_not_digested() {
    let (layout, _) = layout(&cookbooks());
    for format in FORMATS {
        for jobs in [1, 2] {
            let store = MemoryStore::default();
            let (bytes, receipt, _) = written_as(format, &layout, jobs, Some(&store));
            let (name, kept) = trails(&store).into_iter().next().expect("a trail");
            let trail = Trail::from_bytes(kept.clone(), &name).expect("a trail");
            let mut other = Trail::default();
            for index in 0..6 {
                let mark = trail.mark(index).expect("a mark");
                other.push(&Mark {
                    hasher: match index {
                        5 => Hasher::default(),
                        _ => mark.hasher,
                    },
                    ..mark
                });
            }
            assert!(trail.mark(6).is_none(), "one for each segment");
            let end = usize::try_from(trail.mark(5).expect("a mark").length).expect("a length");
            let replace = |bytes| store.trails.lock().expect("trails").insert(name, bytes);
            replace(other.clone().into_bytes());
            let (_, archive, _) = written_as(format, &layout, jobs, Some(&store));
            assert_eq!(archive.digests.archive, Digest::of(&bytes[end..]));
            // One that is damaged is none.
            let mut damaged = other.into_bytes();
            damaged[100] ^= 1;
            replace(damaged);
            for _ in 0..2 {
                let (_, archive, _) = written_as(format, &layout, jobs, Some(&store));
                assert_eq!(archive, receipt);
            }
            assert!(trails(&store)[&name] == kept, "it is mended");
        }
    }
}
