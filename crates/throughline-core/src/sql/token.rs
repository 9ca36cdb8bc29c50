//! The words, literals and comments of a statement.

/// A stretch of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Space,
    Comment,
    /// A keyword or a name.
    Word,
    /// A name in backticks.
    Name,
    /// In double quotes: a name, or a string.
    DoubleQuoted,
    Literal,
    /// `?`, `$1`
    Parameter,
    /// One character of anything else.
    Other,
    /// The rest of the text, where it can't be told what is inside a literal and what is not.
    Unclear,
}

/// Takes a statement apart, in one pass.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (kind, len) = first(rest.as_bytes())?;
        // Every token ends before or behind an ASCII character, so this never cuts one in two.
        let (text, after) = rest.split_at_checked(len).unwrap_or((rest, ""));
        rest = after;
        Some(Token { kind, text })
    })
}

/// The kind and the length of the first token.
fn first(rest: &[u8]) -> Option<(Kind, usize)> {
    let (&byte, after) = rest.split_first()?;
    let (kind, len) = match byte {
        _ if byte.is_ascii_whitespace() => (Kind::Space, leading(rest, |byte| byte.is_ascii_whitespace())),
        b'-' if after.first() == Some(&b'-') => line_comment(rest, 2),
        b'#' if after.first().is_none_or(u8::is_ascii_whitespace) => line_comment(rest, 1),
        b'/' if after.first() == Some(&b'*') => block_comment(rest),
        b'\'' => string(rest, 0, Backslash::Unknown),
        b'"' => quoted(rest, Kind::DoubleQuoted),
        b'`' => quoted(rest, Kind::Name),
        b'$' => dollar(rest),
        b'?' => (Kind::Parameter, 1),
        b'0'..=b'9' => (Kind::Literal, number(rest)),
        b'.' | b'+' | b'-' if begins_number(after, byte) => (Kind::Literal, 1 + number(after)),
        _ if is_word(byte) => word(rest),
        _ => (Kind::Other, 1),
    };
    Some((kind, len))
}

/// Everything from here on.
const fn unclear(rest: &[u8]) -> (Kind, usize) {
    (Kind::Unclear, rest.len())
}

/// `--` begins a comment for some databases only before a space, and `#` for some always and for others never. Where it
/// matters, because a quote follows, nobody can tell what is in it.
fn line_comment(rest: &[u8], marker: usize) -> (Kind, usize) {
    let len = leading(rest, |byte| byte != b'\n' && byte != b'\r');
    let comment = rest.get(marker..len).unwrap_or_default();
    let is_sure = marker == 2 && comment.first().is_none_or(u8::is_ascii_whitespace);
    if is_sure || !has_quote(comment) { (Kind::Comment, len) } else { unclear(rest) }
}

/// Block comments nest for some databases.
fn block_comment(rest: &[u8]) -> (Kind, usize) {
    let (mut at, mut depth, mut flat_end) = (2, 1, None);
    while let Some(pair) = rest.get(at..at + 2) {
        match pair {
            b"*/" => {
                depth -= 1;
                at += 2;
                flat_end.get_or_insert(at);
                if depth == 0 {
                    let nested = flat_end.and_then(|end| rest.get(end..at)).unwrap_or_default();
                    return if has_quote(nested) { unclear(rest) } else { (Kind::Comment, at) };
                }
            }
            b"/*" => {
                depth += 1;
                at += 2;
            }
            _ => at += 1,
        }
    }
    unclear(rest)
}

fn has_quote(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| matches!(byte, b'\'' | b'"' | b'`' | b'$'))
        || bytes.windows(2).any(|two| two == b"/*")
}

/// What a backslash before a quote does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Backslash {
    Escapes,
    /// For MySQL it escapes the quote; by the standard the string ends there.
    Unknown,
}

/// A string whose opening quote stands at `start`. A doubled quote is part of it.
fn string(rest: &[u8], start: usize, backslash: Backslash) -> (Kind, usize) {
    ended(rest, start, b'\'', backslash).map_or_else(|| unclear(rest), |end| (Kind::Literal, end))
}

fn quoted(rest: &[u8], kind: Kind) -> (Kind, usize) {
    let quote = rest.first().copied().unwrap_or_default();
    ended(rest, 0, quote, Backslash::Unknown).map_or_else(|| unclear(rest), |end| (kind, end))
}

/// Where the text in quotes that begins at `start` ends; `None` where that is not known.
fn ended(rest: &[u8], start: usize, quote: u8, backslash: Backslash) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match rest.get(at..)? {
            [b'\\', next, ..] if *next == quote && backslash == Backslash::Unknown => return None,
            [b'\\', _, ..] => at += 2,
            [first, second, ..] if *first == quote && *second == quote => at += 2,
            [first, ..] if *first == quote => return Some(at + 1),
            [_, ..] => at += 1,
            [] => return None,
        }
    }
}

/// `$1`, `$tag$ … $tag$`, or a character.
fn dollar(rest: &[u8]) -> (Kind, usize) {
    let after = rest.get(1..).unwrap_or_default();
    let digits = leading(after, |byte| byte.is_ascii_digit());
    if digits > 0 {
        return (Kind::Parameter, 1 + digits);
    }
    let tag = leading(after, |byte| is_word(byte) && byte != b'$');
    if after.get(tag) != Some(&b'$') {
        return (Kind::Other, 1);
    }
    let len = tag + 2;
    let (delimiter, body) = rest.split_at_checked(len).unwrap_or((rest, &[]));
    match find(body, delimiter) {
        Some(place) => (Kind::Literal, len + place + len),
        None => unclear(rest),
    }
}

/// Where `sought`, which ends with its only second `$`, begins in `bytes`. Each byte is looked at a few times at most.
fn find(bytes: &[u8], sought: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(place) = bytes.get(at..)?.iter().position(|byte| *byte == b'$') {
        at += place;
        if bytes.get(at..)?.starts_with(sought) {
            return Some(at);
        }
        at += 1;
    }
    None
}

fn begins_number(after: &[u8], first: u8) -> bool {
    match after {
        [b'0'..=b'9', ..] => true,
        [b'.', b'0'..=b'9', ..] => first != b'.',
        _ => false,
    }
}

/// The length of a number with its fraction, its exponent and whatever else is written onto its end.
fn number(rest: &[u8]) -> usize {
    let mut at = 0;
    while let Some(byte) = rest.get(at) {
        let is_sign = matches!(byte, b'+' | b'-')
            && matches!(rest.get(at.wrapping_sub(1)), Some(b'e' | b'E'))
            && !matches!(rest, [b'0', b'x' | b'X', ..])
            && rest.get(at + 1).is_some_and(u8::is_ascii_digit);
        if !(is_word(*byte) || *byte == b'.' || is_sign) {
            break;
        }
        at += 1;
    }
    at
}

/// A word, or a string with a letter before it: `N'…'`, `X'…'`, `E'…'`, Oracle's `q'[…]'`.
fn word(rest: &[u8]) -> (Kind, usize) {
    let len = leading(rest, is_word);
    let (word, after) = rest.split_at_checked(len).unwrap_or((rest, &[]));
    let is = |prefixes: &[&str]| prefixes.iter().any(|prefix| word.eq_ignore_ascii_case(prefix.as_bytes()));
    match after {
        [b'\'', ..] if is(&["e"]) => string(rest, len, Backslash::Escapes),
        [b'\'', ..] if is(&["n", "b", "x"]) => string(rest, len, Backslash::Unknown),
        [b'&', b'\'', ..] if is(&["u"]) => string(rest, len + 1, Backslash::Unknown),
        [b'\'', opening, ..] if is(&["q", "nq"]) => own_quotes(rest, len + 2, *opening),
        _ if is(&["true", "false"]) => (Kind::Literal, len),
        _ => (Kind::Word, len),
    }
}

/// Oracle's strings end with the counterpart of the character they begin with, and a quote.
fn own_quotes(rest: &[u8], start: usize, opening: u8) -> (Kind, usize) {
    let closing = match opening {
        b'[' => b']',
        b'{' => b'}',
        b'(' => b')',
        b'<' => b'>',
        other => other,
    };
    let body = rest.get(start..).unwrap_or_default();
    match body.windows(2).position(|two| two == [closing, b'\'']) {
        Some(place) => (Kind::Literal, start + place + 2),
        None => unclear(rest),
    }
}

/// What a word goes on with, everything beyond ASCII included.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)
}

fn leading(bytes: &[u8], is: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| is(**byte)).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        let tokens = tokens(text).filter(|token| token.kind != Kind::Space);
        tokens.map(|token| format!("{:?}:{}", token.kind, token.text)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn literals_of_all_databases_are_known() {
        for literal in [
            "'a'",
            "''",
            "'it''s'",
            "'a\nb'",
            "'\\\\'",
            "E'it\\'s'",
            "e'\\\\'",
            "N'a'",
            "n'a'",
            "X'ff'",
            "b'01'",
            "U&'d\\0061'",
            "q'[it's]'",
            "Q'!a!'",
            "nq'{a}'",
            "$$a$$",
            "$$it's$$",
            "$t$ $$ $t$",
            "12",
            "12.34",
            ".5",
            "-12",
            "+.5",
            "1e10",
            "1.5E-10",
            "0xDEADBEEF",
            "0b01",
            "1_000",
            "1f",
            "true",
            "FALSE",
        ] {
            assert_eq!(shown(literal), format!("Literal:{literal}"));
        }
    }

    #[test]
    fn what_is_no_literal_is_something_else() {
        for (text, expected) in [
            ("a1", "Word:a1"),
            ("a$b$c", "Word:a$b$c"),
            ("$1 ? :a @b", "Parameter:$1 Parameter:? Other:: Word:a Other:@ Word:b"),
            ("a.b", "Word:a Other:. Word:b"),
            ("`a b`", "Name:`a b`"),
            ("\"a\"\"b\"", "DoubleQuoted:\"a\"\"b\""),
            ("date '2020-01-01'", "Word:date Literal:'2020-01-01'"),
            ("_utf8'a'", "Word:_utf8 Literal:'a'"),
            ("-- a 'b\nc", "Comment:-- a 'b Word:c"),
            ("# a\nc", "Comment:# a Word:c"),
            ("#t", "Other:# Word:t"),
            ("/* a */b", "Comment:/* a */ Word:b"),
            ("/* a /* b */ c */d", "Comment:/* a /* b */ c */ Word:d"),
            ("1-1", "Literal:1 Literal:-1"),
            ("1e-1", "Literal:1e-1"),
            ("0xe-1", "Literal:0xe Literal:-1"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_not_read_at_all() {
        for text in [
            "'a",
            "'a''",
            "E'a\\'",
            "\"a",
            "`a",
            "$$a",
            "$t$a$$",
            "/* a",
            "/* a /* b */",
            "q'[a",
            "'a\\' OR 'b'",
            "\"a\\\" OR \"b\"",
            "/* /* */ 'a */ b'",
            "--'a\nb'",
            "# it's\n'a'",
        ] {
            assert_eq!(shown(text), format!("Unclear:{text}"));
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_doubled(text in "[a-e'\"`$?0-9 \\n#/*\\\\.\\-+(),;\u{e9}]{0,40}") {
            let all: String = tokens(&text).map(|token| token.text).collect();
            prop_assert_eq!(all, text);
        }
    }
}
