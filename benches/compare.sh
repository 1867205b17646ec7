#!/usr/bin/env bash
# Packs 400 cookbooks with cookpack and with the tools that are installed beside it, and prints a table:
#
#   benches/compare.sh [--rounds N] [--cookbooks N] [--only TEXT]... [--scale] [--tsv FILE]
#                      [--scratch DIR] [--cookpack FILE]
#
# --rounds N       how often each row is measured; the best counts [default: 5]
# --cookbooks N    how many cookbooks there are [default: 400]
# --only TEXT      only rows whose name has the text in it
# --scale          also one changed cookbook of 100, 400 and 1,600, from git pins, 100,000 small files and
#                  twenty large ones
# --tsv FILE       the figures, a line for each row
# --scratch DIR    where all that is written stands, and stays; otherwise a folder that is removed.
#                  It holds a gigabyte and as much for each round, and thirteen with --scale
# --cookpack FILE  a binary to measure; otherwise it is built
#
# It needs Python 3 and git. A tool that is not there is passed over, and told of.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
}

scratch= cookpack= passed=()
while (($#)); do
  case $1 in
    --help | -h) usage; exit ;;
    --scratch) scratch=$2; shift 2 ;;
    --cookpack) cookpack=$(realpath "$2"); shift 2 ;;
    --rounds | --cookbooks | --only | --tsv) passed+=("$1" "$2"); shift 2 ;;
    --scale) passed+=("$1"); shift ;;
    *) usage >&2; exit 2 ;;
  esac
done

target=${CARGO_TARGET_DIR:-target}
if [[ -z $cookpack ]]; then
  cargo build --release --locked --bin cookpack
  cookpack=$(realpath "$target/release/cookpack")
fi
cargo build --release --locked --example corpus

if [[ -z $scratch ]]; then
  # Not in memory, where that is what /tmp is: files are read and written as on any disk.
  mkdir -p "$target"
  scratch=$(mktemp -d "$target/compare.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
else
  mkdir -p "$scratch"
fi
python3 benches/compare.py --cookpack "$cookpack" --corpus "$(realpath "$target/release/examples/corpus")" \
  --scratch "$(realpath "$scratch")" "${passed[@]}"
