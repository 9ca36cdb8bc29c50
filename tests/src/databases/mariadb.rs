//! MariaDB.

use std::path::{Path, PathBuf};

use super::{Kind, Place, START_TIMEOUT, USER, run};
use crate::Server;

/// The database is made when the server starts.
pub(super) const KIND: Kind = Kind { scheme: "mysql", database: DATABASE, create, start };

const DATABASE: &str = "throughline";

/// The program that makes a data folder, and where it lies seen from `mariadbd`'s folder.
const INSTALLERS: [&str; 3] =
    ["mariadb-install-db", "../bin/mariadb-install-db", "../scripts/mariadb-install-db"];

/// Without the disk's word for anything: what a test writes need not outlive it.
const SETTINGS: [&str; 5] = [
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-buffer-pool-size=16M",
    "--innodb-log-file-size=8M",
];

fn create(place: &Place, program: &Path) {
    let mut command = place.command(&installer(program));
    command
        .args(["--no-defaults", "--skip-test-db", "--innodb-log-file-size=8M"])
        .arg(option("datadir", &place.data()));
    run(&mut command);
}

fn start(place: &Place, program: &Path, port: u16) -> Result<Server, String> {
    place.with_secret_file(&first_statements(&place.password), |statements| {
        let mut command = place.command(program);
        command
            .arg("--no-defaults") // must come first
            .args(SETTINGS)
            .arg(format!("--port={port}"))
            .arg(option("datadir", &place.data()))
            .arg(option("socket", &place.folder.path().join("mariadb.sock")))
            .arg(option("init-file", statements));
        let mut server = Server::start("mariadb", &mut command, place.folder.path());
        server.wait_until("ready", START_TIMEOUT, |log| {
            log.contains("ready for connections").then_some(()).ok_or_else(|| "not ready".to_owned())
        })?;
        Ok(server)
    })
}

/// One statement a line; run before anybody can connect. The port and the socket are two hosts.
fn first_statements(password: &str) -> String {
    let user = |host| {
        format!(
            "create or replace user '{USER}'@'{host}' identified by '{password}';\n\
             grant all on *.* to '{USER}'@'{host}' with grant option;\n"
        )
    };
    format!("create database if not exists {DATABASE};\n{}{}", user("127.0.0.1"), user("localhost"))
}

fn installer(program: &Path) -> PathBuf {
    let folder = program.parent().unwrap_or(program);
    let places = INSTALLERS.map(|name| folder.join(name));
    let found = places.into_iter().find(|path| path.exists());
    found.unwrap_or_else(|| panic!("no mariadb-install-db near {}", program.display()))
}

fn option(name: &str, value: &Path) -> String {
    format!("--{name}={}", value.display())
}
