//! Where the fields of a context are read from and written to.

use std::collections::{BTreeMap, HashMap};

/// Named text fields that travel with a request or a message: HTTP headers, broker properties, reserved columns.
///
/// Names that are passed in are lower case. Whether a carrier may hold a name in another case depends on its protocol;
/// where it may, reading and removing ignore ASCII case.
pub trait Carrier {
    /// Calls `visit` with every value of `name`, in the order in which they arrived.
    ///
    /// A value is bytes because brokers and HTTP allow more than text. White space around it need not be stripped.
    fn get_all<'a>(&'a self, name: &str, visit: &mut dyn FnMut(&'a [u8]));

    /// Makes `value` the only value of `name`: it replaces, and never adds to, what is there.
    fn set(&mut self, name: &str, value: &str);

    /// Removes every value of `name`.
    fn remove(&mut self, name: &str);

    /// Calls `visit` with the name of every field, whoever it belongs to.
    ///
    /// Only formats that have a field for each member of baggage need it. A carrier that cannot list its fields keeps this
    /// one, which visits none: such baggage is then not read from it.
    fn names(&self, visit: &mut dyn FnMut(&str)) {
        let _unused = visit;
    }
}

impl Carrier for Vec<(String, String)> {
    fn get_all<'a>(&'a self, name: &str, visit: &mut dyn FnMut(&'a [u8])) {
        for (key, value) in self {
            if key.eq_ignore_ascii_case(name) {
                visit(value.as_bytes());
            }
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        Carrier::remove(self, name);
        self.push((name.to_owned(), value.to_owned()));
    }

    fn remove(&mut self, name: &str) {
        self.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    }

    fn names(&self, visit: &mut dyn FnMut(&str)) {
        self.iter().for_each(|(name, _)| visit(name));
    }
}

macro_rules! map_carrier {
    ($($map:ident),+) => {
        $(impl Carrier for $map<String, String> {
            fn get_all<'a>(&'a self, name: &str, visit: &mut dyn FnMut(&'a [u8])) {
                for (key, value) in self {
                    if key.eq_ignore_ascii_case(name) {
                        visit(value.as_bytes());
                    }
                }
            }

            fn set(&mut self, name: &str, value: &str) {
                Carrier::remove(self, name);
                self.insert(name.to_owned(), value.to_owned());
            }

            fn remove(&mut self, name: &str) {
                self.retain(|key, _| !key.eq_ignore_ascii_case(name));
            }

            fn names(&self, visit: &mut dyn FnMut(&str)) {
                self.keys().for_each(|name| visit(name));
            }
        })+
    };
}

map_carrier!(BTreeMap, HashMap);

#[cfg(test)]
mod tests {
    use super::*;

    fn values(carrier: &dyn Carrier, name: &str) -> Vec<String> {
        let mut values = Vec::new();
        carrier.get_all(name, &mut |value| values.push(String::from_utf8_lossy(value).into_owned()));
        values
    }

    fn replaces_whatever_the_case(carrier: &mut dyn Carrier) {
        assert_eq!(values(carrier, "baggage").len(), 1);
        carrier.set("baggage", "b=2");
        assert_eq!(values(carrier, "baggage"), ["b=2"]);
        assert_eq!(values(carrier, "other"), ["kept"]);
        carrier.remove("baggage");
        assert!(values(carrier, "baggage").is_empty());
        assert_eq!(values(carrier, "other"), ["kept"]);
    }

    fn pairs() -> [(String, String); 2] {
        [("Baggage", "a=1"), ("other", "kept")].map(|(name, value)| (name.into(), value.into()))
    }

    #[test]
    fn maps_and_lists_replace_and_ignore_case() {
        replaces_whatever_the_case(&mut Vec::from(pairs()));
        replaces_whatever_the_case(&mut HashMap::from(pairs()));
        replaces_whatever_the_case(&mut BTreeMap::from(pairs()));
    }

    #[test]
    fn a_list_gives_all_values_in_order() {
        let list = ["a", "b", "c"].map(|value| ("Name".to_owned(), value.to_owned())).to_vec();
        assert_eq!(values(&list, "name"), ["a", "b", "c"]);
    }
}
