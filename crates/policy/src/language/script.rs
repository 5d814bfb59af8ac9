//! Texts that are written together.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Alphabet;

/// How a variable is written into a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// As it is.
    Plain,
    /// With `%3A` for each colon.
    ColonEscaped,
}

impl Writing {
    fn written(self, value: &str) -> Cow<'_, str> {
        match self {
            Self::Plain => Cow::Borrowed(value),
            Self::ColonEscaped => Cow::Owned(value.replace(':', "%3A")),
        }
    }
}

/// One step of a script. Texts are numbered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Writes `literal` into `text`.
    Literal {
        /// The number of the text.
        text: usize,
        /// What is written.
        literal: &'static str,
    },
    /// Writes any run of characters of an alphabet into some texts at once.
    Variable {
        /// What it is made of.
        alphabet: Alphabet,
        /// The texts, and how it is written into each.
        writes: Vec<(usize, Writing)>,
    },
}

/// What is written into which texts, in order. Each variable gets one value per
/// telling of the script, however many texts it is written into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    steps: Vec<Step>,
    /// For each step, the texts that are complete behind it.
    complete: Vec<Vec<usize>>,
    /// Every text that is written.
    written: Vec<usize>,
}

impl Script {
    /// A script of these steps. A text is complete behind the last step that
    /// writes into it.
    pub fn new(steps: Vec<Step>) -> Self {
        let mut complete = vec![Vec::new(); steps.len()];
        let mut seen = Vec::new();
        for (at, step) in steps.iter().enumerate().rev() {
            for text in texts(step) {
                if !seen.contains(&text) {
                    seen.push(text);
                    complete[at].push(text);
                }
            }
        }
        Self {
            steps,
            complete,
            written: seen,
        }
    }

    /// Its steps.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether anything is written into `text`.
    pub fn writes(&self, text: usize) -> bool {
        self.written.contains(&text)
    }

    /// The texts, by number, when the variables have these values.
    pub fn tell(&self, values: &[String]) -> BTreeMap<usize, String> {
        let mut texts: BTreeMap<usize, String> = BTreeMap::new();
        let mut values = values.iter();
        for step in &self.steps {
            match step {
                Step::Literal { text, literal } => {
                    texts.entry(*text).or_default().push_str(literal);
                }
                Step::Variable { writes, .. } => {
                    let value = values.next().map_or("", String::as_str);
                    for (text, writing) in writes {
                        texts
                            .entry(*text)
                            .or_default()
                            .push_str(&writing.written(value));
                    }
                }
            }
        }
        texts
    }

    pub(super) fn complete_behind(&self, step: usize) -> &[usize] {
        &self.complete[step]
    }
}

fn texts(step: &Step) -> Vec<usize> {
    match step {
        Step::Literal { text, .. } => vec![*text],
        Step::Variable { writes, .. } => writes.iter().map(|(text, _)| *text).collect(),
    }
}
