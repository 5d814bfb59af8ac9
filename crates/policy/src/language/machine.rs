//! The automaton of a union, made deterministic as far as it is walked.
//!
//! A state is the set of places that the patterns can be at, sorted. Behind a
//! `*` that has been reached, all earlier places of the same pattern are left
//! out: what they can still match, the `*` can too. A pattern of literals and
//! `*` therefore has as many states as places, whatever the number of stars.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::{Pattern, Repeat, Token, Undecided, Union};

/// How many places all states of one union may hold together.
pub const MAXIMUM_POSITIONS: usize = 4_000_000;

/// The number of a state.
pub(super) type StateId = u32;

/// The state from which nothing matches any more.
pub(super) const DEAD: StateId = 0;
/// The state from which everything matches.
pub(super) const FULL: StateId = 1;

#[derive(Debug)]
pub(super) struct Machine {
    /// All patterns one behind the other; `None` ends each.
    places: Vec<Option<Token>>,
    /// For each place, where its pattern begins.
    begins: Vec<u32>,
    states: Vec<State>,
    known: HashMap<Vec<u32>, StateId, RandomState>,
    start: StateId,
    positions: usize,
}

#[derive(Debug, Default)]
struct State {
    places: Vec<u32>,
    accepts: bool,
    /// The characters that its places name, sorted.
    named: Vec<char>,
    /// Whether no other character matches.
    only_named: bool,
    /// Where each named character leads, once known; then every other one.
    after: Vec<Option<StateId>>,
}

impl Machine {
    /// Works on the machine of `union`, building it first where needed.
    pub(super) fn with<T>(
        union: &Union,
        work: impl FnOnce(&mut Self) -> Result<T, Undecided>,
    ) -> Result<T, Undecided> {
        let mut slot = union.machine.borrow_mut();
        let machine = match &mut *slot {
            Some(machine) => machine,
            empty => empty.insert(Self::new(union.patterns())?),
        };
        work(machine)
    }

    fn new(patterns: &[Pattern]) -> Result<Self, Undecided> {
        let mut places = Vec::new();
        let mut begins = Vec::new();
        let mut starts = Vec::new();
        for pattern in patterns {
            let begin = number(places.len())?;
            starts.push(begin);
            places.extend(pattern.tokens().iter().cloned().map(Some));
            places.push(None);
            begins.resize(places.len(), begin);
        }
        let mut machine = Self {
            places,
            begins,
            states: vec![State::default(), State::default()],
            known: HashMap::default(),
            start: DEAD,
            positions: 0,
        };
        for fixed in [DEAD, FULL] {
            machine.states[fixed as usize].after = vec![Some(fixed)];
        }
        machine.states[FULL as usize].accepts = true;
        machine.start = machine.state(starts)?;
        Ok(machine)
    }

    pub(super) fn start(&self) -> StateId {
        self.start
    }

    pub(super) fn accepts(&self, state: StateId) -> bool {
        self.states[state as usize].accepts
    }

    /// The characters that this state treats differently from all others.
    pub(super) fn named(&self, state: StateId) -> &[char] {
        &self.states[state as usize].named
    }

    /// Whether all other characters lead to where nothing matches.
    pub(super) fn only_named(&self, state: StateId) -> bool {
        self.states[state as usize].only_named
    }

    pub(super) fn matches(&mut self, text: &str) -> Result<bool, Undecided> {
        let mut state = self.start;
        for char in text.chars() {
            state = self.step(state, char)?;
        }
        Ok(self.accepts(state))
    }

    pub(super) fn step(&mut self, from: StateId, char: char) -> Result<StateId, Undecided> {
        let state = &self.states[from as usize];
        let slot = state
            .named
            .binary_search(&char)
            .unwrap_or(state.named.len());
        if let Some(known) = state.after[slot] {
            return Ok(known);
        }
        let mut next = Vec::new();
        for place in &state.places {
            let Some(token) = &self.places[*place as usize] else {
                continue;
            };
            if token.characters.contain(char) {
                let stays = token.repeat == Repeat::Run;
                next.push(if stays { *place } else { place + 1 });
            }
        }
        let next = self.state(next)?;
        self.states[from as usize].after[slot] = Some(next);
        Ok(next)
    }

    /// The state of these places and those that are reached for nothing.
    fn state(&mut self, reached: Vec<u32>) -> Result<StateId, Undecided> {
        let places = self.without_covered(self.closure(reached));
        if places.is_empty() {
            return Ok(DEAD);
        }
        let takes_all = |place: &u32| {
            let token = self.places[*place as usize].as_ref();
            token.is_some_and(Token::is_any_run) && self.places[*place as usize + 1].is_none()
        };
        if places.iter().any(takes_all) {
            return Ok(FULL);
        }
        if let Some(known) = self.known.get(&places) {
            return Ok(*known);
        }
        self.positions += places.len();
        if self.positions > MAXIMUM_POSITIONS {
            return Err(Undecided::Positions(MAXIMUM_POSITIONS));
        }
        let id = number(self.states.len())?;
        let mut named = Vec::new();
        let tokens = places.iter().map(|place| &self.places[*place as usize]);
        for token in tokens.clone().flatten() {
            token.characters.named(|char| named.push(char));
        }
        named.sort_unstable();
        named.dedup();
        let accepts = tokens.clone().any(Option::is_none);
        let only_named = tokens.flatten().all(|token| token.characters.only_named());
        self.known.insert(places.clone(), id);
        self.states.push(State {
            after: vec![None; named.len() + 1],
            places,
            accepts,
            named,
            only_named,
        });
        Ok(id)
    }

    /// With the places behind tokens that may take nothing.
    fn closure(&self, mut reached: Vec<u32>) -> Vec<u32> {
        reached.sort_unstable();
        let mut places: Vec<u32> = Vec::with_capacity(reached.len());
        for mut place in reached {
            // What is already there has been followed already.
            while places.last().is_none_or(|last| *last < place) {
                places.push(place);
                let token = self.places[place as usize].as_ref();
                if token.is_none_or(|token| token.repeat == Repeat::Once) {
                    break;
                }
                place += 1;
            }
        }
        places
    }

    /// Leaves out what an any-run that comes later in the same pattern covers.
    fn without_covered(&self, mut places: Vec<u32>) -> Vec<u32> {
        let mut covered = None;
        places.reverse();
        places.retain(|place| {
            let begin = self.begins[*place as usize];
            if covered == Some(begin) {
                return false;
            }
            let token = self.places[*place as usize].as_ref();
            if token.is_some_and(Token::is_any_run) {
                covered = Some(begin);
            }
            true
        });
        places.reverse();
        places
    }
}

/// A number of a place, state or step.
pub(super) fn number(count: usize) -> Result<u32, Undecided> {
    u32::try_from(count)
        .ok()
        .filter(|count| *count < u32::MAX)
        .ok_or(Undecided::Positions(MAXIMUM_POSITIONS))
}
