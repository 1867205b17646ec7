//! How fast metadata.rb is evaluated: `cargo bench --bench metadata`.
//!
//! 1,600 files of the kinds that cookbooks have, each in its own folder of one source in memory.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Read;

use cookpack::metadata::Metadata;
use cookpack::path::TreePath;
use cookpack::ruby::{Settings, TreeFiles};
use cookpack::text::SourceFile;
use cookpack::tree::{EntryKind, Tree, TreeEntry, TreeError};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const FILES: usize = 1_600;

/// A README and a VERSION at the root, where every file finds them.
struct Source(BTreeMap<&'static str, String>);

impl Source {
    fn not_found(path: &[u8]) -> TreeError {
        TreeError::NotFound {
            path: String::from_utf8_lossy(path).into_owned(),
            tree: "memory".to_owned(),
        }
    }

    fn text(&self, path: &[u8]) -> Option<&String> {
        self.0.get(std::str::from_utf8(path).ok()?)
    }
}

impl Tree for Source {
    fn label(&self) -> String {
        "memory".to_owned()
    }

    fn entries(&self, _dir: &[u8]) -> Result<Vec<TreeEntry>, TreeError> {
        let entry = |name: &&str| TreeEntry {
            name: name.as_bytes().to_vec(),
            kind: EntryKind::File { executable: false },
        };
        Ok(self.0.keys().map(entry).collect())
    }

    fn kind(&self, path: &[u8]) -> Result<Option<EntryKind>, TreeError> {
        if path.is_empty() {
            return Ok(Some(EntryKind::Directory));
        }
        let file = self.text(path);
        Ok(file.map(|_| EntryKind::File { executable: false }))
    }

    fn link_target(&self, path: &[u8]) -> Result<Vec<u8>, TreeError> {
        Err(Self::not_found(path))
    }

    fn open(&self, path: &[u8]) -> Result<Box<dyn Read + '_>, TreeError> {
        match self.text(path) {
            Some(text) => Ok(Box::new(text.as_bytes())),
            None => Err(Self::not_found(path)),
        }
    }
}

/// In turn: literal calls, a loop and a README, and a program.
fn metadata_rb(index: usize) -> String {
    let head = format!(
        "name 'cookbook{index}'\nmaintainer 'The Team'\nmaintainer_email 'team@example.com'\n\
         license 'Apache-2.0'\ndescription 'Installs and configures thing {index}'\n\
         source_url 'https://example.com/{index}'\nchef_version '>= 15.3'\n"
    );
    let body = match index % 3 {
        0 => "version '1.2.3'\nsupports 'debian', '>= 12.0'\nsupports 'ubuntu'\n\
              depends 'apt', '~> 7.0'\ndepends 'yum'\n"
            .to_owned(),
        1 => "version '1.2'\n\
              long_description IO.read(File.join(File.dirname(__FILE__), 'README.md'))\n\
              %w(debian ubuntu centos redhat amazon fedora).each do |os|\n  supports os\nend\n\
              depends 'apt', '>= 2.0'\n"
            .to_owned(),
        _ => "version File.exist?('VERSION') ? IO.read('VERSION').strip : '0.0.1'\n\
              issues_url 'https://example.com/issues' if respond_to?(:issues_url)\n\
              { 'apt' => '~> 7.0', 'yum' => '>= 3.0' }.each { |name, version| depends name, version }\n\
              recipe \"#{name}::default\", 'Everything'\n"
            .to_owned(),
    };
    head + &body
}

fn evaluation(criterion: &mut Criterion) {
    let source = Source(BTreeMap::from([
        ("README.md", "# A cookbook\n\nWhat it does.\n".repeat(40)),
        ("VERSION", "3.4.5\n".to_owned()),
    ]));
    let texts: Vec<SourceFile> = (0..FILES)
        .map(|index| SourceFile::new("metadata.rb", metadata_rb(index)))
        .collect();
    let bytes: usize = texts.iter().map(|file| file.text().len()).sum();
    let mut group = criterion.benchmark_group("metadata.rb");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("1,600 files", |bencher| {
        bencher.iter(|| {
            for file in &texts {
                let files = TreeFiles {
                    tree: &source,
                    base: TreePath::root(),
                };
                let metadata = Metadata::from_ruby(file, &files, &Settings::default());
                black_box(metadata.expect("metadata").to_json());
            }
        });
    });
    group.finish();
}

criterion_group!(benches, evaluation);
criterion_main!(benches);
