//! Questions about everyone whom some sets of callers admit.

use policy::language::{Budget, Undecided};

use super::Mint;
use super::caller::{Caller, Callers, Wanted};
use super::shape::{Shape, is_none_of};

/// How many names are listed before they are described by what they have in
/// common.
pub(super) const LISTED: usize = 8;

/// The sets that are asked about.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) mint: &'a Mint,
    pub(super) callers: &'a [&'a Callers],
    pub(super) budget: &'a Budget,
}

/// The values that a text has.
pub(super) enum Values {
    /// These and no others.
    Few(Vec<String>),
    /// More than are listed.
    Many,
}

impl<'a> Ask<'a> {
    /// An admitted caller of the first shape that has one, the one with the
    /// shortest subject; and the set it belongs to. One who is sure to be admitted
    /// comes before all who may only be.
    pub(super) fn find(
        &self,
        shapes: impl Fn(&Shape) -> bool,
        wanted: &[Wanted],
    ) -> Result<Option<(Caller, &'a Callers)>, Undecided> {
        for uncertain in [false, true] {
            let callers = self.callers.iter();
            let callers = callers.filter(|callers| callers.set.is_uncertain() == uncertain);
            for shape in self.mint.shapes.iter().filter(|shape| shapes(shape)) {
                let mut found: Vec<(Caller, &Callers)> = Vec::new();
                for callers in callers.clone() {
                    let caller = callers.find(shape, wanted, self.budget)?;
                    found.extend(caller.map(|caller| (caller, *callers)));
                }
                // Independent of the order of statements.
                let best = found.into_iter().min_by_key(|(caller, _)| {
                    let subject = caller.subject().to_owned();
                    (subject.len(), subject, caller.claims.clone())
                });
                if best.is_some() {
                    return Ok(best);
                }
            }
        }
        Ok(None)
    }

    /// The values of `text` among the callers of these shapes.
    pub(super) fn values(
        &self,
        text: usize,
        shapes: impl Fn(&Shape) -> bool,
        wanted: &[Wanted],
    ) -> Result<Values, Undecided> {
        let mut values: Vec<String> = Vec::new();
        loop {
            let mut others = wanted.to_vec();
            if !values.is_empty() {
                others.push(is_none_of(text, &values));
            }
            let Some((caller, _)) = self.find(&shapes, &others)? else {
                values.sort();
                return Ok(Values::Few(values));
            };
            if values.len() == LISTED {
                return Ok(Values::Many);
            }
            values.push(caller.text(text).to_owned());
        }
    }

    /// Whether one of the sets holds every run of these shapes.
    pub(super) fn covers(
        &self,
        shapes: impl Fn(&Shape) -> bool,
        wanted: &[Wanted],
    ) -> Result<bool, Undecided> {
        for shape in self.mint.shapes.iter().filter(|shape| shapes(shape)) {
            let mut covered = false;
            for callers in self.callers {
                covered = covered || callers.covers(shape, wanted, self.budget)?;
            }
            if !covered {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
