//! A page, and the blocks on it that something else must agree with.

/// Where the lines of a block come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// What the shop prints.
    Shop,
    /// The same, with lines left out.
    ShopInShort,
    /// A file of the tree.
    Code,
}

/// A marker with the fence after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block<'a> {
    pub(super) source: Source,
    /// The shop's arguments (a dash where there are none), or the path of the file.
    pub(super) of: &'a str,
    pub(super) text: &'a str,
    /// Where the text begins on the page.
    start: usize,
}

/// The blocks of a page, in its order.
pub(super) fn blocks(page: &str) -> Result<Vec<Block<'_>>, String> {
    let mut blocks = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once("<!-- ") {
        let (marker, after) = after.split_once(" -->\n").ok_or("a comment that doesn't end its line")?;
        rest = after;
        let Some((source, of)) = source(marker) else { continue };
        let after = after.trim_start_matches('\n');
        let fence = after.strip_prefix("```").and_then(|fence| fence.split_once('\n'));
        let (_, inside) = fence.ok_or_else(|| format!("no fence after {marker:?}"))?;
        let (text, after) =
            inside.split_once("\n```\n").ok_or_else(|| format!("the fence after {marker:?} doesn't end"))?;
        blocks.push(Block { source, of, text, start: page.len() - inside.len() });
        rest = after;
    }
    Ok(blocks)
}

/// The arguments of the shop whose output the blocks show.
pub(super) fn of_shop<'a>(blocks: &'a [Block<'a>]) -> impl Iterator<Item = &'a str> {
    super::of(blocks, Source::Shop).map(|block| block.of)
}

/// The page with what `print` gives in the place of each block of output.
pub(super) fn with_output(
    page: &str,
    blocks: &[Block<'_>],
    mut print: impl FnMut(&str) -> Result<String, String>,
) -> Result<String, String> {
    let mut fresh = String::new();
    let mut copied = 0;
    for block in super::of(blocks, Source::Shop) {
        fresh.push_str(page.get(copied..block.start).unwrap_or_default());
        fresh.push_str(&print(block.of)?);
        copied = block.start + block.text.len();
    }
    fresh.push_str(page.get(copied..).unwrap_or_default());
    Ok(fresh)
}

fn source(marker: &str) -> Option<(Source, &str)> {
    let (word, of) = marker.split_once(": ")?;
    match word {
        "shop" => Some((Source::Shop, of)),
        "shop in short" => Some((Source::ShopInShort, of)),
        "code" => Some((Source::Code, of)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Page\n\n<!-- shop: --list -->\n```text\nold\nlines\n```\n\n<!-- a remark -->\n\
                        <!-- code: a.rs -->\n```rust\nfn a() {}\n```\nend\n";

    #[test]
    fn blocks_are_found_with_their_source() {
        let blocks = blocks(PAGE).unwrap();
        let found: Vec<_> = blocks.iter().map(|block| (block.source, block.of, block.text)).collect();
        assert_eq!(found, [(Source::Shop, "--list", "old\nlines"), (Source::Code, "a.rs", "fn a() {}")]);
    }

    #[test]
    fn output_takes_the_place_of_output_and_of_nothing_else() {
        let fresh = with_output(PAGE, &blocks(PAGE).unwrap(), |arguments| Ok(format!("new {arguments}")));
        assert_eq!(fresh.unwrap(), PAGE.replace("old\nlines", "new --list"));
    }

    #[test]
    fn what_has_no_end_is_named() {
        for (page, problem) in [
            ("<!-- shop: x -->\ntext", "no fence after"),
            ("<!-- shop: x -->\n```text\nlines", "doesn't end"),
            ("<!-- shop: x", "doesn't end its line"),
        ] {
            assert!(blocks(page).unwrap_err().contains(problem), "{page:?}");
        }
    }
}
