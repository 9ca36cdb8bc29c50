//! The names that keys have on the line, where they are not those of the preset or of the application.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use crate::KeyCase;

/// Renames and the case of one layer.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyNames {
    pub(crate) case: KeyCase,
    renames: Vec<(String, String)>,
}

impl KeyNames {
    pub(crate) fn rename(&mut self, from: String, to: String) {
        self.renames.retain(|(known, _)| *known != from);
        self.renames.push((from, to));
    }

    /// Whether every key is as it was.
    pub(crate) fn are_usual(&self) -> bool {
        self.case == KeyCase::AsIs && self.renames.is_empty()
    }

    /// The name of `key` on the line: a rename is taken to the letter, everything else gets the case.
    pub(crate) fn of(&self, key: &str) -> String {
        let renamed = self.renames.iter().find(|(from, _)| from == key);
        renamed.map_or_else(|| self.case.apply(key), |(_, to)| to.clone())
    }
}

/// The same text for the rest of the program, each once.
///
/// What is kept are keys that were made of the names of fields, which live as long as the program themselves, and of
/// settings: few, and bounded by the program's text.
pub(crate) fn kept(text: &str) -> &'static str {
    static KEPT: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut all = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all.get(text) {
        return known;
    }
    let text: &'static str = Box::leak(text.into());
    all.insert(text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rename_beats_the_case() {
        let mut names = KeyNames { case: KeyCase::Camel, ..KeyNames::default() };
        names.rename("trace_id".into(), "trace.id".into());
        names.rename("trace_id".into(), "TraceId".into());
        assert_eq!((names.of("trace_id").as_str(), names.of("span_id").as_str()), ("TraceId", "spanId"));
    }

    #[test]
    fn a_text_is_kept_once() {
        assert!(std::ptr::eq(kept("a key of this test"), kept("a key of this test")));
    }
}
