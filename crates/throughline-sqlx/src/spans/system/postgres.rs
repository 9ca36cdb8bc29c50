//! PostgreSQL.

use std::path::Path;

use sqlx::{
    Postgres,
    postgres::{PgConnectOptions, PgQueryResult},
};

use super::{System, handed_on, sealed::Sealed};
use crate::spans::place::{Place, Process, Server};

const DEFAULT_PORT: u16 = 5432;

impl Sealed for Postgres {}

impl System for Postgres {
    fn place(options: &PgConnectOptions) -> Place {
        // A client that names no database gets the one that has its user's name.
        let namespace = options.get_database().unwrap_or_else(|| options.get_username());
        Place {
            system: "postgresql".into(),
            namespace: Some(namespace.to_owned()),
            server: Some(server(options)),
            process: Process::Outside,
        }
    }

    fn affected_rows(result: &PgQueryResult) -> u64 {
        result.rows_affected()
    }

    handed_on!();
}

fn server(options: &PgConnectOptions) -> Server {
    match (options.get_socket(), options.get_host()) {
        (Some(folder), _) => Server::socket(folder),
        (None, folder) if folder.starts_with('/') => Server::socket(Path::new(folder)),
        (None, host) => Server::tcp(host, options.get_port(), DEFAULT_PORT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_what_the_options_say() {
        for (url, namespace, pool) in [
            ("postgres://ann:secret@db.example/orders", "orders", "db.example/orders"),
            ("postgres://ann@db.example:5432/orders", "orders", "db.example/orders"),
            ("postgres://ann@db.example:5433", "ann", "db.example:5433/ann"),
            ("postgres://ann@%2Frun%2Fpostgresql:5433/orders", "orders", "/run/postgresql/orders"),
        ] {
            let place = Postgres::place(&url.parse().unwrap());
            assert_eq!(
                (place.namespace.as_deref(), place.pool_name().as_str()),
                (Some(namespace), pool),
                "{url}"
            );
        }
    }
}
