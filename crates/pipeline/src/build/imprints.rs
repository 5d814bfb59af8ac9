//! What is said of a program that another machine would not make the same.

use build::Imprint;
use receipts::{Location, Problem, ProblemCode};

use super::BuildFailure;
use crate::configuration::ImprintLevel;

/// What a receipt says of `imprints`; an error where there may be none.
pub(super) fn accept(level: ImprintLevel, imprints: &[Imprint]) -> Result<(), BuildFailure> {
    let denied = level == ImprintLevel::Deny && !imprints.is_empty();
    if denied {
        return Err(BuildFailure::Imprints(imprint_receipts(level, imprints)));
    }
    Ok(())
}

/// The same for machines and people.
pub(crate) fn imprint_receipts(
    level: ImprintLevel,
    imprints: &[Imprint],
) -> Vec<receipts::Imprint> {
    let shown = imprints.iter().filter(|_| level != ImprintLevel::Off);
    shown.map(receipt).collect()
}

fn receipt(imprint: &Imprint) -> receipts::Imprint {
    use build::ImprintKind as Kind;
    receipts::Imprint {
        kind: match imprint.kind {
            Kind::Path => receipts::ImprintKind::Path,
            Kind::Time => receipts::ImprintKind::Time,
            Kind::HostName => receipts::ImprintKind::HostName,
            Kind::UserName => receipts::ImprintKind::UserName,
            Kind::Incremental => receipts::ImprintKind::Incremental,
        },
        text: imprint.text.clone(),
        section: imprint.section.clone(),
        around: imprint.around.clone(),
        count: imprint.count,
        package: imprint.package.clone(),
        location: imprint.place.as_ref().map(|(file, line)| Location {
            file: file.clone(),
            line: *line,
            column: 1,
        }),
        message: message(imprint),
        fix: imprint.fix.clone(),
    }
}

/// One sentence.
fn message(imprint: &Imprint) -> String {
    let Imprint {
        kind,
        text,
        section,
        ..
    } = imprint;
    let from = match &imprint.package {
        Some(package) => format!(", from {package}"),
        None => String::new(),
    };
    let more = match imprint.count {
        0 | 1 => String::new(),
        count => format!(", {count} times"),
    };
    format!(
        "the program holds {}: `{text}` in {section}{from}{more}",
        kind.title()
    )
}

/// The failure of a program that must hold nothing of its machine.
pub(super) fn problem(imprints: &[receipts::Imprint], nothing: &str) -> Problem {
    let summary = format!("{nothing}: another machine would make another program of this source");
    let mut problem = Problem::new(ProblemCode::NotReproducible, summary);
    for imprint in imprints {
        problem.causes.push(imprint.message.clone());
        let place = imprint.location.as_ref();
        let place = place.map_or(String::new(), |place| {
            format!("{}:{}: ", place.file, place.line)
        });
        problem = problem.hint(format!("{place}{}", imprint.fix));
    }
    problem.hint("`image.reproducible = \"warn\"` goes on all the same")
}
