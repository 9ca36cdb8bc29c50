//! Whether anything was lost or doubled: what customers were told, the database, the consumers and the traces must agree.

use std::error::Error;

use super::{
    Answers, Settled,
    watcher::{Parts, Seen},
};
use crate::demo::printer::Printer;

/// Prints the comparison; an order that was lost or doubled is an error.
pub(super) fn judge(
    printer: Printer,
    answers: &Answers,
    settled: &Settled,
    seen: Option<&Seen>,
    killed: u32,
) -> Result<(), Box<dyn Error>> {
    let told = seen.map(|seen| Told { parts: seen.parts(answers.traces()), missed: seen.missed(), killed });
    printer.line(&comparison(answers, settled, told.as_ref()))?;
    let faults = faults(answers, settled, told.as_ref());
    if faults.is_empty() {
        return Ok(printer.line("verdict      none lost, none doubled")?);
    }
    printer.line(&format!("verdict      {}", faults.join("; ")))?;
    Err("orders were lost or doubled".into())
}

/// What the traces say.
struct Told {
    parts: Parts,
    /// Spans that came and were not looked at.
    missed: u64,
    /// How many instances of orders were killed, each with what it had not sent yet.
    killed: u32,
}

fn comparison(answers: &Answers, settled: &Settled, told: Option<&Told>) -> String {
    let mut text = format!("compared     accepted {}, database {}", answers.accepted(), settled.database);
    for (word, orders, duplicates) in &settled.consumers {
        text += &format!(", {word} {orders}");
        if *duplicates > 0 {
            text += &format!(" (and {duplicates} duplicates recognised)");
        }
    }
    if let Some(Told { parts, .. }) = told {
        text += &format!(", whole traces {}", parts.whole);
        if parts.without_orders > 0 {
            text += &format!(" (and {} without the spans of orders)", parts.without_orders);
        }
    }
    text
}

/// An order whose customer was told of a failure may have been stored or not: nobody knows, and a customer asks again with
/// the same key. All others must be there, once.
fn faults(answers: &Answers, settled: &Settled, told: Option<&Told>) -> Vec<String> {
    let (accepted, stored) = (answers.accepted(), settled.database);
    let mut faults = Vec::new();
    if stored < accepted {
        faults.push(format!("{} orders lost", accepted - stored));
    }
    if stored > accepted + answers.failed() {
        faults.push(format!("{} orders doubled", stored - accepted - answers.failed()));
    }
    if settled.waiting > 0 {
        faults.push(format!("{} events not sent", settled.waiting));
    }
    if settled.dead > 0 {
        faults.push(format!("{} dead letters", settled.dead));
    }
    for (word, orders, _) in &settled.consumers {
        if *orders != stored {
            faults.push(format!("{word}: {orders} orders and not {stored}"));
        }
    }
    faults.extend(told.and_then(fault_of_traces));
    faults
}

/// A process that is killed takes the spans along that it has not sent yet: that much the traces may lack.
fn fault_of_traces(told: &Told) -> Option<String> {
    let Told { parts, missed, killed } = told;
    let excused = if *killed > 0 { parts.without_orders } else { 0 };
    match parts.broken + parts.without_orders - excused {
        _ if *missed > 0 => Some(format!("{missed} spans pushed out uncounted")),
        0 => None,
        broken => Some(format!("{broken} traces not whole")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::demo::customer::NoAnswer;

    fn settled(database: u64, waiting: u64, packed: u64) -> Settled {
        Settled { database, waiting, dead: 0, consumers: vec![("packed", packed, 0)] }
    }

    #[test]
    fn what_does_not_agree_is_named() {
        let mut answers = Answers::default();
        answers.note((Duration::ZERO, Err(NoAnswer::OfAnother { correlation_id: String::new() })));
        for (settled, expected) in [
            (settled(0, 0, 0), ""),
            (settled(1, 0, 1), ""),
            (settled(2, 0, 2), "1 orders doubled"),
            (settled(1, 3, 0), "3 events not sent; packed: 0 orders and not 1"),
        ] {
            assert_eq!(faults(&answers, &settled, None).join("; "), expected, "{settled:?}");
        }
    }

    #[test]
    fn traces_may_lack_what_died_with_a_killed_instance_and_nothing_else() {
        let parts = |without_orders, broken| Parts { whole: 7, without_orders, broken };
        for (parts, missed, killed, expected) in [
            (parts(0, 0), 0, 0, None),
            (parts(2, 0), 0, 1, None),
            (parts(2, 0), 0, 0, Some("2 traces not whole")),
            (parts(2, 1), 0, 1, Some("1 traces not whole")),
            (parts(0, 0), 5, 1, Some("5 spans pushed out uncounted")),
        ] {
            let told = Told { parts, missed, killed };
            assert_eq!(fault_of_traces(&told).as_deref(), expected, "{parts:?} {missed} {killed}");
        }
    }
}
