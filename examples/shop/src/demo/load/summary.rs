//! The load in numbers.

use std::time::Duration;

use super::{Answers, watcher::Seen};
use crate::demo::{fleet::Report, stage::Stage};

pub(super) fn table(stage: &Stage, answers: &Answers, seen: Option<&Seen>) -> String {
    let mut lines = Vec::new();
    let mut row = |name: &str, text: String| lines.push(format!("{name:<12} {text}"));
    let seconds = answers.duration().as_secs_f64();
    row(
        "orders",
        format!(
            "{} sent in {seconds:.1} s, {:.1} a second",
            answers.total(),
            answers.total() as f64 / seconds
        ),
    );
    row(
        "answers",
        format!(
            "{} accepted, {} refused, {} failed; {} of them degraded",
            answers.accepted(),
            answers.refused(),
            answers.failed(),
            answers.degraded()
        ),
    );
    for (kind, times) in answers.others() {
        row("", format!("{times} × {kind}"));
    }
    let waits = [("p50", 500), ("p90", 900), ("p99", 990), ("longest", 1_000)];
    row("wait", waits.map(|(name, rank)| format!("{name} {}", ms(answers.wait(rank)))).join(", "));
    telemetry(stage, seen, &mut row);
    lines.join("\n")
}

fn telemetry(stage: &Stage, seen: Option<&Seen>, row: &mut impl FnMut(&str, String)) {
    if let Some(seen) = seen {
        let errors: Vec<_> = seen.errors().map(|(service, errors)| format!("{service} {errors}")).collect();
        row(
            "errors",
            if errors.is_empty() { "none".to_owned() } else { format!("spans of {}", errors.join(", ")) },
        );
    }
    let reports =
        stage.fleet.ledger().read(|said| said.reports().map(|(_, report)| report).collect::<Vec<_>>());
    let sum: Report = reports.iter().copied().sum();
    let arrived = seen.map_or_else(String::new, |seen| format!(", {} arrived here", seen.spans()));
    row(
        "spans",
        format!(
            "{} made, {} delivered, {} dropped{arrived}, as {} processes report",
            sum.spans_made(),
            sum.spans_delivered(),
            sum.spans_dropped(),
            reports.len()
        ),
    );
    row("log lines", format!("{} written, {} dropped", sum.lines_written(), sum.lines_dropped()));
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
