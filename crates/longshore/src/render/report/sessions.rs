//! What the sessions of a caller may do, on one ECR repository or on fifty.

use receipts::{Access, Answer, CallerAccess, RoleAccess, SessionAccess, Standing};

use super::html::{count, escape, list, prose};
use super::roles::td;

/// How many repositories a line names; more are a list on request.
const MOST_NAMED: usize = 3;
/// How many a list names; the rest is counted.
const MOST_LISTED: usize = 60;

/// The repositories that a role was tried on, for its line.
pub(super) fn tried_on(role: &RoleAccess) -> String {
    match role.ecr_repositories.as_slice() {
        [] => String::new(),
        [one] => format!(" · tried on the ECR repository {}", name(one)),
        few if few.len() <= MOST_NAMED => {
            format!(" · tried on the ECR repositories {}", list(&names(few)))
        }
        many => format!(" · tried on {} ECR repositories", many.len()),
    }
}

/// All of them, where its line has only their number.
pub(super) fn all(role: &RoleAccess) -> String {
    let repositories = &role.ecr_repositories;
    if repositories.len() <= MOST_NAMED {
        return String::new();
    }
    format!(
        "<details class=\"repositories\"><summary>the {} ECR repositories</summary><p>{}</p></details>\n",
        repositories.len(),
        list(&names(repositories))
    )
}

/// What a session may do; `harms` where nobody needs it to.
pub(super) fn cell(
    label: &str,
    caller: &CallerAccess,
    of: fn(&SessionAccess) -> &Access,
    harms: bool,
) -> String {
    let answers = caller.sessions.iter().map(|session| of(session).answer);
    let Some(most) = answers.clone().max() else {
        let (class, glyph, word) = match caller.assume.answer {
            Answer::No => ("no", "○", "may not"),
            _ => ("open", "?", "not known"),
        };
        return td(label, class, glyph, word);
    };
    let intruder = caller.standing == Standing::Intruder;
    let everywhere = answers.min() == Some(most);
    let (class, glyph, word) = match most {
        Answer::Yes if !everywhere => {
            let word = on_some(&caller.sessions, of);
            let class = if intruder { "bad" } else { "open" };
            return td(label, class, "◐", &word);
        }
        Answer::Yes if intruder => ("bad", "●", "may"),
        Answer::Yes if harms => ("open", "●", "may"),
        Answer::Yes => ("good", "●", "may"),
        Answer::No => ("no", "○", "may not"),
        Answer::Unknown => ("open", "?", "not known"),
    };
    td(label, class, glyph, word)
}

/// `may on 48 of 50`.
fn on_some(sessions: &[SessionAccess], of: fn(&SessionAccess) -> &Access) -> String {
    let number = |session: &SessionAccess| session.repositories.len();
    let all: usize = sessions.iter().map(number).sum();
    let allowed = sessions.iter().filter(|one| of(one).answer == Answer::Yes);
    format!("may on {} of {all}", allowed.map(number).sum::<usize>())
}

/// The reasons of each answer; where repositories differ, under the names of those of
/// which they hold.
pub(super) fn reasons(sessions: &[SessionAccess]) -> String {
    let several = sessions.len() > 1;
    let reasons = sessions.iter().map(|session| {
        let place = format!(
            "<dt>On {}</dt><dd>{}</dd>",
            match session.repositories.len() {
                1 => "1 repository".to_owned(),
                number => format!("{number} repositories"),
            },
            list(&names(&session.repositories))
        );
        [
            if several { place } else { String::new() },
            reason("Push", &session.push),
            reason("Pull", &session.pull),
            reason("Delete", &session.delete),
        ]
        .concat()
    });
    reasons.collect()
}

/// One reason, as an item of a description list.
pub(super) fn reason(name: &str, access: &Access) -> String {
    format!("<dt>{name}</dt><dd>{}</dd>", prose(&access.reason))
}

fn names(arns: &[String]) -> Vec<String> {
    let listed = arns.len().min(MOST_LISTED);
    let rest = arns.len() - listed;
    let rest = (rest > 0).then(|| count(rest, "other"));
    let names = arns[..listed].iter().map(|arn| name(arn));
    names.chain(rest).collect()
}

fn name(arn: &str) -> String {
    let name = arn
        .rsplit_once(":repository/")
        .map_or(arn, |(_, name)| name);
    format!("<code>{}</code>", escape(name))
}
