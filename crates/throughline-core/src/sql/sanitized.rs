//! A statement without its literals.

use super::{
    role::{Role, Roles},
    token::{Kind, Token, tokens},
};

/// The most bytes that are kept of a statement; `…` stands where it was cut.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;

/// What stands in place of a literal.
const PLACEHOLDER: char = '?';

/// The statement with `?` in place of every literal and without comments, for `db.query.text`.
///
/// A sign directly before a number belongs to it. A text in double quotes is shown where only a name can stand: as a table
/// (`FROM "users"`) and beside a dot (`u."id"`); elsewhere it may be a string, and is replaced.
#[must_use]
pub fn sanitized(statement: &str) -> String {
    let mut shown = String::with_capacity(statement.len().min(TEXT_BYTES_MAX));
    let mut roles = Roles::new();
    let mut tokens = tokens(statement).peekable();
    while let Some(token) = tokens.next() {
        let role = roles.next(token);
        if shown.len() + token.text.len() > TEXT_BYTES_MAX && !is_hidden(token) {
            shown.push('…');
            break;
        }
        match token.kind {
            Kind::Comment => {}
            Kind::Literal | Kind::Unclear => shown.push(PLACEHOLDER),
            Kind::DoubleQuoted => {
                let is_part = shown.ends_with('.') || tokens.peek().is_some_and(|next| next.text == ".");
                if role == Role::Target || is_part {
                    shown.push_str(token.text);
                } else {
                    shown.push(PLACEHOLDER);
                }
            }
            Kind::Space | Kind::Word | Kind::Name | Kind::Parameter | Kind::Other => {
                shown.push_str(token.text)
            }
        }
    }
    shown
}

fn is_hidden(token: Token<'_>) -> bool {
    matches!(token.kind, Kind::Comment | Kind::Literal | Kind::Unclear)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_in_double_quotes_are_shown_where_no_string_can_stand() {
        for (statement, expected) in [
            ("SELECT \"u\".\"id\" FROM \"users\" AS \"u\"", "SELECT \"u\".\"id\" FROM \"users\" AS ?"),
            ("INSERT INTO \"a\" VALUES (\"x\")", "INSERT INTO \"a\" VALUES (?)"),
            ("UPDATE \"a\" SET b = \"x\"", "UPDATE \"a\" SET b = ?"),
            ("SELECT TRIM(x FROM \"y\")", "SELECT TRIM(x FROM ?)"),
            ("SELECT `a` FROM `b`", "SELECT `a` FROM `b`"),
        ] {
            assert_eq!(sanitized(statement), expected);
        }
    }

    #[test]
    fn every_way_to_write_a_secret_is_hidden() {
        for literal in [
            "'hunter2'",
            "'a''hunter2'",
            "'\\\\hunter2'",
            "'a\\'hunter2'",
            "'hunter2",
            "\"hunter2\"",
            "\"hunter2",
            "E'\\'hunter2'",
            "N'hunter2'",
            "X'hunter2'",
            "U&'hunter2'",
            "q'[it's hunter2]'",
            "$$hunter2$$",
            "$a$it's hunter2$a$",
            "$$hunter2",
            "/* hunter2 */",
            "/* hunter2",
            "/* /* */ hunter2 */",
            "-- hunter2",
            "--hunter2",
            "# hunter2",
            "/*! hunter2 */",
            "-- it's hunter2\n1",
            "'a\n\nhunter2'",
            "_utf8'hunter2'",
        ] {
            for statement in [
                format!("SELECT * FROM t WHERE a = {literal}"),
                format!("INSERT INTO t VALUES ({literal})"),
                literal.to_owned(),
            ] {
                assert!(!sanitized(&statement).contains("hunter2"), "{statement}: {}", sanitized(&statement));
            }
        }
        assert_eq!(sanitized("PIN=4711 OR a<-4711.0e7"), "PIN=? OR a<?");
    }

    #[test]
    fn a_long_statement_is_cut_between_tokens() {
        let long = format!("SELECT {} 'x'", "column_name, ".repeat(10_000));
        let shown = sanitized(&long);
        assert!(shown.len() <= TEXT_BYTES_MAX + 3 && shown.ends_with('…'), "{}", shown.len());
        let huge = format!("INSERT INTO t VALUES ('{}')", "x".repeat(1 << 20));
        assert_eq!(sanitized(&huge), "INSERT INTO t VALUES (?)");
    }

    #[test]
    fn a_megabyte_takes_one_pass() {
        for filler in
            ["'", "''", "$$", "$a", "$a$", "/*", "*/", "--\n", "(", "((SELECT", "\"", "\\'", "q'", "0x", "a."]
        {
            let _text = sanitized(&filler.repeat((1 << 20) / filler.len()));
        }
    }

    proptest! {
        #[test]
        fn a_string_between_any_tokens_is_hidden(
            before in "((SELECT|FROM|a|1|'b'|E'c\\\\''|\"d\"|`e`|\\$\\$f\\$\\$|--g\n|/\\*h\\*/|,|\\() ?){0,6}",
            after in "( (WHERE|'x|x|\"|;|\\)|--)){0,4}",
        ) {
            for secret in ["'hunter2'", "'it''s hunter2'", "\"hunter2\"", "$q$hunter2$q$", "N'hunter2'"] {
                let statement = format!("{before} = {secret}{after}");
                prop_assert!(!sanitized(&statement).contains("hunter2"), "{}", statement);
            }
        }

        #[test]
        fn twice_is_once(statement in "[a-e'\"`$?0-9 \\n#/*\\\\.\\-+(),;\u{e9}]{0,30}") {
            let once = sanitized(&statement);
            prop_assert!(once.len() <= statement.len());
        }
    }
}
