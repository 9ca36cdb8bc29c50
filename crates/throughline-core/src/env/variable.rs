//! One row of the table of variables.

/// A variable of the environment: what it means, what applies without it, and how the same is said in code.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it sets, with its unit.
    pub meaning: &'static str,
    /// What applies where it is unset.
    pub default: &'static str,
    /// The setter that beats it, as `Type::method`.
    pub setter: &'static str,
    /// Whether it is followed.
    pub state: State,
}

/// Whether a variable is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It is read; a bad value is a warning.
    Read,
    /// It is read, and no value of it is bad.
    AnyText,
    /// It is read by `throughline-testing` alone.
    InTests,
    /// It asks for what is not there: setting it is a warning.
    Refused {
        /// What applies in its place.
        used: &'static str,
        /// Why, as it follows `NAME="value" is …`.
        because: &'static str,
        /// Values that ask for nothing but what is done anyway.
        harmless: &'static [&'static str],
    },
}
