#!/usr/bin/env bash
# Has the tools that are installed read archives with a file that 32 bits cannot count, in each format.
# It needs an optimised build, which the tests are not: `benches/extremes.rs` writes the archives.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

size=4294967297
write() { cargo bench --quiet --locked --profile release --bench extremes -- over-4-gib "$1"; }

# Runs a reader, if it is there.
reads() {
  local tool=$1
  if ! command -v "$tool" >/dev/null; then
    echo "SKIPPED: $tool is not installed" >&2
    return
  fi
  echo "$*"
  (cd "$scratch" && LC_ALL=C "$@") >"$said"
}

# The same, and what it says has the size in it.
lists() {
  reads "$@"
  ! command -v "$1" >/dev/null || grep -w "$size" "$said"
}

python_tar='import sys, tarfile
for m in tarfile.open(sys.argv[1], errorlevel=2): print(m.name, m.size)'
python_zip='import sys, zipfile
a = zipfile.ZipFile(sys.argv[1])
assert a.testzip() is None
for m in a.infolist(): print(m.filename, m.file_size)'
printf '%s\n' "$python_tar" >"$scratch/tar.py"
printf '%s\n' "$python_zip" >"$scratch/zip.py"

# The tar is as large as its content: it is not kept.
echo 'tar -tv'
write tar | LC_ALL=C tar -tv | grep -w "$size"
write tar.gz >"$scratch/big.tar.gz"
write zip >"$scratch/big.zip"

# Each of them takes some time, and one core.
(
  said=$scratch/said-of-tar
  reads gzip -t big.tar.gz
  lists tar -tvzf big.tar.gz
  lists bsdtar -tvf big.tar.gz
  lists python3 tar.py big.tar.gz
) &
of_tar=$!
said=$scratch/said-of-zip
reads unzip -tq big.zip
lists bsdtar -tvf big.zip
reads 7z t -bso0 -bsp0 big.zip
lists python3 zip.py big.zip
wait "$of_tar"
