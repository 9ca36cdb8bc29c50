//! The numbers to keep, and the table that shows them.

use std::error::Error;

use crate::{
    measure::{self, Run, Way},
    stacks::Stack,
};

/// Instructions that one sampled request with one span and one log line, both exported, may add to bare axum.
const REQUEST_MAX: u64 = 22_000;
/// The same with metrics on.
const REQUEST_WITH_METRICS_MAX: u64 = 30_000;
/// The same, metrics off, where the caller does not sample: only the line is left. The goal is 9,000; this is what has
/// been reached, so that nothing gets worse on the way there.
const UNSAMPLED_MAX: u64 = 16_000;
/// The same without a line; the goal is 5,000.
const UNSAMPLED_SILENT_MAX: u64 = 13_000;
/// Instructions of one JSON log line; what has been reached.
const LINE_MAX: u64 = 4_500;

/// Instructions of one client call under a span of its caller, request included; what has been reached.
const CALL_MAX: u64 = 19_400;
/// What retry, breaker and balancer may add to it where all goes well.
const RESILIENCE_MAX: u64 = 6_000;

/// Two numbers of requests: the difference is what is counted.
const FEW: u64 = 500;
const MANY: u64 = 2_000;

/// How often a stack that goes over its budget is counted, the lowest count being the one that holds: what the threads of a
/// run do while they wait for each other differs by one or two per cent from run to run, and only ever adds.
const TRIES: usize = 3;

const STACKS: [Stack; 6] = [
    Stack::Bare,
    Stack::HandAssembled,
    Stack::Throughline,
    Stack::ThroughlineMetrics,
    Stack::ThroughlineUnsampled,
    Stack::ThroughlineUnsampledSilent,
];

/// Counts instructions and compares them with the budgets.
pub(crate) fn check() -> Result<(), Box<dyn Error>> {
    println!(
        "{:<28} {:>14} {:>12} {:>10} {:>10}",
        "a request", "instructions", "over bare", "spans", "lines"
    );
    let mut bare = 0;
    let mut broken = Vec::new();
    for stack in STACKS {
        let (mut each, mut many) = request(stack)?;
        for _ in 1..TRIES {
            if request_problem(stack, each.saturating_sub(bare), many).is_none() {
                break;
            }
            let again = request(stack)?;
            (each, many) = if again.0 < each { again } else { (each, many) };
        }
        if stack == Stack::Bare {
            bare = each;
        }
        let over = each.saturating_sub(bare);
        let arrived = format!("{}/{MANY}", many.spans);
        println!("{:<28} {each:>14} {over:>12} {arrived:>10} {:>5}/{MANY}", stack.to_string(), many.lines);
        broken.extend(request_problem(stack, over, many));
    }
    println!();
    for (name, writer) in [("fmt json", "fmt"), ("throughline", "throughline")] {
        let each = line(writer)?;
        println!("a JSON line: {name:<12} {each:>8} instructions");
        if writer == "throughline" && each > LINE_MAX {
            broken.push(format!("a JSON line costs {each} instructions; {LINE_MAX} are allowed"));
        }
    }
    broken.extend(check_calls()?);
    if broken.is_empty() { Ok(()) } else { Err(broken.join("\n").into()) }
}

/// Counts client calls with and without the patterns; returns what is wrong.
fn check_calls() -> Result<Vec<String>, Box<dyn Error>> {
    let (traced, resilient) = (call("traced")?, call("resilient")?);
    let over = resilient.saturating_sub(traced);
    println!("a client call: traced       {traced:>8} instructions");
    println!("a client call: resilient    {resilient:>8} instructions, {over} more");
    let rows = [("a client call", traced, CALL_MAX), ("retry, breaker and balancer", over, RESILIENCE_MAX)];
    let broken = rows.into_iter().filter(|(_, each, allowed)| each > allowed);
    Ok(broken
        .map(|(name, each, allowed)| format!("{name}: {each} instructions; {allowed} are allowed"))
        .collect())
}

/// Times whole runs, interleaved, and prints the best of each stack.
pub(crate) fn time() -> Result<(), Box<dyn Error>> {
    const REQUESTS: u64 = 20_000;
    const ROUNDS: usize = 5;
    let mut best = [u64::MAX; STACKS.len()];
    let mut last = [Run::default(); STACKS.len()];
    for _ in 0..ROUNDS {
        for ((stack, best), last) in STACKS.into_iter().zip(&mut best).zip(&mut last) {
            *last = measure::serve(stack, REQUESTS, Way::Timed)?;
            *best = last.cpu_micros.min(*best);
        }
    }
    println!("{:<28} {:>16} {:>14} {:>14}", "flat out", "CPU us/request", "spans", "lines");
    for ((stack, best), last) in STACKS.into_iter().zip(best).zip(last) {
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        let each = best as f64 / REQUESTS as f64;
        println!(
            "{:<28} {each:>16.2} {:>7}/{REQUESTS} {:>7}/{REQUESTS}",
            stack.to_string(),
            last.spans,
            last.lines
        );
    }
    Ok(())
}

/// Instructions of one request, and the longer of the two runs that tell.
fn request(stack: Stack) -> Result<(u64, Run), Box<dyn Error>> {
    let (few, many) = (measure::serve(stack, FEW, Way::Counted)?, measure::serve(stack, MANY, Way::Counted)?);
    Ok((per_unit(few.instructions, many.instructions, MANY - FEW), many))
}

fn request_problem(stack: Stack, over: u64, run: Run) -> Option<String> {
    let allowed = match stack {
        Stack::Bare | Stack::HandAssembled => return None,
        Stack::Throughline => REQUEST_MAX,
        Stack::ThroughlineMetrics => REQUEST_WITH_METRICS_MAX,
        Stack::ThroughlineUnsampled => UNSAMPLED_MAX,
        Stack::ThroughlineUnsampledSilent => UNSAMPLED_SILENT_MAX,
    };
    if over > allowed {
        return Some(format!("{stack}: {over} instructions over bare axum; {allowed} are allowed"));
    }
    let whole = (run.spans >= MANY || !stack.exports()) && (run.lines >= MANY || !stack.logs());
    (!whole).then(|| format!("{stack}: only {} spans and {} lines of {MANY} arrived", run.spans, run.lines))
}

fn line(writer: &str) -> Result<u64, Box<dyn Error>> {
    let run = |lines: u64| measure::count(&["line", "--writer", writer, "--lines", &lines.to_string()]);
    Ok(per_unit(run(FEW)?, run(MANY)?, MANY - FEW))
}

fn call(client: &str) -> Result<u64, Box<dyn Error>> {
    let run = |calls: u64| measure::count(&["call", "--client", client, "--calls", &calls.to_string()]);
    Ok(per_unit(run(FEW)?, run(MANY)?, MANY - FEW))
}

const fn per_unit(few: u64, many: u64, units: u64) -> u64 {
    many.saturating_sub(few) / units
}
