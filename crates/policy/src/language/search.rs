//! Whether a script can be told so that every demand on its texts is met.
//!
//! Breadth first over joint states: the step that is being written, and for each
//! demand the state of its automaton. Characters that no automaton names in a
//! state lead to the same state, so one of them stands for all.

use std::cell::Cell;
use std::collections::{HashSet, VecDeque};

use foldhash::fast::RandomState;

use super::machine::{DEAD, FULL, Machine, StateId};
use super::{Alphabet, Clause, Script, Step, Undecided, Writing};

/// How many joint states searches look at together, unless told otherwise.
pub const MAXIMUM_STATES: usize = 200_000;

/// How many joint states may still be looked at. Searches for one answer share
/// a budget, so that many of them cannot take long together either.
#[derive(Debug, Clone)]
pub struct Budget {
    maximum: usize,
    left: Cell<usize>,
}

impl Budget {
    /// A budget of `maximum` joint states.
    pub fn new(maximum: usize) -> Self {
        Self {
            maximum,
            left: Cell::new(maximum),
        }
    }

    fn spend(&self) -> Result<(), Undecided> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.unwrap_or_default());
        left.map(drop).ok_or(Undecided::States(self.maximum))
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(MAXIMUM_STATES)
    }
}

/// That the text with this number belongs to this clause.
pub type Demand<'a> = (usize, &'a Clause);

/// A step and the state of each demand there.
type Joint = (usize, Box<[StateId]>);

/// The state of a demand that has been met for good.
const MET: StateId = StateId::MAX;

/// Values for the variables of `script`, in their order and short together, with
/// which every demand is met; `None` if there are none. A text that is never
/// written is empty.
pub fn search(
    script: &Script,
    demands: &[Demand],
    budget: &Budget,
) -> Result<Option<Vec<String>>, Undecided> {
    let mut walk = Walk {
        script,
        demands,
        budget,
        trail: Vec::new(),
        known: HashSet::default(),
        queue: VecDeque::new(),
    };
    walk.run()
}

struct Walk<'a> {
    script: &'a Script,
    demands: &'a [Demand<'a>],
    budget: &'a Budget,
    /// How each joint state was reached: the state before and what was written.
    trail: Vec<(usize, Option<char>)>,
    known: HashSet<Joint, RandomState>,
    queue: VecDeque<Node>,
}

struct Node {
    trail: usize,
    step: usize,
    states: Box<[StateId]>,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<Option<Vec<String>>, Undecided> {
        let mut states = Vec::with_capacity(self.demands.len());
        for (_, clause) in self.demands {
            states.push(Machine::with(&clause.union, |machine| Ok(machine.start()))?);
        }
        let mut states = states.into_boxed_slice();
        let unwritten = |text: usize| !self.script.writes(text);
        if !self.complete(&mut states, unwritten)? {
            return Ok(None);
        }
        let Some((step, states)) = self.write_literals(0, states)? else {
            return Ok(None);
        };
        self.push(usize::MAX, None, step, states)?;
        while let Some(node) = self.queue.pop_front() {
            let Some(step) = self.script.steps().get(node.step) else {
                return Ok(Some(self.values(node.trail)));
            };
            if let Step::Variable { alphabet, writes } = step {
                self.end_variable(&node)?;
                self.extend_variable(&node, *alphabet, writes)?;
            }
        }
        Ok(None)
    }

    /// Goes on to what comes behind the variable.
    fn end_variable(&mut self, node: &Node) -> Result<(), Undecided> {
        let mut states = node.states.clone();
        let behind = self.script.complete_behind(node.step);
        if self.complete(&mut states, |text| behind.contains(&text))?
            && let Some((step, states)) = self.write_literals(node.step + 1, states)?
        {
            self.push(node.trail, None, step, states)?;
        }
        Ok(())
    }

    /// Writes one more character of the variable.
    fn extend_variable(
        &mut self,
        node: &Node,
        alphabet: Alphabet,
        writes: &[(usize, Writing)],
    ) -> Result<(), Undecided> {
        for char in self.characters(node, alphabet, writes)? {
            let mut states = node.states.clone();
            let mut possible = true;
            for (text, writing) in writes {
                let escaped = char == ':' && *writing == Writing::ColonEscaped;
                let mut plain = [0; 4];
                let written = if escaped {
                    "%3A"
                } else {
                    char.encode_utf8(&mut plain)
                };
                possible = possible && self.write(&mut states, *text, written)?;
            }
            if possible {
                self.push(node.trail, Some(char), node.step, states)?;
            }
        }
        Ok(())
    }

    /// One character for each way to go on.
    fn characters(
        &self,
        node: &Node,
        alphabet: Alphabet,
        writes: &[(usize, Writing)],
    ) -> Result<Vec<char>, Undecided> {
        let mut named = Vec::new();
        for (at, (text, clause)) in self.demands.iter().enumerate() {
            if node.states[at] != MET && writes.iter().any(|(written, _)| written == text) {
                Machine::with(&clause.union, |machine| {
                    named.extend_from_slice(machine.named(node.states[at]));
                    Ok(())
                })?;
            }
        }
        if writes
            .iter()
            .any(|(_, writing)| *writing == Writing::ColonEscaped)
        {
            named.push(':');
        }
        named.sort_unstable();
        named.dedup();
        let fresh = alphabet.fresh(&named);
        let usable = named.into_iter().filter(|char| alphabet.contains(*char));
        Ok(fresh.into_iter().chain(usable).collect())
    }

    /// Writes the literals from `step` on, up to a variable or the end.
    fn write_literals(
        &self,
        mut step: usize,
        mut states: Box<[StateId]>,
    ) -> Result<Option<Joint>, Undecided> {
        while let Some(Step::Literal { text, literal }) = self.script.steps().get(step) {
            let behind = self.script.complete_behind(step);
            let possible = self.write(&mut states, *text, literal)?
                && self.complete(&mut states, |text| behind.contains(&text))?;
            if !possible {
                return Ok(None);
            }
            step += 1;
        }
        Ok(Some((step, states)))
    }

    /// Whether the demands can still be met after this is written.
    fn write(&self, states: &mut [StateId], text: usize, written: &str) -> Result<bool, Undecided> {
        for (state, (demanded, clause)) in states.iter_mut().zip(self.demands) {
            if *demanded != text || *state == MET {
                continue;
            }
            *state = Machine::with(&clause.union, |machine| {
                written
                    .chars()
                    .try_fold(*state, |state, char| machine.step(state, char))
            })?;
            let hopeless = if clause.negated { FULL } else { DEAD };
            if *state == hopeless {
                return Ok(false);
            }
            let certain = if clause.negated { DEAD } else { FULL };
            if *state == certain {
                *state = MET;
            }
        }
        Ok(true)
    }

    /// Whether the demands on the texts that are complete now are met.
    fn complete(
        &self,
        states: &mut [StateId],
        complete: impl Fn(usize) -> bool,
    ) -> Result<bool, Undecided> {
        for (state, (text, clause)) in states.iter_mut().zip(self.demands) {
            if *state == MET || !complete(*text) {
                continue;
            }
            let accepts = Machine::with(&clause.union, |machine| Ok(machine.accepts(*state)))?;
            if accepts == clause.negated {
                return Ok(false);
            }
            *state = MET;
        }
        Ok(true)
    }

    /// Keeps a joint state for later, unless it is known. One behind a variable
    /// comes first: nothing was added to reach it.
    fn push(
        &mut self,
        before: usize,
        written: Option<char>,
        step: usize,
        states: Box<[StateId]>,
    ) -> Result<(), Undecided> {
        if !self.known.insert((step, states.clone())) {
            return Ok(());
        }
        self.budget.spend()?;
        self.trail.push((before, written));
        let node = Node {
            trail: self.trail.len() - 1,
            step,
            states,
        };
        if written.is_some() {
            self.queue.push_back(node);
        } else {
            self.queue.push_front(node);
        }
        Ok(())
    }

    /// The values that were written on the way to a joint state.
    fn values(&self, last: usize) -> Vec<String> {
        let mut values = Vec::new();
        let mut value = Vec::new();
        let mut at = last;
        let mut begun = false;
        while let Some((before, written)) = self.trail.get(at) {
            if let Some(char) = written {
                value.push(*char);
            } else {
                // The end of a variable, which lies before what was gathered.
                if begun {
                    values.push(value.drain(..).rev().collect());
                }
                begun = true;
            }
            at = *before;
        }
        values.reverse();
        values
    }
}
