//! Database servers refuse to run as root, so root lets an account without any power run them.

use std::{
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

/// The account without power that every Unix has.
const NOBODY: &str = "nobody";

/// Who runs a server.
#[derive(Debug)]
pub(super) enum Account {
    /// Whoever runs the tests.
    Own,
    /// Somebody else, by user id and group id.
    Other(u32, u32),
}

impl Account {
    /// The account of whoever made `folder`, or, if that is root, `nobody`, whose folder it then becomes.
    pub(super) fn without_power(folder: &Path) -> Self {
        let owner = folder.metadata().expect("a folder").uid();
        let account = if owner == 0 { Self::Other(id("-u"), id("-g")) } else { Self::Own };
        account.give(folder);
        account
    }

    /// A command that this account runs.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let &Self::Other(user, group) = self {
            command.uid(user).gid(group);
        }
        command
    }

    /// Makes it the owner of a file or a folder.
    pub(super) fn give(&self, path: &Path) {
        if let &Self::Other(user, group) = self {
            chown(path, Some(user), Some(group)).expect("root may give away what it has made");
        }
    }
}

fn id(kind: &str) -> u32 {
    let output = Command::new("id").args([kind, NOBODY]).output().expect("`id` starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    printed.trim().parse().unwrap_or_else(|_| panic!("no account {NOBODY}: {output:?}"))
}
