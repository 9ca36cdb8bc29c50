//! MySQL and MariaDB.

use sqlx::{
    MySql,
    error::DatabaseError,
    mysql::{MySqlConnectOptions, MySqlDatabaseError, MySqlQueryResult},
};

use super::{System, handed_on, sealed::Sealed};
use crate::spans::place::{Place, Process, Server};

const DEFAULT_PORT: u16 = 3306;

impl Sealed for MySql {}

impl System for MySql {
    fn place(options: &MySqlConnectOptions) -> Place {
        let server = match options.get_socket() {
            Some(socket) => Server::socket(socket),
            None => Server::tcp(options.get_host(), options.get_port(), DEFAULT_PORT),
        };
        Place {
            system: "mysql".into(),
            namespace: options.get_database().map(str::to_owned),
            server: Some(server),
            process: Process::Outside,
        }
    }

    fn affected_rows(result: &MySqlQueryResult) -> u64 {
        result.rows_affected()
    }

    /// The number tells more than SQLSTATE, and is what the conventions ask for.
    fn status_code(error: &dyn DatabaseError) -> Option<String> {
        error.try_downcast_ref::<MySqlDatabaseError>().map(|error| error.number().to_string())
    }

    handed_on!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_what_the_options_say() {
        for (url, namespace, pool) in [
            ("mysql://ann:secret@db.example/orders", Some("orders"), "db.example/orders"),
            ("mysql://ann@db.example:3307", None, "db.example:3307"),
        ] {
            let place = MySql::place(&url.parse().unwrap());
            assert_eq!((place.namespace.as_deref(), place.pool_name().as_str()), (namespace, pool), "{url}");
        }
    }
}
