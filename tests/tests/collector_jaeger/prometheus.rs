//! What a Collector shows to Prometheus.

use std::collections::BTreeMap;

use tests::http_get;

/// A page of samples.
#[derive(Clone, Debug)]
pub(crate) struct Page(Vec<Sample>);

/// One line: a number with a name and labels.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Page {
    /// Asks for it.
    pub(crate) fn get(port: u16) -> Result<Self, String> {
        let answer = http_get(port, "/metrics").map_err(|error| error.to_string())?;
        if answer.status != 200 {
            return Err(format!("{answer:?}"));
        }
        Ok(Self(answer.body.lines().filter_map(read).collect()))
    }

    /// Every sample of a name.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = &Sample> {
        self.0.iter().filter(move |sample| sample.name == name)
    }

    /// The sum of the samples of a name that have these labels.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.named(name)
            .filter(|sample| labels.iter().all(|&(label, value)| sample.label(label) == value))
            .map(|sample| sample.value)
            .sum()
    }
}

impl Sample {
    /// A label; empty if it isn't there, which is the same to Prometheus.
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map(String::as_str).unwrap_or_default()
    }

    pub(crate) const fn value(&self) -> f64 {
        self.value
    }
}

/// `name{label="value",…} number`, the labels being optional; `None` for a comment.
fn read(line: &str) -> Option<Sample> {
    let name_end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(name_end);
    if name == "#" {
        return None;
    }
    let mut labels = BTreeMap::new();
    while let Some((label, after)) = rest.trim_start_matches(['{', ',']).split_once("=\"") {
        let (value, after) = read_quoted(after)?;
        labels.insert(label.to_owned(), value);
        rest = after;
    }
    let value = rest.trim_start_matches('}').trim().parse().ok()?;
    Some(Sample { name: name.to_owned(), labels, value })
}

/// What stands before the closing quote, and what stands behind it.
fn read_quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(characters.next().map(|(_, next)| if next == 'n' { '\n' } else { next })?),
            other => value.push(other),
        }
    }
    None
}

#[test]
fn a_line_of_the_page_is_read() {
    let labels = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect::<BTreeMap<_, _>>()
    };
    for (line, expected) in [
        ("up 1", Some(("up", labels(&[]), 1.0))),
        ("a{b=\"GET /users/{id}\"} 2.5", Some(("a", labels(&[("b", "GET /users/{id}")]), 2.5))),
        (r#"a{b="x\"\\y",c=""} 3e2"#, Some(("a", labels(&[("b", r#"x"\y"#), ("c", "")]), 300.0))),
        ("# TYPE a counter", None),
        ("a{b=\"", None),
        ("", None),
    ] {
        let expected = expected.map(|(name, labels, value)| Sample { name: name.to_owned(), labels, value });
        assert_eq!(read(line), expected, "{line}");
    }
}
