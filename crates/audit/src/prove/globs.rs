//! GitHub's filters for branches and tags as languages:
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet>.

use std::iter::Peekable;
use std::str::Chars;

use policy::language::{Characters, Clause, Language, Pattern, Repeat, Token};

/// The names that a list of filters leaves out, as a union. The last filter that
/// matches decides; no filter leaves nothing out. `None` for filters that this
/// cannot read.
///
/// A `*` is let run over slashes, unlike GitHub's: IAM has no wildcard that stops
/// there, so nobody could write the policy that would not be found too wide.
pub(super) fn left_out(filters: &[String]) -> Option<Vec<Language>> {
    if filters.is_empty() {
        return Some(Vec::new());
    }
    let mut left_out = vec![Language::all()];
    for filter in filters {
        if let Some(excluded) = filter.strip_prefix('!') {
            let excluded = Clause::any_of([read(excluded, &Characters::Any)?]);
            left_out.push(Language::all().and(excluded));
        } else {
            let rest = Clause::none_of([read(filter, &Characters::Any)?]);
            left_out = left_out
                .into_iter()
                .map(|language| language.and(rest.clone()))
                .collect();
        }
    }
    Some(left_out)
}

/// One filter as a pattern.
pub(super) fn pattern(filter: &str) -> Option<Pattern> {
    read(filter, &Characters::AllBut('/'))
}

/// The same, where one `*` runs over the characters of `star`.
fn read(filter: &str, star: &Characters) -> Option<Pattern> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut chars = filter.chars().peekable();
    while let Some(char) = chars.next() {
        let once = |characters| Token {
            characters,
            repeat: Repeat::Once,
        };
        tokens.push(match char {
            '*' if chars.next_if_eq(&'*').is_some() => Token::any_run(),
            '*' => Token {
                characters: star.clone(),
                repeat: Repeat::Run,
            },
            '[' => once(Characters::OneOf(set(&mut chars)?)),
            '\\' => Token::char(chars.next().unwrap_or('\\')),
            '?' | '+' if !tokens.is_empty() => {
                repeat_last(&mut tokens, char)?;
                continue;
            }
            char => Token::char(char),
        });
    }
    Some(Pattern::new(tokens))
}

/// `?` makes the last character optional, `+` lets it stand more than once.
fn repeat_last(tokens: &mut Vec<Token>, mark: char) -> Option<()> {
    let last = tokens.last_mut()?;
    if last.repeat != Repeat::Once {
        return None;
    }
    if mark == '?' {
        last.repeat = Repeat::Optional;
    } else {
        let more = Token {
            repeat: Repeat::Run,
            ..last.clone()
        };
        tokens.push(more);
    }
    Some(())
}

/// Letters and digits between `[` and `]`, alone or as ranges.
fn set(chars: &mut Peekable<Chars<'_>>) -> Option<Vec<char>> {
    let mut listed = Vec::new();
    loop {
        let first = chars.next()?;
        if first == ']' {
            return Some(listed);
        }
        let last = match chars.next_if_eq(&'-') {
            Some(_) => chars.next()?,
            None => first,
        };
        if !first.is_ascii_alphanumeric() || !last.is_ascii_alphanumeric() {
            return None;
        }
        listed.extend(first..=last);
    }
}

/// The names that a list of filters covers, as a union; no filter covers all.
pub(super) fn covered(filters: &[String]) -> Option<Vec<Language>> {
    if filters.is_empty() {
        return Some(vec![Language::all()]);
    }
    let mut covered: Vec<Language> = Vec::new();
    for filter in filters {
        if let Some(excluded) = filter.strip_prefix('!') {
            let rest = Clause::none_of([pattern(excluded)?]);
            covered = covered
                .into_iter()
                .map(|language| language.and(rest.clone()))
                .collect();
        } else {
            covered.push(Language::all().and(Clause::any_of([pattern(filter)?])));
        }
    }
    Some(covered)
}

#[cfg(test)]
mod tests {
    use super::left_out;

    fn leaves_out(filters: &[&str], name: &str) -> bool {
        let filters: Vec<String> = filters.iter().map(ToString::to_string).collect();
        let left = left_out(&filters).unwrap();
        left.iter().any(|language| language.contains(name).unwrap())
    }

    #[test]
    fn a_star_runs_over_slashes_and_an_escaped_one_is_a_character() {
        assert!(!leaves_out(&["v*"], "v1/x"));
        assert!(leaves_out(&["v*"], "w1"));
        assert!(!leaves_out(&["v\\*"], "v*"));
        assert!(leaves_out(&["v\\*"], "v*x"));
        assert!(leaves_out(&["v*", "!v*-rc"], "v1/x-rc"));
    }
}
