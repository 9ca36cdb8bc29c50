//! Instructions counted with valgrind, against the budgets.

use crate::command;

pub(crate) fn run() -> Result<(), String> {
    command::cargo(&["run", "--profile", "bench", "-p", "benches", "--", "check"])
}
