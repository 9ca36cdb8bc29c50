//! What the tests of this folder share.

mod databases;
mod http;
mod ports;
mod programs;
mod servers;
mod shop;

pub use databases::Database;
pub use http::{Answer, http_get, http_post_json};
pub use ports::{free_ports, retried};
pub use programs::{COLLECTOR, JAEGER, MARIADB, MOSQUITTO, POSTGRES, program};
pub use servers::{Server, wait_until};
pub use shop::shop;
