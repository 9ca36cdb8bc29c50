//! RFC 3339 time in UTC with nine fractional digits: thirty bytes, always.

/// `2026-11-24T09:30:00.123456789Z`.
pub(crate) type TimeText = [u8; 30];

/// Formats times, and remembers the last second it was asked for: most lines of a thread fall into the same one.
#[derive(Debug)]
pub(crate) struct TimeFormat {
    second: u64,
    text: TimeText,
}

impl Default for TimeFormat {
    fn default() -> Self {
        Self { second: 0, text: *b"1970-01-01T00:00:00.000000000Z" }
    }
}

impl TimeFormat {
    /// The time that is `unix_nanos` after the epoch; there is room until the year 2554.
    #[inline]
    pub(crate) fn format(&mut self, unix_nanos: u64) -> TimeText {
        let (second, nanos) = (unix_nanos / 1_000_000_000, unix_nanos % 1_000_000_000);
        if second != self.second {
            self.second = second;
            put(&mut self.text, 0, &whole_second(second));
        }
        let nanos = nanos as u32; // below a thousand million
        put(&mut self.text, 20, &digits::<1>((nanos / 100_000_000).into()));
        put(&mut self.text, 21, &eight_digits(nanos % 100_000_000));
        self.text
    }
}

fn whole_second(second: u64) -> [u8; 19] {
    let (year, month, day) = date(second / 86_400);
    let mut text = *b"0000-00-00T00:00:00";
    put(&mut text, 0, &digits::<4>(year));
    put(&mut text, 5, &digits::<2>(month));
    put(&mut text, 8, &digits::<2>(day));
    put(&mut text, 11, &digits::<2>(second / 3_600 % 24));
    put(&mut text, 14, &digits::<2>(second / 60 % 60));
    put(&mut text, 17, &digits::<2>(second % 60));
    text
}

/// Year, month and day of a number of days since 1970-01-01.
///
/// Counted in years that begin on the first of March, so that the leap day is the last of its year, and in eras of 400
/// years, which all have the same number of days.
const fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // from 0000-03-01
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153; // 0 is March
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = days / 146_097 * 400 + year_of_era;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

/// Eight digits, worked out side by side in one word: two halves of four, four of two, eight of one.
///
/// The factors are reciprocals: `n * 10_486 >> 20` is `n / 100` below 10,000, and `n * 103 >> 10` is `n / 10` below 100.
#[inline]
const fn eight_digits(number: u32) -> [u8; 8] {
    let fours = (number / 10_000) as u64 | ((number % 10_000) as u64) << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x7f_0000_007f;
    let twos = hundreds | (fours - 100 * hundreds) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    let ones = tens | (twos - 10 * tens) << 8;
    (ones + u64::from_le_bytes([b'0'; 8])).to_le_bytes()
}

#[inline]
fn digits<const N: usize>(mut number: u64) -> [u8; N] {
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
    }
    digits
}

fn put(text: &mut [u8], at: usize, part: &[u8]) {
    if let Some(place) = text.get_mut(at..at + part.len()) {
        place.copy_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_digits_are_those_of_the_number() {
        let all_fours = (0..10_000).flat_map(|four| [four, four * 10_000, four * 10_000 + 9_999 - four]);
        for number in all_fours.chain([99_999_999]) {
            assert_eq!(str::from_utf8(&eight_digits(number)).unwrap(), format!("{number:08}"));
        }
    }

    #[test]
    fn times_are_as_in_a_calendar() {
        let mut format = TimeFormat::default();
        for (second, expected) in [
            (0, "1970-01-01T00:00:00"),
            (951_782_399, "2000-02-28T23:59:59"),
            (951_782_400, "2000-02-29T00:00:00"),
            (951_868_800, "2000-03-01T00:00:00"),
            (1_077_926_400, "2004-02-28T00:00:00"),
            (1_704_067_199, "2023-12-31T23:59:59"),
            (1_704_067_200, "2024-01-01T00:00:00"),
            (1_795_512_600, "2026-11-24T09:30:00"),
            (4_107_542_400, "2100-03-01T00:00:00"),
            (18_446_744_073, "2554-07-21T23:34:33"),
        ] {
            for nanos in [0, 1, 123_456_789, 709_551_615] {
                let text = format.format(second * 1_000_000_000 + nanos);
                assert_eq!(str::from_utf8(&text).unwrap(), format!("{expected}.{nanos:09}Z"));
            }
        }
    }
}
