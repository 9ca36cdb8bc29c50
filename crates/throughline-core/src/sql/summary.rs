//! A statement in a few words.

use super::{
    role::{Role, Roles},
    token::{Kind, tokens},
};

/// The most characters of a summary (semantic conventions, `db.query.summary`).
pub const SUMMARY_CHARS_MAX: usize = 255;

/// Operations and what they work on, in the order and the case of the statement, for `db.query.summary` and the name of a
/// span: `INSERT orders SELECT carts`.
///
/// At most [`SUMMARY_CHARS_MAX`] characters, and no name is cut: the first that has no room ends it. Empty where nothing
/// is known of the statement.
#[must_use]
pub fn summary(statement: &str) -> String {
    let mut short = Short::default();
    let mut roles = Roles::new();
    let mut in_target = false;
    for token in tokens(statement) {
        let role = roles.next(token);
        let goes_on = in_target && role == Role::Target;
        match role {
            Role::Target if goes_on => short.append(token.text),
            Role::Operation | Role::Object | Role::Target => short.begin(token.text),
            Role::Other => {}
        }
        if short.is_full {
            break;
        }
        // A dot may have spaces around it.
        in_target = role == Role::Target || in_target && matches!(token.kind, Kind::Space | Kind::Comment);
    }
    short.finish()
}

#[derive(Debug, Default)]
struct Short {
    text: String,
    /// The entry at hand, which goes into the text whole or not at all.
    entry: String,
    chars: usize,
    is_full: bool,
}

impl Short {
    fn begin(&mut self, text: &str) {
        self.keep();
        self.append(text);
    }

    fn append(&mut self, text: &str) {
        if self.chars + text.len() > 4 * SUMMARY_CHARS_MAX {
            self.is_full = true;
            self.entry.clear();
        } else {
            self.entry.push_str(text);
        }
    }

    fn keep(&mut self) {
        let entry = self.entry.trim_end_matches('.');
        let chars = entry.chars().count() + usize::from(!self.text.is_empty());
        if entry.is_empty() || self.is_full {
            return;
        }
        if self.chars + chars > SUMMARY_CHARS_MAX {
            self.is_full = true;
            return;
        }
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(entry);
        self.chars += chars;
        self.entry.clear();
    }

    fn finish(mut self) -> String {
        self.keep();
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_its_operations_and_their_targets() {
        for (statement, expected) in [
            ("", ""),
            ("  /* hello */ ", ""),
            ("BEGIN", "BEGIN"),
            ("commit;", "commit"),
            ("DELETE FROM a WHERE b = 'FROM c'", "DELETE a"),
            ("UPDATE a SET b = 1 FROM c", "UPDATE a c"),
            ("INSERT INTO a (b) VALUES (1) ON CONFLICT (b) DO UPDATE SET b = 2", "INSERT a"),
            ("INSERT INTO a VALUES (1) ON DUPLICATE KEY UPDATE b = 2", "INSERT a"),
            ("SELECT a FROM b FOR UPDATE", "SELECT b"),
            ("SELECT EXTRACT(YEAR FROM a) FROM b", "SELECT b"),
            ("SELECT replace(a, 'x', 'y') FROM b", "SELECT b"),
            ("SELECT a FROM b LEFT JOIN c ON b.x = c.x, d", "SELECT b c"),
            ("SELECT a FROM (SELECT 1 FROM b) x, c", "SELECT SELECT b c"),
            ("SELECT a FROM \"Sch\".\"B c\"", "SELECT \"Sch\".\"B c\""),
            ("SELECT a FROM `b`", "SELECT `b`"),
            ("WITH x AS (SELECT a FROM b) SELECT a FROM x", "SELECT b SELECT x"),
            ("WITH x AS (SELECT 1) DELETE FROM b", "SELECT DELETE b"),
            ("CREATE UNIQUE INDEX IF NOT EXISTS a ON b (c)", "CREATE INDEX a"),
            ("DROP TABLE IF EXISTS a", "DROP TABLE a"),
            ("CALL p(1)", "CALL p"),
            ("MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN UPDATE SET y = 1", "MERGE a"),
            ("SELECT 1 FROM a; DELETE FROM b", "SELECT a DELETE b"),
            ("SELECT a FROM 'secret'", "SELECT"),
            ("SELECT 'unended FROM a", "SELECT"),
        ] {
            assert_eq!(summary(statement), expected, "{statement}");
        }
    }

    #[test]
    fn a_summary_ends_before_the_name_that_has_no_room() {
        let statement = format!("SELECT a FROM {}", vec!["table_name"; 100].join(", "));
        let short = summary(&statement);
        assert_eq!(short, format!("SELECT{}", " table_name".repeat(22)));
        let long_name = format!("SELECT a FROM {}", "x".repeat(300));
        assert_eq!(summary(&long_name), "SELECT");
        let exact = format!("SELECT a FROM {}", "\u{e9}".repeat(248));
        assert_eq!(summary(&exact).chars().count(), 255);
    }
}
