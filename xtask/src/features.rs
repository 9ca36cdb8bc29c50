//! Each feature of each library crate builds alone, and none at all does, too.

use serde_json::Value;

use crate::command;

pub(crate) fn run() -> Result<(), String> {
    let metadata = command::output(env!("CARGO"), &["metadata", "--format-version=1", "--no-deps"])?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|error| error.to_string())?;
    for package in metadata.get("packages").and_then(Value::as_array).into_iter().flatten() {
        let name = package.get("name").and_then(Value::as_str).unwrap_or_default();
        if !name.starts_with("throughline") {
            continue;
        }
        command::cargo(&["check", "--lib", "-p", name, "--no-default-features"])?;
        let features = package.get("features").and_then(Value::as_object).into_iter().flatten();
        for (feature, _) in features {
            command::cargo(&["check", "--lib", "-p", name, "--no-default-features", "--features", feature])?;
        }
    }
    Ok(())
}
