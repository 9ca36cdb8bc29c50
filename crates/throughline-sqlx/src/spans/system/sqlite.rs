//! SQLite.

use std::path::Path;

use sqlx::{
    ConnectOptions, Sqlite,
    sqlite::{SqliteConnectOptions, SqliteQueryResult},
};

use super::{System, handed_on, sealed::Sealed};
use crate::spans::place::{Place, Process};

impl Sealed for Sqlite {}

impl System for Sqlite {
    fn place(options: &SqliteConnectOptions) -> Place {
        let process = if is_in_memory(options) { Process::InMemory } else { Process::Outside };
        let namespace = (process == Process::Outside).then(|| file_name(options.get_filename()));
        Place { system: "sqlite".into(), namespace: namespace.flatten(), server: None, process }
    }

    fn affected_rows(result: &SqliteQueryResult) -> u64 {
        result.rows_affected()
    }

    handed_on!();
}

/// The options tell this in their URL alone. A file that is called `:memory:` is none.
fn is_in_memory(options: &SqliteConnectOptions) -> bool {
    let is_memory = |(key, value): (_, _)| key == "mode" && value == "memory";
    options.to_url_lossy().query_pairs().any(is_memory) || options.get_filename() == Path::new(":memory:")
}

/// The folder is left out: it says where a machine keeps its files, and perhaps whose they are.
fn file_name(path: &Path) -> Option<String> {
    path.file_name().map(|name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> Place {
        Sqlite::place(&url.parse().unwrap())
    }

    #[test]
    fn a_file_is_a_namespace_without_its_folder() {
        let place = place("sqlite:///var/lib/ann/orders.db?mode=rwc");
        assert_eq!(place.namespace.as_deref(), Some("orders.db"));
        assert_eq!((place.span_kind(), place.pool_name().as_str()), ("client", "orders.db"));
    }

    #[test]
    fn memory_has_no_namespace_and_is_inside() {
        for place in [
            place("sqlite::memory:"),
            place("sqlite://orders?mode=memory"),
            Sqlite::place(&SqliteConnectOptions::new().filename(":memory:")),
            Sqlite::place(&SqliteConnectOptions::new().in_memory(true)),
        ] {
            assert_eq!((place.span_kind(), place.pool_name().as_str()), ("internal", "sqlite"));
        }
    }
}
