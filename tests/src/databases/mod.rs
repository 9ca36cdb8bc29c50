//! Real databases: each in a folder of its own, empty, gone when dropped.

mod account;
mod mariadb;
mod postgres;

use std::{
    fs,
    hash::{BuildHasher, RandomState},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use account::Account;
use tempfile::TempDir;

use crate::{MARIADB, POSTGRES, Server, free_ports, program, retried};

/// How long a database may take to answer.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// The name of the user.
const USER: &str = "throughline";

/// A running database server with one empty database.
///
/// It listens on a free port of the loopback and on a Unix socket in its folder, takes a password that nobody else knows,
/// and doesn't wait for the disk. Dropping it ends the server and removes the folder.
#[derive(Debug)]
pub struct Database {
    url: String,
    server: Server,
    folder: TempDir, // last: it goes when nobody writes into it any more
}

impl Database {
    /// Starts PostgreSQL; `None` where the test called `test` has to be skipped.
    ///
    /// # Panics
    ///
    /// When servers are required and there is none, or it doesn't start: with what it printed.
    #[must_use]
    pub fn postgres(test: &str) -> Option<Self> {
        let program = program(POSTGRES, test)?;
        Some(Place::new().start(&postgres::KIND, &program))
    }

    /// Starts MariaDB; `None` where the test called `test` has to be skipped.
    ///
    /// # Panics
    ///
    /// As [`Database::postgres`].
    #[must_use]
    pub fn mariadb(test: &str) -> Option<Self> {
        let program = program(MARIADB, test)?;
        Some(Place::new().start(&mariadb::KIND, &program))
    }

    /// How to connect to the empty database, password included: `postgres://…` or `mysql://…`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the server has printed until now.
    #[must_use]
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// Where its files are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// What one kind of server does in its own way.
struct Kind {
    /// What its URLs begin with.
    scheme: &'static str,
    /// The empty database.
    database: &'static str,
    /// Makes the data folder.
    create: fn(&Place, &Path),
    /// Starts the server on a port and waits until it answers; the error is what it printed when it ended before.
    start: fn(&Place, &Path, u16) -> Result<Server, String>,
}

/// Where a database is going to live, and who runs it.
struct Place {
    folder: TempDir,
    account: Account,
    password: String,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let account = Account::without_power(folder.path());
        // Keyed from the operating system's randomness; good for the minute that the server lives.
        let password = format!("{:016x}", RandomState::new().hash_one("password"));
        Self { folder, account, password }
    }

    fn start(self, kind: &Kind, program: &Path) -> Database {
        (kind.create)(&self, program);
        let (server, port) = retried(|| {
            let [port] = free_ports();
            Ok(((kind.start)(&self, program, port)?, port))
        });
        let Kind { scheme, database, .. } = kind;
        let url = format!("{scheme}://{USER}:{}@127.0.0.1:{port}/{database}", self.password);
        Database { url, server, folder: self.folder }
    }

    /// Where the server keeps its data.
    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A program that is run in the folder, without power.
    fn command(&self, program: &Path) -> Command {
        let mut command = self.account.command(program);
        command.current_dir(self.folder.path());
        command
    }

    /// While `work` runs, there is a file with `text`, which holds the password. It is gone afterwards.
    fn with_secret_file<T>(&self, text: &str, work: impl FnOnce(&Path) -> T) -> T {
        let path = self.folder.path().join("secret");
        fs::write(&path, text).expect("a file in the folder");
        self.account.give(&path);
        let result = work(&path);
        fs::remove_file(&path).expect("the file is still there");
        result
    }
}

/// Runs a program that ends by itself.
fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    assert!(output.status.success(), "{command:?} ended with {}:\n{output:?}", output.status);
}
