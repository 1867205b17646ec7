//! The lines of git's protocol (git, `Documentation/gitprotocol-common`).

/// One packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Packet {
    Data(Vec<u8>),
    /// A length below 4, which has a meaning of its own.
    Mark(u8),
}

/// The packets up to the first thing that is none.
pub(super) fn read(mut bytes: &[u8]) -> Vec<Packet> {
    let mut packets = Vec::new();
    while let Some(length) = bytes.get(..4) {
        let length = std::str::from_utf8(length).ok();
        let Some(length) = length.and_then(|l| usize::from_str_radix(l, 16).ok()) else {
            break;
        };
        if length < 4 {
            packets.push(Packet::Mark(length as u8));
            bytes = &bytes[4..];
            continue;
        }
        let Some(data) = bytes.get(4..length) else {
            break;
        };
        packets.push(Packet::Data(data.to_vec()));
        bytes = &bytes[length..];
    }
    packets
}

/// The packets that have text, as text.
pub(super) fn lines(bytes: &[u8]) -> Vec<String> {
    let packets = read(bytes).into_iter();
    packets
        .filter_map(|packet| match packet {
            Packet::Data(data) => Some(String::from_utf8_lossy(&data).into_owned()),
            Packet::Mark(_) => None,
        })
        .collect()
}

pub(super) fn write(into: &mut Vec<u8>, data: &[u8]) {
    into.extend(format!("{:04x}", data.len() + 4).bytes());
    into.extend(data);
}

/// An advertisement that does not offer what a shallow fetch needs.
pub(super) fn without_shallow(bytes: &[u8]) -> Vec<u8> {
    let mut written = Vec::new();
    for packet in read(bytes) {
        match packet {
            Packet::Mark(mark) => written.extend(format!("{mark:04x}").bytes()),
            Packet::Data(data) => write(&mut written, &line_without_shallow(&data)),
        }
    }
    written
}

fn line_without_shallow(data: &[u8]) -> Vec<u8> {
    let refused = |word: &&str| *word == "shallow" || word.starts_with("deepen-");
    let kept = |words: &str| {
        let words: Vec<_> = words.split(' ').filter(|w| !refused(w)).collect();
        words.join(" ")
    };
    let text = String::from_utf8_lossy(data);
    let text = text.trim_end_matches('\n');
    if let Some((reference, words)) = text.split_once('\0') {
        return format!("{reference}\0{}\n", kept(words)).into_bytes();
    }
    match text.strip_prefix("fetch=") {
        Some(words) => format!("fetch={}\n", kept(words)).into_bytes(),
        None => data.to_vec(),
    }
}

/// Whether an answer holds a pack, alone or in a side band.
pub(super) fn has_pack(bytes: &[u8]) -> bool {
    bytes.windows(8).any(|w| w.starts_with(b"PACK\0\0\0"))
}
