//! Each fuzz target for half a minute, two at a time, from the corpora in the tree.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::command;

/// A smoke, for what is found at once; whoever looks for more runs `cargo fuzz` (`fuzz/README.md`).
const SECONDS: u32 = 30;
/// How many run at once.
const AT_ONCE: usize = 2;

pub(crate) fn run() -> Result<(), String> {
    let folder = command::root().join("fuzz");
    let tools = command::root().join("target/tools");
    let mut build = cargo_fuzz(&tools)?;
    // libFuzzer's instrumentation is not stable; with this, the stable compiler has it, too.
    build.env("RUSTC_BOOTSTRAP", "1").arg("build").current_dir(&folder);
    succeed(&mut build, "the fuzz targets do not build")?;
    let targets = targets(&folder)?;
    let programs = folder.join("target").join(host()?).join("release");
    for some in targets.chunks(AT_ONCE) {
        let running: Result<Vec<_>, String> =
            some.iter().map(|target| Ok((target, start(&folder, &programs, target)?))).collect();
        for (target, mut child) in running? {
            let status = child.wait().map_err(|error| error.to_string())?;
            if !status.success() {
                return Err(report(&folder, target));
            }
            println!("fuzz: {target} held for {SECONDS} s");
        }
    }
    Ok(())
}

/// `cargo fuzz`, installed first where it is not there.
fn cargo_fuzz(tools: &Path) -> Result<Command, String> {
    let is_there = Command::new(env!("CARGO"))
        .args(["fuzz", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if is_there {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.arg("fuzz");
        return Ok(cargo);
    }
    let program = tools.join("bin/cargo-fuzz");
    if !program.exists() {
        let mut install = Command::new(env!("CARGO"));
        install.args(["install", "cargo-fuzz", "--locked", "--quiet", "--root"]).arg(tools);
        succeed(&mut install, "cargo-fuzz cannot be installed")?;
    }
    let mut cargo = Command::new(program);
    cargo.arg("fuzz");
    Ok(cargo)
}

/// A target is a file.
fn targets(folder: &Path) -> Result<Vec<String>, String> {
    let files = fs::read_dir(folder.join("targets")).map_err(|error| error.to_string())?;
    let stems = files.flatten().filter_map(|file| Some(file.path().file_stem()?.to_str()?.to_owned()));
    let mut targets: Vec<_> = stems.collect();
    targets.sort();
    Ok(targets)
}

fn host() -> Result<String, String> {
    let version = command::output("rustc", &["-vV"])?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc does not say what machine this is".to_owned())
}

/// What is found on the way goes beside the build; the corpus in the tree is only read.
fn start(folder: &Path, programs: &Path, target: &str) -> Result<Child, String> {
    let found = folder.join("target/found").join(target);
    let artifacts = artifacts(folder, target);
    for folder in [&found, &artifacts] {
        fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    }
    let log = fs::File::create(log(folder, target)).map_err(|error| error.to_string())?;
    Command::new(programs.join(target))
        .arg(format!("-max_total_time={SECONDS}"))
        .arg("-rss_limit_mb=2048")
        .arg("-timeout=10")
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg(&found)
        .arg(folder.join("corpus").join(target))
        .stderr(log)
        .spawn()
        .map_err(|error| format!("{target} does not start: {error}"))
}

fn artifacts(folder: &Path, target: &str) -> PathBuf {
    folder.join("artifacts").join(target)
}

fn log(folder: &Path, target: &str) -> PathBuf {
    folder.join("target").join(format!("{target}.log"))
}

fn report(folder: &Path, target: &str) -> String {
    let log = fs::read_to_string(log(folder, target)).unwrap_or_default();
    let lines: Vec<_> = log.lines().collect();
    let end = lines.len().saturating_sub(40);
    let shown = lines.get(end..).unwrap_or_default().join("\n");
    format!("{target} does not hold:\n{shown}\nthe input is in {}", artifacts(folder, target).display())
}

fn succeed(command: &mut Command, problem: &str) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{problem}: {error}"))?;
    if status.success() { Ok(()) } else { Err(problem.to_owned()) }
}
