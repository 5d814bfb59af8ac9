//! GitHub's filters for branches and tags:
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet>.
//!
//! Of a list the last filter that matches decides; no filter covers everything.

use std::iter::Peekable;
use std::str::Chars;

use policy::language::{Characters, Clause, Language, Pattern, Repeat, Token};

/// One filter of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Whether it takes out what it matches (`!`).
    takes_out: bool,
    pattern: Pattern,
    /// Whether GitHub's page says what it matches. If not, the pattern is a
    /// guess that is rather too wide.
    documented: bool,
}

/// What one `*` takes.
const WITHIN_SEGMENT: Characters = Characters::AllBut('/');

impl Filter {
    pub(crate) fn read(filter: &str) -> Self {
        let (takes_out, filter) = match filter.strip_prefix('!') {
            Some(filter) => (true, filter),
            None => (false, filter),
        };
        let mut reader = Reader {
            tokens: Vec::new(),
            documented: true,
        };
        let mut chars = filter.chars().peekable();
        while let Some(char) = chars.next() {
            reader.take(char, &mut chars);
        }
        Self {
            takes_out,
            pattern: Pattern::new(reader.tokens),
            documented: reader.documented,
        }
    }

    /// The one name that it lets in, where that is so.
    pub(crate) fn as_literal(&self) -> Option<String> {
        let alone = self.documented && !self.takes_out;
        alone.then(|| self.pattern.as_literal()).flatten()
    }

    fn matches(&self, name: &str) -> bool {
        let clause = Clause::any_of([self.pattern.clone()]);
        // A pattern beyond the bounds of the automata is taken to match.
        clause.contains(name).unwrap_or(true)
    }
}

struct Reader {
    tokens: Vec<Token>,
    documented: bool,
}

impl Reader {
    fn take(&mut self, char: char, chars: &mut Peekable<Chars<'_>>) {
        let once = |characters| Token {
            characters,
            repeat: Repeat::Once,
        };
        let token = match char {
            '*' if chars.next_if_eq(&'*').is_some() => Token::any_run(),
            '*' => Token {
                characters: WITHIN_SEGMENT,
                repeat: Repeat::Run,
            },
            '[' => once(self.set(chars)),
            '\\' => match chars.next() {
                Some(escaped) => Token::char(escaped),
                None => self.guess(Token::char('\\')),
            },
            '?' | '+' => match self.repeated(char) {
                Some(token) => token,
                None => return,
            },
            char => Token::char(char),
        };
        self.tokens.push(token);
    }

    fn guess<T>(&mut self, guess: T) -> T {
        self.documented = false;
        guess
    }

    /// `?` makes the last character optional, `+` lets it stand more than once.
    fn repeated(&mut self, mark: char) -> Option<Token> {
        let Some(last) = self.tokens.last_mut() else {
            return Some(self.guess(Token::char(mark)));
        };
        if last.repeat != Repeat::Once {
            return self.guess(None);
        }
        if mark == '?' {
            last.repeat = Repeat::Optional;
            return None;
        }
        Some(Token {
            repeat: Repeat::Run,
            ..last.clone()
        })
    }

    /// Letters and digits between `[` and `]`, alone or as ranges.
    fn set(&mut self, chars: &mut Peekable<Chars<'_>>) -> Characters {
        let mut listed = Some(Vec::new());
        loop {
            let Some(first) = chars.next() else {
                return self.guess(Characters::Any);
            };
            if first == ']' {
                break;
            }
            let last = match chars.next_if_eq(&'-') {
                Some(_) => chars.next().unwrap_or(first),
                None => first,
            };
            let documented = first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric();
            match &mut listed {
                Some(listed) if documented => listed.extend(first..=last),
                _ => listed = None,
            }
        }
        match listed {
            Some(listed) if !listed.is_empty() => Characters::OneOf(listed),
            _ => self.guess(Characters::Any),
        }
    }
}

/// Whether the filters cover `name`. Letter case is not told apart, because the
/// expressions whose names are looked up here do not tell it apart either.
pub(crate) fn cover(filters: &[String], name: &str) -> bool {
    let name = name.to_lowercase();
    let mut covered = filters.is_empty();
    for filter in filters {
        let filter = Filter::read(&filter.to_lowercase());
        if filter.matches(&name) {
            covered = !filter.takes_out;
        }
    }
    covered
}

/// `name` as a filter that covers it and nothing else.
pub(crate) fn literal(name: &str) -> String {
    let mut filter = String::new();
    for char in name.chars() {
        if "*?+[]!\\".contains(char) {
            filter.push('\\');
        }
        filter.push(char);
    }
    filter
}

/// The names that the filters cover, as a union; `None` where GitHub does not
/// say.
pub(crate) fn covered(filters: &[String]) -> Option<Vec<Language>> {
    if filters.is_empty() {
        return Some(vec![Language::all()]);
    }
    let mut covered: Vec<Language> = Vec::new();
    for filter in documented(filters)? {
        if filter.takes_out {
            covered = with(covered, &Clause::none_of([filter.pattern]));
        } else {
            covered.push(Language::all().and(Clause::any_of([filter.pattern])));
        }
    }
    Some(covered)
}

/// The names that the filters leave out, as a union; `None` where GitHub does
/// not say.
///
/// A `*` is let run over slashes, unlike GitHub's: IAM has no wildcard that stops
/// there, so nobody could write the policy that would not be found too wide.
pub(crate) fn left_out(filters: &[String]) -> Option<Vec<Language>> {
    if filters.is_empty() {
        return Some(Vec::new());
    }
    let mut left_out = vec![Language::all()];
    for filter in documented(filters)? {
        let pattern = over_slashes(&filter.pattern);
        if filter.takes_out {
            left_out.push(Language::all().and(Clause::any_of([pattern])));
        } else {
            left_out = with(left_out, &Clause::none_of([pattern]));
        }
    }
    Some(left_out)
}

fn documented(filters: &[String]) -> Option<Vec<Filter>> {
    let read = filters.iter().map(|filter| Filter::read(filter));
    read.map(|filter| filter.documented.then_some(filter))
        .collect()
}

fn with(union: Vec<Language>, clause: &Clause) -> Vec<Language> {
    let both = |language: Language| language.and(clause.clone());
    union.into_iter().map(both).collect()
}

fn over_slashes(pattern: &Pattern) -> Pattern {
    Pattern::new(pattern.tokens().iter().map(|token| {
        if token.characters == WITHIN_SEGMENT && token.repeat == Repeat::Run {
            Token::any_run()
        } else {
            token.clone()
        }
    }))
}

#[cfg(test)]
mod tests;
