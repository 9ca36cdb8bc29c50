//! The log filter, which can be changed while the program runs.

use std::{
    error::Error,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering::Relaxed},
    },
};

use arc_swap::ArcSwap;
use tracing::Metadata;
use tracing_core::{Level, LevelFilter, callsite};
use tracing_subscriber::filter::Targets;

/// The longest filter that is read from text, in bytes: what an administrator sends is bounded, too.
pub const FILTER_BYTES_MAX: usize = 8 * 1024;

/// Which events become log lines, shown and set while the program runs. Clones share the filter.
///
/// Reading takes no lock, so that an event costs the same whether the filter is ever changed or not. A change holds for
/// every event that begins after it, on all threads.
///
/// ```
/// use throughline_core::Filters;
///
/// let filters = Filters::new("info".parse()?, "info".parse()?);
/// let logs = filters.log_filter();
/// logs.set("warn,orders=debug")?;
/// assert_eq!(logs.to_string(), "orders=debug,warn");
/// assert!(logs.set("orders=loud").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct LogFilterHandle(Arc<Inner>);

struct Inner {
    targets: ArcSwap<Targets>,
    /// Up to this level every target is let through, and beyond the other none is: most events need no look at targets.
    always: AtomicU8,
    most: AtomicU8,
}

impl LogFilterHandle {
    pub(crate) fn new(targets: Targets) -> Self {
        let bounds = bounds(&targets);
        Self(Arc::new(Inner {
            targets: ArcSwap::from_pointee(targets),
            always: AtomicU8::new(rank(bounds.0)),
            most: AtomicU8::new(rank(bounds.1)),
        }))
    }

    /// Replaces the filter by what `directives` say: `LEVEL,TARGET=LEVEL,…`.
    ///
    /// # Errors
    ///
    /// If they cannot be read; the filter then stays as it is.
    pub fn set(&self, directives: &str) -> Result<(), FilterError> {
        self.replace(parse_filter(directives)?);
        Ok(())
    }

    /// Replaces the filter.
    pub fn replace(&self, targets: Targets) {
        let (always, most) = bounds(&targets);
        self.0.targets.store(Arc::new(targets));
        self.0.always.store(rank(always), Relaxed);
        self.0.most.store(rank(most), Relaxed);
        // What a call site was told before does not hold any more.
        callsite::rebuild_interest_cache();
    }

    #[inline]
    pub(crate) fn is_enabled(&self, event: &Metadata<'_>) -> bool {
        let rank = level_rank(event.level());
        if rank <= self.0.always.load(Relaxed) {
            return true;
        }
        rank <= self.0.most.load(Relaxed) && self.0.targets.load().would_enable(event.target(), event.level())
    }

    pub(crate) fn most_verbose(&self) -> LevelFilter {
        bounds(&self.0.targets.load()).1
    }
}

/// Directives as an administrator writes them, as the filter they stand for.
///
/// # Errors
///
/// For directives by span or field, which only other filters have, and for everything else that cannot be read.
pub fn parse_filter(directives: &str) -> Result<Targets, FilterError> {
    let directives = directives.trim();
    if directives.is_empty() {
        return Err(FilterError::Empty);
    }
    if directives.len() > FILTER_BYTES_MAX {
        return Err(FilterError::TooLong);
    }
    if directives.contains(['[', '{']) {
        return Err(FilterError::BySpan);
    }
    directives.parse().map_err(|_| FilterError::Malformed)
}

/// A filter that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilterError {
    /// There is nothing in it.
    Empty,
    /// It is longer than [`FILTER_BYTES_MAX`].
    TooLong,
    /// It asks for spans or fields.
    BySpan,
    /// It is not a list of directives.
    Malformed,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("an empty filter; off turns everything off"),
            Self::TooLong => write!(f, "a filter of more than {FILTER_BYTES_MAX} bytes"),
            Self::BySpan => {
                f.write_str("a filter by span or field; only LEVEL and TARGET=LEVEL are known here")
            }
            Self::Malformed => f.write_str("not of the form LEVEL,TARGET=LEVEL,…"),
        }
    }
}

impl Error for FilterError {}

/// The level up to which every target is let through, and the most verbose one that any is.
fn bounds(targets: &Targets) -> (LevelFilter, LevelFilter) {
    let default = targets.default_level().unwrap_or(LevelFilter::OFF);
    let levels = || targets.iter().map(|(_, level)| level).chain([default]);
    (levels().min().unwrap_or(LevelFilter::OFF), levels().max().unwrap_or(LevelFilter::OFF))
}

fn rank(level: LevelFilter) -> u8 {
    level.into_level().map_or(0, |level| level_rank(&level))
}

#[inline]
const fn level_rank(level: &Level) -> u8 {
    match *level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}

impl fmt::Display for LogFilterHandle {
    /// The directives in force, in the form in which they can be set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.targets.load().to_string();
        f.pad(if text.is_empty() { "off" } else { &text })
    }
}

impl fmt::Debug for LogFilterHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogFilterHandle({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_refused_and_changes_nothing() {
        let filter = LogFilterHandle::new(parse_filter("warn").unwrap());
        for (directives, error) in [
            ("", FilterError::Empty),
            ("  ", FilterError::Empty),
            ("orders=loud", FilterError::Malformed),
            ("a=b=c", FilterError::Malformed),
            ("[span]=info", FilterError::BySpan),
            ("orders[{id}]=info", FilterError::BySpan),
            (&"a".repeat(FILTER_BYTES_MAX + 1), FilterError::TooLong),
        ] {
            assert_eq!(filter.set(directives), Err(error), "{directives:.20}");
            assert_eq!(filter.to_string(), "warn");
        }
    }

    #[test]
    fn what_is_shown_can_be_set_again() {
        let filter = LogFilterHandle::new(Targets::new());
        assert_eq!(filter.to_string(), "off");
        for directives in ["off", "info", "orders::api=trace,orders=off,debug"] {
            filter.set(directives).unwrap();
            let shown = filter.to_string();
            assert_eq!(filter.set(&shown), Ok(()), "{shown}");
            assert_eq!(filter.to_string(), shown);
        }
    }

    #[test]
    fn the_bounds_agree_with_the_targets() {
        for directives in
            ["off", "error", "info", "trace", "warn,a=off", "a=debug", "debug,a::b=error,a=trace"]
        {
            let targets = parse_filter(directives).unwrap();
            let (always, most) = bounds(&targets);
            for target in ["a", "a::b", "c", ""] {
                for level in [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE] {
                    let enabled = targets.would_enable(target, &level);
                    assert!(enabled || LevelFilter::from(level) > always, "{directives} {target} {level}");
                    assert!(!enabled || LevelFilter::from(level) <= most, "{directives} {target} {level}");
                }
            }
        }
    }
}
