//! Reading the few fields of a Collector's answer that matter.

use std::time::Duration;

use super::Answer;

/// An `ExportTraceServiceResponse`, or the one for logs, which has the same fields: success, or partial success with a count and a message.
pub(super) fn read(response: &[u8]) -> Answer {
    let partial = fields(response).find_map(|field| field.message(1)).unwrap_or_default();
    let rejected = fields(partial).find_map(|field| field.number(1)).unwrap_or_default();
    let message = fields(partial).find_map(|field| field.message(2)).unwrap_or_default();
    Answer::Delivered { rejected, message: String::from_utf8_lossy(message).into_owned() }
}

/// The delay of a `google.rpc.RetryInfo` among the details of a `google.rpc.Status`.
pub(super) fn retry_delay(status: &[u8]) -> Option<Duration> {
    let details = fields(status).filter_map(|field| field.message(3));
    details
        .filter(|any| {
            fields(any)
                .any(|field| field.message(1).is_some_and(|url| url.ends_with(b"google.rpc.RetryInfo")))
        })
        .find_map(|any| {
            let info = fields(any).find_map(|field| field.message(2))?;
            let delay = fields(info).find_map(|field| field.message(1)).unwrap_or_default();
            let number = |wanted| fields(delay).find_map(|field| field.number(wanted)).unwrap_or_default();
            Some(Duration::new(number(1), u32::try_from(number(2)).unwrap_or_default()))
        })
}

struct Field<'a> {
    number: u64,
    value: Content<'a>,
}

enum Content<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Other,
}

impl<'a> Field<'a> {
    fn message(&self, number: u64) -> Option<&'a [u8]> {
        match self.value {
            Content::Bytes(bytes) if self.number == number => Some(bytes),
            _ => None,
        }
    }

    fn number(&self, number: u64) -> Option<u64> {
        match self.value {
            Content::Varint(value) if self.number == number => Some(value),
            _ => None,
        }
    }
}

/// The fields of a message, up to its end or the first one that makes no sense.
fn fields(mut bytes: &[u8]) -> impl Iterator<Item = Field<'_>> {
    std::iter::from_fn(move || {
        let key = varint(&mut bytes)?;
        let value = match key & 7 {
            0 => Content::Varint(varint(&mut bytes)?),
            1 => take(&mut bytes, 8).map(|_| Content::Other)?,
            2 => {
                let len = usize::try_from(varint(&mut bytes)?).ok()?;
                Content::Bytes(take(&mut bytes, len)?)
            }
            5 => take(&mut bytes, 4).map(|_| Content::Other)?,
            _ => return None,
        };
        Some(Field { number: key >> 3, value })
    })
}

fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (head, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(head)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_answer_is_a_full_success() {
        assert_eq!(read(&[]), Answer::Delivered { rejected: 0, message: String::new() });
    }

    #[test]
    fn partial_success_has_a_count_and_a_message() {
        let response = [0x0a, 6, 0x08, 3, 0x12, 2, b'n', b'o'];
        assert_eq!(read(&response), Answer::Delivered { rejected: 3, message: "no".to_owned() });
    }

    #[test]
    fn nonsense_is_read_without_a_panic() {
        for len in 0..64 {
            let _ = read(&vec![0xff; len]);
            let _ = retry_delay(&vec![0x1a; len]);
        }
    }
}
