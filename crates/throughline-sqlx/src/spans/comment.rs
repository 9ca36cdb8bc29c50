//! A trace in a comment of a statement, as sqlcommenter has it.

use throughline_core::SpanContext;

/// The statement with the span's context in a comment at its end, before a last semicolon.
///
/// `None` where the text may have a comment: two of them are hard to read for whoever looks for one, and behind an open one
/// ours would be swallowed. A text that merely has the signs of one in a string is left alone, too.
pub(crate) fn commented(sql: &str, span: &SpanContext) -> Option<String> {
    if ["--", "/*", "#"].iter().any(|begin| sql.contains(begin)) {
        return None;
    }
    let statement = sql.trim_end_matches(|end: char| end.is_whitespace() || end == ';');
    if statement.is_empty() {
        return None;
    }
    let rest = sql.get(statement.len()..).unwrap_or_default();
    // Hex digits and dashes: percent-encoding, which sqlcommenter asks for, changes none of them.
    let traceparent = span.traceparent();
    let traceparent = str::from_utf8(&traceparent).ok()?;
    Some(format!("{statement} /*traceparent='{traceparent}'*/{rest}"))
}

#[cfg(test)]
mod tests {
    use throughline_core::{SpanId, TraceFlags, TraceId};

    use super::*;

    fn written(sql: &str) -> Option<String> {
        let trace = TraceId::from_hex(b"0af7651916cd43dd8448eb211c80319c").unwrap();
        let span = SpanId::from_hex(b"b7ad6b7169203331").unwrap();
        commented(sql, &SpanContext::new(trace, span, TraceFlags::SAMPLED))
    }

    #[test]
    fn the_comment_stands_at_the_end() {
        let comment = "/*traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'*/";
        assert_eq!(written("SELECT 1"), Some(format!("SELECT 1 {comment}")));
        assert_eq!(written("SELECT 1 ;\n"), Some(format!("SELECT 1 {comment} ;\n")));
        assert_eq!(written("SELECT 1; SELECT 2;"), Some(format!("SELECT 1; SELECT 2 {comment};")));
    }

    #[test]
    fn a_text_that_may_have_a_comment_is_left_alone() {
        for sql in ["SELECT 1 /* mine */", "SELECT 1 -- mine", "SELECT 1 # mine", "SELECT '/*'", "", " ; "] {
            assert_eq!(written(sql), None, "{sql}");
        }
    }
}
