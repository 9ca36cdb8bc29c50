//! The context of an event as columns of its row.

use throughline_core::{Carrier, Propagator};

/// The fields that travel, each in a column of its own; those of other formats than W3C's share one.
///
/// The correlation id has its own column under whatever name it travels.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    correlation_name: String,
    pub(crate) traceparent: Option<String>,
    pub(crate) tracestate: Option<String>,
    pub(crate) baggage: Option<String>,
    pub(crate) correlation_id: Option<String>,
    /// One field a line, `name: value`.
    more: Vec<(String, String)>,
}

impl Columns {
    pub(crate) fn new(propagator: &Propagator) -> Self {
        Self { correlation_name: propagator.correlation_header_name().to_owned(), ..Self::default() }
    }

    pub(crate) fn more(&self) -> Option<String> {
        let line = |(name, value): &(String, String)| format!("{name}: {value}");
        (!self.more.is_empty()).then(|| self.more.iter().map(line).collect::<Vec<_>>().join("\n"))
    }

    pub(crate) fn with_more(mut self, text: &str) -> Self {
        let fields = text.lines().filter_map(|line| line.split_once(": "));
        self.more = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        self
    }

    fn column(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name {
            "traceparent" => Some(&mut self.traceparent),
            "tracestate" => Some(&mut self.tracestate),
            "baggage" => Some(&mut self.baggage),
            _ if name == self.correlation_name => Some(&mut self.correlation_id),
            _ => None,
        }
    }
}

impl Carrier for Columns {
    fn get_all<'a>(&'a self, name: &str, visit: &mut dyn FnMut(&'a [u8])) {
        let column = match name {
            "traceparent" => &self.traceparent,
            "tracestate" => &self.tracestate,
            "baggage" => &self.baggage,
            _ if name == self.correlation_name => &self.correlation_id,
            _ => return self.more.get_all(name, visit),
        };
        if let Some(value) = column {
            visit(value.as_bytes());
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        match self.column(name) {
            Some(column) => *column = Some(value.to_owned()),
            None => Carrier::set(&mut self.more, name, value),
        }
    }

    fn remove(&mut self, name: &str) {
        match self.column(name) {
            Some(column) => *column = None,
            None => Carrier::remove(&mut self.more, name),
        }
    }

    fn names(&self, visit: &mut dyn FnMut(&str)) {
        let columns = [
            ("traceparent", &self.traceparent),
            ("tracestate", &self.tracestate),
            ("baggage", &self.baggage),
            (self.correlation_name.as_str(), &self.correlation_id),
        ];
        columns.iter().filter(|(_, value)| value.is_some()).for_each(|(name, _)| visit(name));
        self.more.names(visit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_comes_back_as_it_was() {
        let mut columns = Columns::new(&Propagator::default());
        let fields = [
            ("traceparent", "00-a"),
            ("tracestate", "a=1"),
            ("baggage", "b=2"),
            ("x-correlation-id", "c"),
            ("b3", "d: e"),
            ("uberctx-f", "g"),
        ];
        fields.iter().for_each(|(name, value)| columns.set(name, value));
        let more = columns.more().unwrap();
        assert_eq!(more, "b3: d: e\nuberctx-f: g");
        let read = Columns { more: Vec::new(), ..columns }.with_more(&more);
        let mut names = Vec::new();
        read.names(&mut |name| names.push(name.to_owned()));
        assert_eq!(names, fields.map(|(name, _)| name));
        for (name, value) in fields {
            read.get_all(name, &mut |found| assert_eq!(found, value.as_bytes()));
        }
    }

    #[test]
    fn a_field_can_be_taken_out_again() {
        let mut columns = Columns::new(&Propagator::default());
        for name in ["baggage", "b3"] {
            columns.set(name, "x");
            columns.remove(name);
            columns.get_all(name, &mut |_| panic!("{name} is gone"));
        }
        assert_eq!(columns.more(), None);
    }
}
