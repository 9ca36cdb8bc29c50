//! PostgreSQL.

use std::path::Path;

use super::{Kind, Place, START_TIMEOUT, USER, run};
use crate::Server;

/// The database is the one that is there from the beginning.
pub(super) const KIND: Kind = Kind { scheme: "postgres", database: "postgres", create, start };

/// Without the disk's word for anything: what a test writes need not outlive it.
const SETTINGS: [&str; 6] = [
    "listen_addresses=127.0.0.1",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "shared_buffers=16MB",
    "log_min_messages=warning", // the line that says it is ready is always printed
];

/// Makes the data folder, with a user who needs the password even on the socket.
fn create(place: &Place, program: &Path) {
    place.with_secret_file(&place.password, |password| {
        let mut command = place.command(&folder_of(program).join("initdb"));
        command
            .args(["--username", USER, "--auth=scram-sha-256", "--encoding=UTF8"])
            .args(["--no-locale", "--no-sync", "--no-instructions"]) // no locale: its messages are in English then
            .arg("--pwfile")
            .arg(password)
            .arg("--pgdata")
            .arg(place.data());
        run(&mut command);
    });
}

fn start(place: &Place, program: &Path, port: u16) -> Result<Server, String> {
    let mut command = place.command(&folder_of(program).join("postgres"));
    command.arg("-D").arg(place.data()).arg("-p").arg(port.to_string());
    command.arg("-k").arg(place.folder.path());
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    // INT: it ends although somebody is connected; on TERM it would wait for them.
    let mut server = Server::start("postgres", &mut command, place.folder.path()).stop_signal("INT");
    server.wait_until("ready", START_TIMEOUT, |log| {
        let ready = log.contains("database system is ready to accept connections");
        ready.then_some(()).ok_or_else(|| "not ready".to_owned())
    })?;
    Ok(server)
}

/// The variable may name the program or the folder that it is in.
fn folder_of(program: &Path) -> &Path {
    if program.is_dir() { program } else { program.parent().unwrap_or(program) }
}
