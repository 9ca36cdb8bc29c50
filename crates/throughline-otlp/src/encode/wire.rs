//! Protobuf's wire format, as far as OTLP needs it.

/// How many bytes a length takes as a varint.
#[inline]
pub(crate) const fn varint_len(value: usize) -> usize {
    varint_len_of(value as u64)
}

/// How many bytes a number takes as a varint.
#[inline]
pub(crate) const fn varint_len_of(value: u64) -> usize {
    let bits = u64::BITS - (value | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

/// The content of the field at the front, which is of the kind that has a length, and what comes after it.
#[inline]
pub(crate) fn split_field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, after_tag) = bytes.split_first()?;
    let mut len = 0_usize;
    for (place, byte) in after_tag.iter().enumerate().take(5) {
        len |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return after_tag.get(place + 1..)?.split_at_checked(len);
        }
    }
    None
}

/// Appends fields to a buffer. Field numbers above 15 are not needed by the messages that are written often.
pub(crate) trait Wire {
    fn varint(&mut self, value: u64);
    fn tag(&mut self, field: u32, kind: u32);
    fn uint(&mut self, field: u32, value: u64);
    fn fixed32(&mut self, field: u32, value: u32);
    fn fixed64(&mut self, field: u32, value: u64);
    fn bytes(&mut self, field: u32, value: &[u8]);
    /// Writes a nested message whose length is known only afterwards.
    fn message(&mut self, field: u32, write: impl FnOnce(&mut Vec<u8>));
}

impl Wire for Vec<u8> {
    #[inline]
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.push((value & 0x7f) as u8);
    }

    #[inline]
    fn tag(&mut self, field: u32, kind: u32) {
        self.varint(u64::from(field << 3 | kind));
    }

    fn uint(&mut self, field: u32, value: u64) {
        self.tag(field, 0);
        self.varint(value);
    }

    fn fixed32(&mut self, field: u32, value: u32) {
        self.tag(field, 5);
        self.extend_from_slice(&value.to_le_bytes());
    }

    fn fixed64(&mut self, field: u32, value: u64) {
        self.tag(field, 1);
        self.extend_from_slice(&value.to_le_bytes());
    }

    #[inline]
    fn bytes(&mut self, field: u32, value: &[u8]) {
        self.tag(field, 2);
        self.varint(value.len() as u64);
        self.extend_from_slice(value);
    }

    fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        self.tag(field, 2);
        let at = self.len();
        self.push(0);
        write(self);
        let len = self.len() - at - 1;
        match u8::try_from(len) {
            Ok(short) if short < 0x80 => {
                if let Some(place) = self.get_mut(at) {
                    *place = short;
                }
            }
            // A longer length needs more bytes than the one that was kept free; the message moves up.
            _ => {
                let mut length = Self::with_capacity(5);
                length.varint(len as u64);
                self.splice(at..=at, length);
            }
        }
    }
}
