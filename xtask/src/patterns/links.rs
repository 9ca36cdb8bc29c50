//! Links of a page to other files of the tree.

use std::path::Path;

/// The targets of relative links that aren't there.
pub(super) fn broken<'a>(page: &Path, text: &'a str) -> Vec<&'a str> {
    let folder = page.parent().unwrap_or(page);
    targets(text).filter(|target| !folder.join(target).exists()).collect()
}

fn targets(text: &str) -> impl Iterator<Item = &str> {
    let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    links.filter(|target| !target.is_empty() && !target.contains("://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_those_of_relative_links() {
        let text = "[a](a.md) [b](../b.rs#L3) [c](https://example.org) [d](#here) ![e](e.png)";
        assert_eq!(targets(text).collect::<Vec<_>>(), ["a.md", "../b.rs", "e.png"]);
    }

    #[test]
    fn a_target_that_is_not_there_is_named() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("page.md");
        assert_eq!(broken(&page, "[a](Cargo.toml) [b](no.md)"), ["no.md"]);
    }
}
