//! What the tests of this folder share.

mod http;
mod servers;

pub use http::{Answer, http_get, http_post_json};
pub use servers::{COLLECTOR, JAEGER, MOSQUITTO, Server, free_ports, program, wait_until};
