//! Whether anything was lost or doubled: what customers were told, the database, the consumers and the traces must agree.

use std::error::Error;

use super::{Answers, Settled, watcher::Seen};
use crate::demo::printer::Printer;

/// Prints the comparison; an order that was lost or doubled is an error.
pub(super) fn judge(
    printer: Printer,
    answers: &Answers,
    settled: &Settled,
    seen: Option<&Seen>,
) -> Result<(), Box<dyn Error>> {
    let whole = seen.map(|seen| seen.whole(answers.traces()));
    printer.line(&comparison(answers, settled, whole))?;
    let faults = faults(answers, settled, whole.zip(seen.map(Seen::missed)));
    if faults.is_empty() {
        return Ok(printer.line("verdict      none lost, none doubled")?);
    }
    printer.line(&format!("verdict      {}", faults.join("; ")))?;
    Err("orders were lost or doubled".into())
}

fn comparison(answers: &Answers, settled: &Settled, whole: Option<u64>) -> String {
    let mut text = format!("compared     accepted {}, database {}", answers.accepted(), settled.database);
    for (word, orders, duplicates) in &settled.consumers {
        text += &format!(", {word} {orders}");
        if *duplicates > 0 {
            text += &format!(" (and {duplicates} duplicates recognised)");
        }
    }
    if let Some(whole) = whole {
        text += &format!(", whole traces {whole}");
    }
    text
}

/// An order whose customer was told of a failure may have been stored or not: nobody knows, and a customer asks again with
/// the same key. All others must be there, once.
fn faults(answers: &Answers, settled: &Settled, traces: Option<(u64, u64)>) -> Vec<String> {
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
    match traces {
        Some((_, missed)) if missed > 0 => faults.push(format!("{missed} spans pushed out uncounted")),
        Some((whole, _)) if whole != answers.traces().len() as u64 => {
            faults.push(format!("{} traces not whole", answers.traces().len() as u64 - whole));
        }
        _ => {}
    }
    faults
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
        assert_eq!(faults(&answers, &settled(0, 0, 0), Some((0, 5))), ["5 spans pushed out uncounted"]);
    }
}
