//! The characters that a variable may be made of.

/// A set of characters with an order of preference for examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// These, the preferred ones first.
    Of(&'static str),
    /// Every character that is no control character, but these.
    AllBut(&'static str),
    /// Every character.
    Any,
}

/// What an example is made of where nothing else is asked for.
const READABLE: &str = "xyzabcdefghijklmnopqrstuvwXYZABCDEFGHIJKLMNOPQRSTUVW0123456789-_.";

impl Alphabet {
    /// Whether `char` belongs to it.
    pub fn contains(self, char: char) -> bool {
        match self {
            Self::Of(list) => list.contains(char),
            Self::AllBut(list) => !char.is_control() && !list.contains(char),
            Self::Any => true,
        }
    }

    /// A character of the alphabet that is not among `named`, if there is one.
    pub(super) fn fresh(self, named: &[char]) -> Option<char> {
        let free = |char: &char| self.contains(*char) && !named.contains(char);
        match self {
            Self::Of(list) => list.chars().find(free),
            Self::AllBut(_) | Self::Any => READABLE
                .chars()
                .find(free)
                .or_else(|| ('\u{a1}'..=char::MAX).find(free))
                .or_else(|| ('\0'..'\u{a1}').find(free)),
        }
    }
}
