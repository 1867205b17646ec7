//! Numbers, texts and lists as bytes.

use crate::digest::Digest;

/// Bytes that are being put together.
#[derive(Default)]
pub(in crate::layout) struct Writer(pub(in crate::layout) Vec<u8>);

impl Writer {
    /// A number in as few bytes as it needs, seven bits in each, the lowest first.
    pub(in crate::layout) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// A number in eight bytes, the lowest first.
    pub(in crate::layout) fn fixed(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(in crate::layout) fn flag(&mut self, flag: bool) {
        self.0.push(u8::from(flag));
    }

    pub(in crate::layout) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(in crate::layout) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(in crate::layout) fn digest(&mut self, digest: &Digest) {
        self.0.extend_from_slice(digest.as_bytes());
    }

    pub(in crate::layout) fn option<T>(
        &mut self,
        value: Option<T>,
        write: impl FnOnce(&mut Self, T),
    ) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub(in crate::layout) fn list<T>(&mut self, list: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.number(list.len() as u64);
        for one in list {
            write(self, one);
        }
    }
}

/// Bytes that are being read. Whatever does not fit is none: nothing is believed of a length.
pub(in crate::layout) struct Reader<'a>(pub(in crate::layout) &'a [u8]);

impl<'a> Reader<'a> {
    pub(in crate::layout) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let [byte, rest @ ..] = self.0 else {
                return None;
            };
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    pub(in crate::layout) fn fixed(&mut self) -> Option<u64> {
        let bytes = self.taken(8)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }

    pub(in crate::layout) fn flag(&mut self) -> Option<bool> {
        match self.taken(1)? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    fn taken(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(in crate::layout) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.taken(usize::try_from(length).ok()?)
    }

    pub(in crate::layout) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    pub(in crate::layout) fn string(&mut self) -> Option<String> {
        self.text().map(str::to_owned)
    }

    pub(in crate::layout) fn digest(&mut self) -> Option<Digest> {
        let bytes = self.taken(32)?;
        Some(Digest::from_bytes(bytes.try_into().ok()?))
    }

    pub(in crate::layout) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.flag()? {
            true => read(self).map(Some),
            false => Some(None),
        }
    }

    pub(in crate::layout) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let length = usize::try_from(self.number()?).ok()?;
        // Attack: a length that is not there. Each entry has a byte at least.
        let mut list = Vec::with_capacity(length.min(self.0.len()).min(1 << 16));
        for _ in 0..length {
            list.push(read(self)?);
        }
        Some(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_were_written() {
        for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut writer = Writer::default();
            writer.number(number);
            let mut reader = Reader(&writer.0);
            assert_eq!(reader.number(), Some(number));
            assert!(reader.0.is_empty());
            writer.fixed(number);
            let fixed = &writer.0[writer.0.len() - 8..];
            assert_eq!(Reader(fixed).fixed(), Some(number));
            assert_eq!(Reader(&fixed[1..]).fixed(), None, "it is cut off");
        }
        assert_eq!(Reader(&[0x80; 11]).number(), None, "it has no end");
        assert_eq!(Reader(&[0x80]).number(), None, "it is cut off");
    }

    #[test]
    fn lengths_that_are_not_there_are_not_believed() {
        let mut writer = Writer::default();
        writer.number(u64::MAX);
        assert_eq!(Reader(&writer.0).bytes(), None);
        assert_eq!(Reader(&writer.0).list(Reader::flag), None);
        assert_eq!(Reader(&[2]).flag(), None);
    }
}
