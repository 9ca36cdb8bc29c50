//! Facts of many calls, encoded once.

use throughline_core::{
    CallFacts,
    redact::{Redactor, Verdict},
};

use super::{
    attributes::{Attributes, Caps},
    span::field,
};

/// What is remembered of facts that are kept between calls.
#[derive(Debug)]
pub(crate) struct EncodedFacts {
    /// By whose rules, and how long a text may be.
    redactor: Redactor,
    chars: Option<usize>,
    /// As attributes of a span; nothing where a rule has a say in them, for then each use is to be counted.
    attributes: Option<Attributes>,
}

impl EncodedFacts {
    /// The attributes as this redactor and these caps have them, if they are remembered so.
    pub(crate) fn of<'a>(facts: &'a CallFacts, redactor: &Redactor, caps: Caps) -> Option<&'a Attributes> {
        let known = facts.memo(|| Self::encode(facts, redactor, caps))?;
        let is_same = known.redactor.is(redactor) && known.chars == caps.chars;
        known.attributes.as_ref().filter(|_| is_same)
    }

    fn encode(facts: &CallFacts, redactor: &Redactor, caps: Caps) -> Self {
        let is_kept = facts.iter().all(|(key, _)| redactor.judge_static(key) == Verdict::Keep);
        let attributes = is_kept.then(|| {
            let mut attributes = Attributes::default();
            let caps = Caps { count: usize::MAX, ..caps };
            facts.iter().for_each(|(key, value)| attributes.set(field::ATTRIBUTES, key, value, caps));
            attributes
        });
        Self { redactor: redactor.clone(), chars: caps.chars, attributes }
    }
}

#[cfg(test)]
mod tests {
    use throughline_core::{Clock, SpanRecord, Value, redact::Rules};

    use super::*;
    use crate::{encode::span::OtlpSpan, limits::SpanLimits};

    /// What a span has after `before`, and the facts on top: told together, and one after the other.
    fn both_ways(
        facts: &CallFacts,
        redactor: &Redactor,
        limits: SpanLimits,
        before: &[(&'static str, Value<'_>)],
    ) -> [Vec<u8>; 2] {
        let begun = || {
            let mut span = OtlpSpan::begin("checkout", limits, &Clock::default(), redactor);
            before.iter().for_each(|(key, value)| span.attribute_static(key, *value));
            span
        };
        let (mut together, mut apart) = (begun(), begun());
        together.facts(facts);
        facts.iter().for_each(|(key, value)| apart.attribute_static(key, value));
        [together, apart].map(|span| span.attributes().bytes().to_vec())
    }

    #[test]
    fn told_together_or_one_by_one_is_the_same() {
        let facts = CallFacts::kept([
            ("throughline.balance.instance", "users-1".into()),
            ("throughline.balance.total", 3.into()),
            ("user.password", "hunter2".into()),
        ]);
        let plain = CallFacts::kept([("app.replica", "eu-2".into()), ("app.replicas", 70_000.into())]);
        let once = CallFacts::from([("app.replica", "eu-2".into())]);
        let narrow = SpanLimits { attributes: 2, value_chars: Some(2), ..SpanLimits::default() };
        let redactors = [Redactor::default(), Redactor::new(Rules::new())];
        for facts in [facts, plain, once] {
            for limits in [SpanLimits::default(), narrow] {
                for redactor in &redactors {
                    for before in [
                        &[][..],
                        &[("http.request.method", "GET".into())],
                        &[("app.replicas", 2.into()), ("app.replica", "us-1".into())],
                    ] {
                        // Twice: the second time they are remembered.
                        for _ in 0..2 {
                            let [together, apart] = both_ways(&facts, redactor, limits, before);
                            assert_eq!(together, apart, "{facts:?} after {before:?} within {limits:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_secret_among_them_is_counted_each_time() {
        let redactor = Redactor::default();
        let facts = CallFacts::kept([("user.password", "hunter2".into())]);
        for times in 1..4 {
            both_ways(&facts, &redactor, SpanLimits::default(), &[]);
            assert_eq!(redactor.counters().by_name, 2 * times);
        }
    }

    #[test]
    fn keys_that_look_like_others_are_not_taken_for_them() {
        let redactor = Redactor::default();
        let names: Vec<&'static str> = (0..200).map(|number| &*format!("app.n{number}").leak()).collect();
        let before: Vec<_> = names.iter().step_by(2).map(|name| (*name, Value::I64(1))).collect();
        let news: Vec<_> = names.iter().skip(1).step_by(2).map(|name| (*name, 2.into())).collect();
        let limits = SpanLimits { attributes: 1_000, ..SpanLimits::default() };
        let facts = CallFacts::kept(news);
        let [together, apart] = both_ways(&facts, &redactor, limits, &before);
        assert_eq!(together, apart);
    }
}
