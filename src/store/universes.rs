//! The universes of sources, and how to ask whether they are still what they were.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "rank 3: this module keeps files"
)]

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{CacheKind, Damage, Spooled, Store, StoreError};
use crate::digest::{Digest, Hasher};
use crate::event::{CancelToken, Reporter};
use crate::layout::TEMPORARY_PREFIX;

/// The file that says which body counts. It is replaced as a whole, after the body is there.
const STATE: &str = "cookpack-universe";

/// Longer ones are not read: whoever writes into the store shall not fill memory.
const STATE_BYTES: u64 = 64 << 10;

/// By what a server knows whether a document has changed (RFC 9110, 8.8).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Validators {
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct State {
    digest: String,
    #[serde(flatten)]
    validators: Validators,
}

/// A universe that the store has.
#[derive(Debug)]
pub(crate) struct CachedUniverse {
    pub(crate) body: Vec<u8>,
    pub(crate) validators: Validators,
}

impl Store {
    /// Where the universe at an address is kept, whether it is or not. The address has no credentials.
    pub(crate) fn universe_folder(&self, host: &str, address: &str) -> PathBuf {
        self.folder_of(CacheKind::Universe, host, address)
    }

    /// The universe that is kept in a folder, if there is one and it is whole.
    pub(crate) fn universe(&self, folder: &Path) -> Result<Option<CachedUniverse>, StoreError> {
        // Another process may put a newer one in its place between the two reads.
        for _ in 0..3 {
            let Some(state) = state(folder) else {
                return Ok(None);
            };
            let path = folder.join(&state.digest);
            match fs::read(&path) {
                Ok(body) if Digest::of(&body).to_string() == state.digest => {
                    self.mark_used(folder);
                    return Ok(Some(CachedUniverse {
                        body,
                        validators: state.validators,
                    }));
                }
                // Damaged: it is as good as none.
                Ok(_) => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(StoreError::at(&path)(error)),
            }
        }
        Ok(None)
    }

    /// Keeps a universe in its folder, in place of the one that is there. It may not be kept at all
    /// where the server gives nothing to ask by: it is then there for working offline.
    pub(crate) fn keep_universe(
        &self,
        folder: &Path,
        address: &str,
        body: Spooled,
        validators: Validators,
        reporter: &dyn Reporter,
        cancel: &CancelToken,
    ) -> Result<(), StoreError> {
        let failed = || StoreError::at(folder);
        let _lock = self.lock(folder, address, reporter, cancel)?;
        if !folder.is_dir() {
            fs::create_dir(folder).map_err(failed())?;
        }
        self.describe(folder, address)?;
        let name = body.digest.to_string();
        body.persist(&folder.join(&name))?;
        let state = State {
            digest: name.clone(),
            validators,
        };
        let text = serde_json::to_string(&state).map_err(io::Error::from);
        let aside = folder.join(format!("{TEMPORARY_PREFIX}{STATE}"));
        text.and_then(|text| fs::write(&aside, text + "\n"))
            .and_then(|()| fs::rename(&aside, folder.join(STATE)))
            .map_err(failed())?;
        for entry in super::items::entries(folder)? {
            let other = entry.file_name();
            let other = other.to_str().unwrap_or_default();
            if other != name && other.parse::<Digest>().is_ok() {
                // Somebody may read it right now, where that keeps it from being removed.
                let _ = fs::remove_file(entry.path());
            }
        }
        self.mark_used(folder);
        Ok(())
    }
}

fn state(folder: &Path) -> Option<State> {
    let mut text = String::new();
    let file = File::open(folder.join(STATE)).ok()?;
    file.take(STATE_BYTES).read_to_string(&mut text).ok()?;
    let state: State = serde_json::from_str(&text).ok()?;
    // Attack: whoever writes into the store names a file elsewhere.
    state.digest.parse::<Digest>().is_ok().then_some(state)
}

/// Whether the body of a universe is what its folder says.
pub(crate) fn verify_universe(
    folder: &Path,
    cancel: &CancelToken,
) -> Result<Vec<Damage>, StoreError> {
    let Some(state) = state(folder) else {
        // A kill before there was anything that counts; or somebody removed it meanwhile.
        return Ok(match folder.join(STATE).exists() {
            false => Vec::new(),
            true => vec![Damage::Missing { file: STATE.into() }],
        });
    };
    let file = PathBuf::from(&state.digest);
    let path = folder.join(&file);
    let mut body = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(vec![Damage::Missing { file }]);
        }
        opened => opened.map_err(StoreError::at(&path))?,
    };
    let (mut hasher, mut buffer) = (Hasher::default(), vec![0; 64 << 10]);
    loop {
        cancel.check()?;
        match body.read(&mut buffer).map_err(StoreError::at(&path))? {
            0 => break,
            length => hasher.update(&buffer[..length]),
        }
    }
    let found = hasher.finish();
    Ok(match found.to_string() == state.digest {
        true => Vec::new(),
        false => vec![Damage::Content { file, found }],
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::event::Silent;

    const ADDRESS: &str = "https://example.com/universe";

    fn keep(store: &Store, body: &[u8], etag: Option<&str>) -> PathBuf {
        let folder = store.universe_folder("example.com", ADDRESS);
        let mut spool = store.spool(CacheKind::Universe).expect("a file");
        spool.write_all(body).expect("written");
        let validators = Validators {
            etag: etag.map(str::to_owned),
            last_modified: None,
        };
        let spooled = spool.finish().expect("a file");
        let cancel = CancelToken::default();
        store
            .keep_universe(&folder, ADDRESS, spooled, validators, &Silent, &cancel)
            .expect("kept");
        folder
    }

    #[test]
    fn the_newest_universe_is_the_one_that_is_kept() {
        let scratch = tempfile::tempdir().expect("a folder");
        let store = Store::new(scratch.path());
        let folder = store.universe_folder("example.com", ADDRESS);
        assert!(store.universe(&folder).expect("a store").is_none());
        keep(&store, b"{}", Some("\"1\""));
        keep(&store, b"{\"apt\":{}}", Some("\"2\""));
        let cached = store.universe(&folder).expect("a store").expect("one");
        assert_eq!(cached.body, b"{\"apt\":{}}");
        assert_eq!(cached.validators.etag.as_deref(), Some("\"2\""));
        let items = store.items(CacheKind::Universe).expect("items");
        assert_eq!(items.len(), 1);
        assert_eq!(store.address(&folder).as_deref(), Some(ADDRESS));
        let mut names: Vec<_> = super::super::items::entries(&folder)
            .expect("a folder")
            .iter()
            .map(|entry| entry.file_name().to_string_lossy().len())
            .collect();
        names.sort_unstable();
        // Its address, its last use, its state, and one body.
        assert_eq!(
            names,
            [
                "cookpack-used".len(),
                "cookpack-address".len(),
                STATE.len(),
                64
            ]
        );
        let leftovers = store.leftovers(std::time::SystemTime::now());
        let locks = leftovers.expect("a store");
        assert!(locks.is_empty(), "{locks:?}");
    }

    #[test]
    fn a_damaged_universe_is_none_and_is_told() {
        let scratch = tempfile::tempdir().expect("a folder");
        let store = Store::new(scratch.path());
        let folder = keep(&store, b"{}", None);
        let cancel = CancelToken::default();
        let damages = || verify_universe(&folder, &cancel).expect("a store");
        assert_eq!(damages(), []);
        let body = folder.join(Digest::of("{}").to_string());
        fs::write(&body, "{ }").expect("a file");
        assert!(store.universe(&folder).expect("a store").is_none());
        assert!(
            matches!(&damages()[..], [Damage::Content { found, .. }] if *found == Digest::of("{ }"))
        );
        fs::remove_file(&body).expect("a file");
        assert!(store.universe(&folder).expect("a store").is_none());
        assert!(matches!(&damages()[..], [Damage::Missing { .. }]));
        fs::write(folder.join(STATE), "{\"digest\": \"../../x\"}").expect("a file");
        assert!(store.universe(&folder).expect("a store").is_none());
        assert!(matches!(&damages()[..], [Damage::Missing { .. }]));
        fs::remove_file(folder.join(STATE)).expect("a file");
        assert_eq!(damages(), []);
    }
}
