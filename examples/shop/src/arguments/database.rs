//! Where the databases are.

use std::{fmt, path::PathBuf, str::FromStr};

/// A folder with a SQLite file for each service, or a PostgreSQL database with a schema for each.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum DatabaseUrl {
    Folder(PathBuf),
    Postgres(String),
}

impl FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once("://") {
            None => Ok(Self::Folder(text.into())),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(text.to_owned())),
            // A folder of such a name is what nobody meant. What follows may hold a password.
            Some((scheme, _)) => Err(format!("postgres://… or a folder is wanted, not {scheme}://…")),
        }
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

    #[test]
    fn another_database_is_refused_without_its_password() {
        let error = "mysql://shop:secret@127.0.0.1/shop".parse::<DatabaseUrl>().unwrap_err();
        assert_eq!(error, "postgres://… or a folder is wanted, not mysql://…");
    }
}
