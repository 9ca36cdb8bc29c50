//! Keeping secrets out of telemetry: one engine for log fields, span attributes, headers, URLs, queries, baggage and
//! resources.
//!
//! It runs before a value is serialised, and it judges by **name**: whatever is called `password`, `accessToken` or
//! `x-api-key` is shown as [`REDACTED`], whatever it holds. [`Rules`] has the list and says how names match. Names are
//! judged once a thread and then remembered, so that it costs next to nothing where there is nothing to hide.
//!
//! | where | what goes |
//! |---|---|
//! | fields of log lines, attributes of spans, events, links and of the resource | values with a denied name |
//! | headers, which are attributes such as `http.request.header.cookie` | the same |
//! | URLs and queries of the hops | credentials, and values of parameters with a denied name |
//! | baggage, where it is shown | values of members with a denied name |
//! | statements for a database | every literal, by [`sql`](crate::sql) |
//! | messages, error texts, span names | nothing unless value rules are on: see [`SecretValues`] |
//!
//! On the wire nothing is changed: what goes into a header or a message is what the application put there. Who must not
//! see baggage is a matter of the edge and of the client's allow-list.
//!
//! A value that is known to be secret is best wrapped where it comes in: a [`Sensitive`] shows itself to nobody.
//!
//! ```
//! use throughline_core::redact::{Redactor, Rules, SecretValues, Verdict};
//!
//! let redactor = Redactor::default();
//! assert_eq!(redactor.judge("db_password"), Verdict::Replace);
//! assert_eq!(redactor.judge("tokens_used"), Verdict::Keep);
//! assert_eq!(redactor.query("a=1&API-Key=x"), "a=1&API-Key=REDACTED");
//!
//! let stricter = Redactor::new(Rules::new().deny("iban").values(SecretValues::all()));
//! assert_eq!(stricter.judge("customer.iban"), Verdict::Replace);
//! assert_eq!(stricter.text("paid with 4111 1111 1111 1111"), "paid with REDACTED");
//! # assert_eq!(stricter.counters().by_value, 1);
//! ```

mod counters;
mod judged;
mod name;
mod redactor;
mod rule;
mod rules;
mod secret_value;
mod sensitive;
mod url;

pub use counters::RedactionCounters;
pub use name::is_denied;
pub use redactor::Redactor;
pub use rule::{Off, Redact, Verdict};
pub use rules::Rules;
pub use secret_value::SecretValues;
pub use sensitive::Sensitive;
pub use url::{query, url_full};

/// What stands in place of a secret.
pub const REDACTED: &str = "REDACTED";
