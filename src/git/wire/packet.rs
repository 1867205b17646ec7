//! pkt-lines: the frames of git's protocol (git, `Documentation/gitprotocol-common`).

use std::io::{self, Read};

/// Bytes of the longest packet that git allows, its four digits of length included.
const LONGEST: usize = 65520;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Packet {
    /// The end of a message.
    Flush,
    /// The end of a section of a message.
    Delimiter,
    /// The end of a response in a conversation whose requests stand by themselves.
    ResponseEnd,
    /// Bytes.
    Data(Vec<u8>),
}

impl Packet {
    /// A line of text without its end, or nothing for the other frames.
    pub(super) fn line(&self) -> Option<&[u8]> {
        match self {
            Self::Data(bytes) => Some(bytes.strip_suffix(b"\n").unwrap_or(bytes)),
            _ => None,
        }
    }
}

/// Reads one frame. None at the stream's end.
///
/// # Errors
/// When the stream ends within a frame, or its length is none.
pub(super) fn read_packet(stream: &mut dyn Read) -> io::Result<Option<Packet>> {
    let mut digits = [0; 4];
    let mut filled = 0;
    while filled < digits.len() {
        match stream.read(&mut digits[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let length = std::str::from_utf8(&digits)
        .ok()
        .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
        .and_then(|digits| usize::from_str_radix(digits, 16).ok());
    match length {
        Some(0) => Ok(Some(Packet::Flush)),
        Some(1) => Ok(Some(Packet::Delimiter)),
        Some(2) => Ok(Some(Packet::ResponseEnd)),
        Some(length @ 4..=LONGEST) => {
            let mut data = vec![0; length - 4];
            stream.read_exact(&mut data)?;
            Ok(Some(Packet::Data(data)))
        }
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("`{}` is no length of a packet", digits.escape_ascii()),
        )),
    }
}

/// A request being put together.
#[derive(Debug, Default)]
pub(super) struct Message(Vec<u8>);

impl Message {
    /// Adds a line of text; its end is added here.
    pub(super) fn line(&mut self, text: &str) -> &mut Self {
        let length = text.len() + 5;
        self.0
            .extend_from_slice(format!("{length:04x}{text}\n").as_bytes());
        self
    }

    /// Adds the end of a section.
    pub(super) fn delimiter(&mut self) -> &mut Self {
        self.0.extend_from_slice(b"0001");
        self
    }

    /// Adds the end of a message.
    pub(super) fn flush(&mut self) -> &mut Self {
        self.0.extend_from_slice(b"0000");
        self
    }

    /// The bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(mut bytes: &[u8]) -> io::Result<Vec<Packet>> {
        let mut packets = Vec::new();
        while let Some(packet) = read_packet(&mut bytes)? {
            packets.push(packet);
        }
        Ok(packets)
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut message = Message::default();
        message.line("command=fetch").delimiter().line("").flush();
        assert_eq!(message.bytes(), b"0012command=fetch\n00010005\n0000");
        let packets = read_all(message.bytes()).unwrap();
        let lines: Vec<_> = packets.iter().map(Packet::line).collect();
        assert_eq!(lines, [Some(&b"command=fetch"[..]), None, Some(b""), None]);
        assert_eq!(packets[1], Packet::Delimiter);
        assert_eq!(packets[3], Packet::Flush);
    }

    #[test]
    fn the_longest_packet_is_read_and_no_longer_one() {
        let mut bytes = format!("{LONGEST:04x}").into_bytes();
        bytes.resize(LONGEST, b'x');
        let packets = read_all(&bytes).unwrap();
        assert_eq!(packets, [Packet::Data(vec![b'x'; LONGEST - 4])]);
        assert!(read_all(format!("{:04x}", LONGEST + 1).as_bytes()).is_err());
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        for bad in [&b"0003"[..], b"00", b"+004", b"zzzz", b"<htm", b"0009abc"] {
            assert!(read_all(bad).is_err(), "{bad:?}");
        }
        assert_eq!(read_all(b"").unwrap(), []);
    }
}
