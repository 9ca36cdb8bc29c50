//! What the layer over the OpenTelemetry SDK is let off: the list of the page of `throughline_otlp::sdk`, and nothing else.

/// A promise of the native span layer that the SDK's types cannot keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exemption {
    /// The API has no value for bytes.
    BytesAreText,
    /// The API has no value for a number above `i64::MAX`: it is a text from the start, and cut like one.
    LargeNumbersAreText,
    /// The SDK orders statuses, and lets no lower one follow a higher one.
    StatusOnlyRises,
    /// The API refuses some keys of vendor state on the span that a link points to.
    LinkedStateMayBeLost,
    /// The SDK knows no random flag, and so a root has none on its side.
    NoRandomFlagBelowARoot,
    /// The SDK drops attributes that are written too often for its memory.
    ManyWritesAreCapped,
}

impl Exemption {
    pub(crate) const ALL: [Self; 6] = [
        Self::BytesAreText,
        Self::LargeNumbersAreText,
        Self::StatusOnlyRises,
        Self::LinkedStateMayBeLost,
        Self::NoRandomFlagBelowARoot,
        Self::ManyWritesAreCapped,
    ];

    /// The first words of its row in the list.
    pub(crate) const fn row(self) -> &'static str {
        match self {
            Self::BytesAreText => "bytes",
            Self::LargeNumbersAreText => "a number above `i64::MAX`",
            Self::StatusOnlyRises => "a status that is taken back or lowered",
            Self::LinkedStateMayBeLost => "vendor state of a linked span",
            Self::NoRandomFlagBelowARoot => "the random flag of a span of the plain API below a root of ours",
            Self::ManyWritesAreCapped => "an attribute that is written again and again",
        }
    }
}

#[test]
fn the_page_of_the_module_has_these_rows_and_no_others() {
    let page = include_str!("../../src/sdk/exemptions.md");
    let rows: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .skip(1)
        .filter(|line| !line.starts_with("---"))
        .map(|line| line.split(" | ").next().unwrap_or_default())
        .collect();
    assert_eq!(rows, Exemption::ALL.map(Exemption::row));
}
