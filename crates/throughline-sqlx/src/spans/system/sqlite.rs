//! SQLite.

use std::path::Path;

use sqlx::{
    Sqlite,
    sqlite::{SqliteConnectOptions, SqliteQueryResult},
};
use tracing::Span;

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

    /// The thread that executes the statements holds on to the current span: one of our own would end when SQLite is done with
    /// a statement, which may be long after its caller gave it up.
    fn driver_span(_: &Span) -> Span {
        Span::none()
    }

    handed_on!();
}

/// The options tell this nowhere but here: their URL can't be made where sqlx has chosen the name of the memory.
fn is_in_memory(options: &SqliteConnectOptions) -> bool {
    options.get_filename() == Path::new(":memory:") || format!("{options:?}").contains("in_memory: true")
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
            place("sqlite:file:orders?mode=memory&cache=shared"),
            Sqlite::place(&SqliteConnectOptions::new().filename(":memory:")),
            Sqlite::place(&SqliteConnectOptions::new().in_memory(true)),
        ] {
            assert_eq!((place.span_kind(), place.pool_name().as_str()), ("internal", "sqlite"));
        }
    }
}
