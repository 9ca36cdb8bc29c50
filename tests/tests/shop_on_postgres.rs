//! The demo with its tables in a real PostgreSQL, which already holds the orders of a run before.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::process::Command;

use tests::{Database, shop};

/// What the shop prints when it is run on this database.
fn printed(database: &Database, arguments: &[&str]) -> String {
    let output = Command::new(shop()).args(["--database", database.url()]).args(arguments).output().unwrap();
    let [printed, told] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{printed}\n{told}");
    assert!(!told.contains(database.url()), "the password is nobody's business: {told}");
    printed
}

#[test]
fn the_shop_does_the_same_on_postgresql() {
    let Some(database) = Database::postgres("the_shop_does_the_same_on_postgresql") else { return };
    let happy = printed(&database, &["--scenario", "happy"]);
    for expected in
        ["status=201", "orders  INSERT orders", "postgresql", "fulfilment  INSERT parcels", "orders  COMMIT"]
    {
        assert!(happy.contains(expected), "{expected:?} in\n{happy}");
    }
    let load = printed(&database, &["--orders", "30", "--rate", "30"]);
    for expected in ["accepted 30, database 30", "read model 30", "none lost, none doubled"] {
        assert!(load.contains(expected), "{expected:?} in\n{load}");
    }
    let replay = printed(&database, &["--scenario", "event-retry"]);
    assert!(replay.contains("dead letter"), "{replay}");
}
