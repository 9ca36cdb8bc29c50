//! Where a signal goes: to a Collector, to standard output, to a file.

use std::path::PathBuf;

use crate::features;

/// A place that a signal is exported to (`OTEL_TRACES_EXPORTER`, `OTEL_METRICS_EXPORTER`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Destination {
    /// A Collector, over OTLP.
    Otlp,
    /// Standard output, a line of OTLP-JSON for each batch; the feature `json`.
    Console,
    /// This file, which is appended to, a line of OTLP-JSON for each batch; the feature `json`. By custom its name ends
    /// in `.jsonl`. Each signal wants a file of its own.
    File(PathBuf),
}

impl Destination {
    /// The names in a variable, with commas between them; nothing at all for `none`.
    pub(crate) fn list(text: &str) -> Result<Vec<Self>, String> {
        let mut list = Vec::new();
        let names: Vec<_> = text.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
        for name in &names {
            let destination = match name.as_str() {
                "none" if names.len() == 1 => break,
                "none" => return Err("none and something else".to_owned()),
                "otlp" => Self::Otlp,
                "console" | "otlp/stdout" if cfg!(feature = "json") => Self::Console,
                "console" | "otlp/stdout" => {
                    return Err(features::missing("`json`"));
                }
                "zipkin" | "prometheus" | "logging" => {
                    return Err(format!("a list with {name}, which is not supported"));
                }
                _ => return Err("not made of otlp, console, otlp/stdout and none".to_owned()),
            };
            if !list.contains(&destination) {
                list.push(destination);
            }
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_nonsense_is_not() {
        assert_eq!(Destination::list("none").unwrap(), []);
        assert_eq!(Destination::list("OTLP, otlp").unwrap(), [Destination::Otlp]);
        for bad in ["", "otlp,none", "zipkin", "otlp,prometheus", "smoke"] {
            Destination::list(bad).unwrap_err();
        }
        assert_eq!(Destination::list("otlp,console").is_ok(), cfg!(feature = "json"));
    }
}
