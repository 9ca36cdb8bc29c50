//! Where the databases are.

use std::{convert::Infallible, fmt, path::PathBuf, str::FromStr};

/// A folder with a SQLite file for each service, or a PostgreSQL database with a schema for each.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum DatabaseUrl {
    Folder(PathBuf),
    Postgres(String),
}

impl FromStr for DatabaseUrl {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let is_postgres = text.starts_with("postgres://") || text.starts_with("postgresql://");
        Ok(if is_postgres { Self::Postgres(text.to_owned()) } else { Self::Folder(text.into()) })
    }
}

/// As it was given, password included: for the command line of a service, and for nobody's eyes.
impl DatabaseUrl {
    pub(crate) fn argument(&self) -> String {
        match self {
            Self::Folder(folder) => folder.to_string_lossy().into_owned(),
            Self::Postgres(url) => url.clone(),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.fmt(f),
            Self::Postgres(_) => f.write_str("postgres://…"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        let url: DatabaseUrl = "postgres://shop:secret@127.0.0.1/shop".parse().unwrap();
        assert_eq!(format!("{url:?}"), "postgres://…");
        assert!(url.argument().contains("secret"));
        assert_eq!("data".parse(), Ok(DatabaseUrl::Folder("data".into())));
    }
}
