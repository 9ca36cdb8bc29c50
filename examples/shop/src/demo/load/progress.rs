//! How far the load has got, on standard error.

use std::{
    io::{IsTerminal, stderr},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;

use super::Answers;

/// How often a line is written where there is no terminal.
const LINE_PERIOD: Duration = Duration::from_secs(5);

/// A bar on a terminal, now and then a line elsewhere.
pub(super) enum Progress {
    Bar(ProgressBar),
    Lines { orders: u32, last: Instant },
}

impl Progress {
    pub(super) fn new(orders: u32) -> Self {
        if !stderr().is_terminal() {
            return Self::Lines { orders, last: Instant::now() };
        }
        let style = ProgressStyle::with_template("shop: [{bar:40}] {pos}/{len} orders, {per_sec}, {msg}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        Self::Bar(ProgressBar::new(orders.into()).with_style(style))
    }

    pub(super) fn show(&mut self, answers: &Answers) {
        match self {
            Self::Bar(bar) => {
                bar.set_position(answers.total());
                bar.set_message(troubles(answers));
            }
            Self::Lines { orders, last } if last.elapsed() >= LINE_PERIOD => {
                *last = Instant::now();
                let (total, seconds) = (answers.total(), answers.since().as_secs());
                eprintln!(
                    "shop: {total} of {orders} orders answered after {seconds} s, {}",
                    troubles(answers)
                );
            }
            Self::Lines { .. } => {}
        }
    }

    /// A remark that stays.
    pub(super) fn say(&self, text: &str) {
        match self {
            Self::Bar(bar) => bar.println(format!("shop: {text}")),
            Self::Lines { .. } => eprintln!("shop: {text}"),
        }
    }

    pub(super) fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish();
        }
    }
}

fn troubles(answers: &Answers) -> String {
    format!("{} refused, {} failed", answers.refused(), answers.failed())
}
