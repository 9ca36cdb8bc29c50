//! Destination templates: `devices/{device}/state` instead of one name a device.

/// Patterns for destinations that contain ids, the first that fits wins.
///
/// A destination with an id in it must become neither a span name nor a metric label: there would be as many as there
/// are ids. `{anything}` in a pattern stands for exactly one part between separators, any other part for itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Templates(Vec<Box<str>>);

impl Templates {
    pub(crate) fn add(&mut self, pattern: &str) {
        self.0.push(pattern.into());
    }

    /// The first pattern that `destination` fits, if any.
    pub(crate) fn find(&self, destination: &str, separator: char) -> Option<&str> {
        self.0.iter().map(|pattern| &**pattern).find(|pattern| fits(pattern, destination, separator))
    }
}

fn fits(pattern: &str, destination: &str, separator: char) -> bool {
    let mut parts = destination.split(separator);
    let all_fit = pattern
        .split(separator)
        .all(|wanted| parts.next().is_some_and(|part| is_hole(wanted) || wanted == part));
    all_fit && parts.next().is_none()
}

fn is_hole(part: &str) -> bool {
    part.starts_with('{') && part.ends_with('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_stands_for_one_part() {
        let cases = [
            ("devices/{device}/state", "devices/7/state", true),
            ("devices/{device}/state", "devices//state", true),
            ("devices/{device}/state", "devices/7/8/state", false),
            ("devices/{device}/state", "devices/7", false),
            ("devices/{device}", "devices/7/state", false),
            ("{tenant}/orders", "acme/orders", true),
            ("orders", "orders", true),
            ("orders", "order", false),
        ];
        for (pattern, destination, expected) in cases {
            assert_eq!(fits(pattern, destination, '/'), expected, "{pattern} against {destination}");
        }
    }

    #[test]
    fn the_first_that_fits_wins() {
        let mut templates = Templates::default();
        templates.add("devices/all/state");
        templates.add("devices/{device}/state");
        assert_eq!(templates.find("devices/all/state", '/'), Some("devices/all/state"));
        assert_eq!(templates.find("devices/7/state", '/'), Some("devices/{device}/state"));
        assert_eq!(templates.find("users", '/'), None);
        assert_eq!(templates.find("devices.7.state", '.'), None);
    }
}
