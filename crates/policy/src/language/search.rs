//! Whether a script can be told so that every demand on its texts is met.
//!
//! Breadth first over joint states: the step that is being written, and for each
//! demand the state of its automaton. Characters that no automaton names in a
//! state lead to the same state, so one of them stands for all.

use std::cell::Cell;
use std::collections::{HashSet, VecDeque};
use std::rc::Rc;

use foldhash::fast::RandomState;

use super::machine::{DEAD, FULL, Machine, StateId, number};
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

/// The state of each demand, and behind them the number of the step.
type Joint = Rc<[StateId]>;

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
    let mut on_text = Vec::new();
    for (at, (text, _)) in demands.iter().enumerate() {
        if on_text.len() <= *text {
            on_text.resize(text + 1, Vec::new());
        }
        on_text[*text].push(at);
    }
    let mut walk = Walk {
        script,
        demands,
        on_text,
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
    /// For each text, the places of the demands on it.
    on_text: Vec<Vec<usize>>,
    budget: &'a Budget,
    /// How each joint state was reached: the state before and what was written.
    trail: Vec<(usize, Option<char>)>,
    known: HashSet<Joint, RandomState>,
    queue: VecDeque<Node>,
}

struct Node {
    trail: usize,
    step: usize,
    joint: Joint,
}

/// What every joint state needs for a moment, so that none allocates its own.
#[derive(Default)]
struct Scratch {
    states: Vec<StateId>,
    named: Vec<char>,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<Option<Vec<String>>, Undecided> {
        let mut scratch = Scratch::default();
        for (_, clause) in self.demands {
            let start = Machine::with(&clause.union, |machine| Ok(machine.start()))?;
            scratch.states.push(start);
        }
        scratch.states.push(0);
        let unwritten: Vec<usize> = (0..self.on_text.len())
            .filter(|text| !self.script.writes(*text))
            .collect();
        if !self.complete(&mut scratch.states, &unwritten)? {
            return Ok(None);
        }
        let Some(step) = self.write_literals(0, &mut scratch.states)? else {
            return Ok(None);
        };
        self.push(usize::MAX, None, step, &mut scratch.states)?;
        while let Some(node) = self.queue.pop_front() {
            let Some(step) = self.script.steps().get(node.step) else {
                return Ok(Some(self.values(node.trail)));
            };
            if let Step::Variable { alphabet, writes } = step {
                self.end_variable(&node, &mut scratch.states)?;
                self.extend_variable(&node, *alphabet, writes, &mut scratch)?;
            }
        }
        Ok(None)
    }

    /// Goes on to what comes behind the variable, if it may end here.
    fn end_variable(&mut self, node: &Node, states: &mut Vec<StateId>) -> Result<(), Undecided> {
        states.clear();
        states.extend_from_slice(&node.joint);
        let behind = self.script.complete_behind(node.step);
        if self.complete(states, behind)?
            && let Some(step) = self.write_literals(node.step + 1, states)?
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
        scratch: &mut Scratch,
    ) -> Result<(), Undecided> {
        let Scratch { states, named } = scratch;
        let others = self.name_characters(node, writes, named)?;
        let fresh = others.then(|| alphabet.fresh(named)).flatten();
        let usable = named.iter().copied();
        let usable = usable.filter(|char| alphabet.contains(*char));
        for char in fresh.into_iter().chain(usable) {
            states.clear();
            states.extend_from_slice(&node.joint);
            if self.write_character(states, writes, char)? {
                self.push(node.trail, Some(char), node.step, states)?;
            }
        }
        Ok(())
    }

    /// Whether the demands can still be met after a variable went on like this.
    fn write_character(
        &self,
        states: &mut [StateId],
        writes: &[(usize, Writing)],
        char: char,
    ) -> Result<bool, Undecided> {
        for (text, writing) in writes {
            let escaped = char == ':' && *writing == Writing::ColonEscaped;
            let mut plain = [0; 4];
            let written = if escaped {
                "%3A"
            } else {
                char.encode_utf8(&mut plain)
            };
            if !self.write(states, *text, written)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The demands on a text, by their places.
    fn on(&self, text: usize) -> &[usize] {
        self.on_text.get(text).map_or(&[], Vec::as_slice)
    }

    /// The characters that lead somewhere by themselves, and whether all others,
    /// which lead to one place, may be worth a try: not where a demand, as that of
    /// a subject that is written out, wants one of a few characters next.
    fn name_characters(
        &self,
        node: &Node,
        writes: &[(usize, Writing)],
        named: &mut Vec<char>,
    ) -> Result<bool, Undecided> {
        named.clear();
        let mut others = true;
        for (text, writing) in writes {
            for at in self.on(*text) {
                let (state, clause) = (node.joint[*at], self.demands[*at].1);
                if state == MET || !others {
                    continue;
                }
                Machine::with(&clause.union, |machine| {
                    if !clause.negated && machine.only_named(state) {
                        others = false;
                        named.clear();
                    }
                    named.extend_from_slice(machine.named(state));
                    Ok(())
                })?;
            }
            if *writing == Writing::ColonEscaped {
                named.push(':');
            }
        }
        named.sort_unstable();
        named.dedup();
        Ok(others)
    }

    /// Writes the literals from `step` on, up to a variable or the end: the step
    /// there.
    fn write_literals(
        &self,
        mut step: usize,
        states: &mut [StateId],
    ) -> Result<Option<usize>, Undecided> {
        while let Some(Step::Literal { text, literal }) = self.script.steps().get(step) {
            let behind = self.script.complete_behind(step);
            if !self.write(states, *text, literal)? || !self.complete(states, behind)? {
                return Ok(None);
            }
            step += 1;
        }
        Ok(Some(step))
    }

    /// Whether the demands can still be met after this is written.
    fn write(&self, states: &mut [StateId], text: usize, written: &str) -> Result<bool, Undecided> {
        for at in self.on(text) {
            let (state, clause) = (&mut states[*at], self.demands[*at].1);
            if *state == MET {
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

    /// Whether the demands on texts that are complete now are met.
    fn complete(&self, states: &mut [StateId], texts: &[usize]) -> Result<bool, Undecided> {
        for at in texts.iter().flat_map(|text| self.on(*text)) {
            let (state, clause) = (&mut states[*at], self.demands[*at].1);
            if *state == MET {
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
        states: &mut [StateId],
    ) -> Result<(), Undecided> {
        if let Some(last) = states.last_mut() {
            *last = number(step)?;
        }
        if self.known.contains(states) {
            return Ok(());
        }
        self.budget.spend()?;
        let joint = Joint::from(&*states);
        self.known.insert(Rc::clone(&joint));
        self.trail.push((before, written));
        let node = Node {
            trail: self.trail.len() - 1,
            step,
            joint,
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
