//! A sequence of characters and wildcards.

use std::fmt;

/// Which characters a token takes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Characters {
    /// This one.
    Only(char),
    /// This lower-case ASCII character or any that becomes it in lower case.
    IgnoringCase(char),
    /// One of these.
    OneOf(Vec<char>),
    /// Any but this one.
    AllBut(char),
    /// Any.
    Any,
}

/// How many characters a token takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Repeat {
    /// One.
    Once,
    /// One or none.
    Optional,
    /// Any number.
    Run,
}

/// One place of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    /// What it takes.
    pub characters: Characters,
    /// How often.
    pub repeat: Repeat,
}

/// A sequence of tokens; it matches a text that they take from end to end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Pattern {
    tokens: Vec<Token>,
}

/// The Kelvin sign, the only character outside of ASCII whose lower case is one
/// ASCII letter.
const KELVIN: char = '\u{212a}';

impl Characters {
    /// Whether `char` is one of them.
    pub fn contain(&self, char: char) -> bool {
        match self {
            Self::Only(only) => *only == char,
            Self::IgnoringCase(lower) => {
                char.to_ascii_lowercase() == *lower || (*lower == 'k' && char == KELVIN)
            }
            Self::OneOf(list) => list.contains(&char),
            Self::AllBut(excluded) => *excluded != char,
            Self::Any => true,
        }
    }

    /// Every character that they treat differently from all that are not named.
    pub(super) fn named(&self, mut name: impl FnMut(char)) {
        match self {
            Self::Only(char) | Self::AllBut(char) => name(*char),
            Self::IgnoringCase(lower) => {
                name(*lower);
                name(lower.to_ascii_uppercase());
                if *lower == 'k' {
                    name(KELVIN);
                }
            }
            Self::OneOf(list) => list.iter().copied().for_each(name),
            Self::Any => {}
        }
    }

    /// Whether those that are not named are not among them.
    pub(super) fn only_named(&self) -> bool {
        !matches!(self, Self::AllBut(_) | Self::Any)
    }
}

impl Token {
    /// This character.
    pub fn char(char: char) -> Self {
        Self {
            characters: Characters::Only(char),
            repeat: Repeat::Once,
        }
    }

    /// `*`: any run of any characters.
    pub fn any_run() -> Self {
        Self {
            characters: Characters::Any,
            repeat: Repeat::Run,
        }
    }

    pub(super) fn is_any_run(&self) -> bool {
        self.characters == Characters::Any && self.repeat == Repeat::Run
    }

    fn is_any_one(&self) -> bool {
        self.characters == Characters::Any && self.repeat == Repeat::Once
    }
}

impl Pattern {
    /// A pattern of these tokens. Neighbouring `*` and `?` are put into one
    /// order, `??*`, which matches the same and has fewer states.
    pub fn new(tokens: impl IntoIterator<Item = Token>) -> Self {
        let mut pattern = Self::default();
        for token in tokens {
            let behind_run = pattern.tokens.last().is_some_and(Token::is_any_run);
            if behind_run && token.is_any_run() {
                continue;
            }
            if behind_run && token.is_any_one() {
                let before_run = pattern.tokens.len() - 1;
                pattern.tokens.insert(before_run, token);
            } else {
                pattern.tokens.push(token);
            }
        }
        pattern
    }

    /// Exactly this text.
    pub fn literal(text: &str) -> Self {
        Self {
            tokens: text.chars().map(Token::char).collect(),
        }
    }

    /// `*` is any run, `?` any one character, the rest is literal.
    pub fn wildcards(text: &str) -> Self {
        Self::new(text.chars().map(|char| match char {
            '*' => Token::any_run(),
            '?' => Token {
                characters: Characters::Any,
                repeat: Repeat::Once,
            },
            literal => Token::char(literal),
        }))
    }

    /// Every text that equals this one when both are put into lower case. `None`
    /// for a text with letters outside of ASCII, whose case can depend on their
    /// neighbours.
    pub fn ignoring_case(text: &str) -> Option<Self> {
        let tokens = text.chars().map(|char| Token {
            characters: Characters::IgnoringCase(char.to_ascii_lowercase()),
            repeat: Repeat::Once,
        });
        text.is_ascii().then(|| Self {
            tokens: tokens.collect(),
        })
    }

    /// Its tokens.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The text, where the pattern matches only one.
    pub fn as_literal(&self) -> Option<String> {
        self.tokens
            .iter()
            .map(|token| match (&token.characters, token.repeat) {
                (Characters::Only(char), Repeat::Once) => Some(*char),
                _ => None,
            })
            .collect()
    }

    /// The literal characters that every match begins with.
    pub fn literal_start(&self) -> String {
        self.tokens
            .iter()
            .map_while(|token| match (&token.characters, token.repeat) {
                (Characters::Only(char), Repeat::Once) => Some(*char),
                _ => None,
            })
            .collect()
    }

    /// The same without the empty text; `None` where nothing else matches, and
    /// where one pattern cannot say it.
    pub(crate) fn without_empty(&self) -> WithoutEmpty {
        if self.tokens.is_empty() {
            return WithoutEmpty::Nothing;
        }
        if self.tokens.iter().any(|token| token.repeat == Repeat::Once) {
            return WithoutEmpty::Pattern(self.clone());
        }
        match &self.tokens[..] {
            [run] if run.repeat == Repeat::Run => WithoutEmpty::Pattern(Self {
                tokens: vec![
                    Token {
                        characters: run.characters.clone(),
                        repeat: Repeat::Once,
                    },
                    run.clone(),
                ],
            }),
            _ => WithoutEmpty::Unsayable,
        }
    }
}

/// What is left of a pattern without the empty text.
pub(crate) enum WithoutEmpty {
    /// Nothing.
    Nothing,
    /// This.
    Pattern(Pattern),
    /// Something that needs more than one pattern.
    Unsayable,
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in &self.tokens {
            match (&token.characters, token.repeat) {
                (Characters::Only(char) | Characters::IgnoringCase(char), Repeat::Once) => {
                    write!(formatter, "{char}")?;
                }
                (_, Repeat::Run) => formatter.write_str("*")?,
                (_, Repeat::Once | Repeat::Optional) => formatter.write_str("?")?,
            }
        }
        Ok(())
    }
}
