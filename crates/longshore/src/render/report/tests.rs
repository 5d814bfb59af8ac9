//! The page of hand-made reports.

use receipts::{
    Access, Answer, CallerAccess, CheckReport, Example, Finding, Fix, Location, Matrix, RoleAccess,
    RoleProof, SessionAccess, Severity, Standing, Suppressed,
};

use super::Page;

const INTRUDERS: [&str; 8] = [
    "pull request",
    "pull request of a fork",
    "other branch",
    "tag",
    "other environment",
    "other repository of the owner",
    "stranger's repository",
    "same name, other owner",
];

const REPOSITORY: &str = "arn:aws:ecr:eu-central-1:123456789012:repository/";

fn access(answer: Answer, reason: &str) -> Access {
    Access {
        answer,
        reason: reason.to_owned(),
    }
}

fn caller(name: &str, standing: Standing, answer: Answer) -> CallerAccess {
    let yes =
        "Statement `GitHubActions` of the trust policy `trust policy of publisher` allows it.";
    let no = "No statement of the trust policy allows it: statement `GitHubActions` wants another subject.";
    let session = SessionAccess {
        repositories: vec![format!("{REPOSITORY}backend")],
        push: access(Answer::Yes, "`ecr:PutImage`: Statement `Push` allows it."),
        pull: access(
            Answer::Yes,
            "`ecr:BatchGetImage`: Statement `Push` allows it.",
        ),
        delete: access(
            Answer::No,
            "`ecr:BatchDeleteImage`: No statement allows it.",
        ),
    };
    CallerAccess {
        caller: name.to_owned(),
        jobs: Vec::new(),
        subject: format!("repo:acme/portfolio:{}", name.replace(' ', "-")),
        form: "name".to_owned(),
        standing,
        assume: access(answer, if answer == Answer::Yes { yes } else { no }),
        sessions: (answer == Answer::Yes)
            .then_some(session)
            .into_iter()
            .collect(),
    }
}

/// A role that lets in the publisher, and these.
fn role(name: &str, let_in: &[&str]) -> RoleAccess {
    let mut callers = vec![caller("push to main", Standing::Intended, Answer::Yes)];
    callers[0].jobs = vec!["publish.yml#publish".to_owned()];
    callers.extend(INTRUDERS.map(|intruder| {
        let answer = if let_in.contains(&intruder) {
            Answer::Yes
        } else {
            Answer::No
        };
        caller(intruder, Standing::Intruder, answer)
    }));
    RoleAccess {
        role: format!("arn:aws:iam::123456789012:role/{name}"),
        location: Some(place("infra/main.tf", 3)),
        subjects: vec![format!("aws_iam_role.{name}")],
        ecr_repositories: vec![format!("{REPOSITORY}backend")],
        callers,
        unknown: None,
    }
}

fn place(file: &str, line: usize) -> Location {
    Location {
        file: file.to_owned(),
        line,
        column: 1,
    }
}

fn matrix(roles: Vec<RoleAccess>) -> Matrix {
    Matrix {
        repository: Some("acme/portfolio".to_owned()),
        roles,
        unknowns: Vec::new(),
    }
}

fn finding(severity: Severity, subject: &str) -> Finding {
    Finding {
        rule: "trust-admits-pull-requests".to_owned(),
        severity,
        message: format!("`{subject}` admits pull requests."),
        subject: subject.to_owned(),
        location: Some(place("infra/main.tf", 2)),
        fix: Some(Fix {
            summary: "Name the branch.".to_owned(),
            diff: Some(
                "--- a/infra/main.tf\n+++ b/infra/main.tf\n@@ -2 +2 @@\n-  old\n+  new\n"
                    .to_owned(),
            ),
        }),
    }
}

fn page(report: &CheckReport, matrix: &Matrix) -> String {
    Page {
        report,
        matrix,
        commit: Some("`0123456789ab`"),
        date: Some("2026-11-24"),
        line: &|_, line| {
            ["one", "two", "three"]
                .get(line.checked_sub(1)?)
                .map(|line| (*line).to_owned())
        },
    }
    .html()
}

fn proved(role: &RoleAccess) -> RoleProof {
    RoleProof {
        role: role.role.clone(),
        admitted: vec!["pushes to main of acme/portfolio".to_owned()],
        ..RoleProof::default()
    }
}

#[test]
fn a_sound_setup_says_so_in_one_line_and_claims_more_only_with_a_proof() {
    let role = role("publisher", &[]);
    let mut report = CheckReport::default();
    let matrix = matrix(vec![role.clone()]);
    let tried = "Only pushes to main of acme/portfolio can publish. Of all others that were tried, nobody gets in.";
    assert!(page(&report, &matrix).contains(tried));
    report.proofs.push(proved(&role));
    let proved = "Only pushes to main of acme/portfolio can publish. Nobody else gets in.";
    assert!(page(&report, &matrix).contains(proved));
}

#[test]
fn an_intruder_who_gets_in_is_named_in_the_verdict_and_marked_in_words() {
    let report = CheckReport::default();
    let page = page(
        &report,
        &matrix(vec![role("publisher", &["pull request", "tag"])]),
    );
    assert!(
        page.contains("Pull requests and tags get in, and should not."),
        "{page}"
    );
    assert!(page.contains("They could push images and pull them."));
    assert_eq!(page.matches("</span> gets in</td>").count(), 2);
}

#[test]
fn who_is_kept_out_is_told_why() {
    let mut role = role("publisher", &[]);
    role.callers[0] = caller("push to main", Standing::Intended, Answer::No);
    let page = page(&CheckReport::default(), &matrix(vec![role]));
    assert!(
        page.contains("Who should get in is kept out: pushes to main."),
        "{page}"
    );
    assert!(page.contains("wants another subject"));
}

#[test]
fn what_is_not_known_is_neither_good_nor_bad() {
    let mut role = role("publisher", &[]);
    role.unknown = Some("`assume_role_policy` is not known: it depends on a plan".to_owned());
    role.callers.clear();
    let page = page(&CheckReport::default(), &matrix(vec![role]));
    assert!(
        page.contains("Whether anyone else gets in cannot be told."),
        "{page}"
    );
    assert!(page.contains("Not known: <code>assume_role_policy</code>"));
}

#[test]
fn an_excess_that_only_a_proof_finds_is_grave_where_there_is_an_error() {
    let role = role("publisher", &[]);
    let mut report = CheckReport::default();
    let mut proof = proved(&role);
    proof.excess.push(Example {
        caller: "a push of the tag v/x".to_owned(),
        claims: vec![(
            "sub".to_owned(),
            "repo:acme/portfolio:ref:refs/tags/v/x".to_owned(),
        )],
    });
    report.proofs.push(proof);
    let matrix = matrix(vec![role]);
    let mild = page(&report, &matrix);
    assert!(mild.contains("More gets in than any job intends: a push of the tag v/x."));
    assert!(mild.contains("class=\"verdict open\""));
    report
        .findings
        .push(finding(Severity::Error, "aws_iam_role.publisher"));
    assert!(page(&report, &matrix).contains("class=\"verdict bad\""));
}

#[test]
fn what_prevents_a_proof_takes_the_certainty_away() {
    let role = role("publisher", &[]);
    let mut proof = proved(&role);
    proof
        .prevented_by
        .push("the default branch is not known".to_owned());
    let report = CheckReport {
        proofs: vec![proof],
        ..CheckReport::default()
    };
    let page = page(&report, &matrix(vec![role]));
    assert!(page.contains("Of all others that were tried, nobody gets in."));
    assert!(page.contains("Not proved: the default branch is not known"));
    assert!(page.contains("class=\"verdict open\""));
}

#[test]
fn two_forms_that_fare_the_same_are_one_row() {
    let mut role = role("publisher", &[]);
    let forms: Vec<_> = role
        .callers
        .iter()
        .flat_map(|access| [access.clone(), access.clone()])
        .collect();
    role.callers = forms;
    let shown = super::rows::rows(&role);
    assert_eq!(shown.len(), 9);
    assert_eq!(shown[0].subjects.len(), 2);
}

#[test]
fn where_the_forms_differ_an_intruder_is_shown_by_the_worse_and_the_publisher_by_both() {
    let mut role = role("publisher", &[]);
    let mut other = caller("push to main", Standing::Intended, Answer::No);
    other.jobs.clone_from(&role.callers[0].jobs);
    role.callers.insert(0, other);
    role.callers.push(caller(
        "same name, other owner",
        Standing::Intruder,
        Answer::Yes,
    ));
    let shown = super::rows::rows(&role);
    assert_eq!(shown.len(), 10);
    assert!(shown[0].other_form_gets_in);
    let last = shown.last().unwrap();
    assert_eq!(last.access.assume.answer, Answer::Yes);
    // It gets in by one of its forms: nobody is kept out.
    assert!(super::rows::who(&role, super::rows::Outcome::KeptOut).is_empty());
}

#[test]
fn findings_stand_beside_their_role_and_as_cards() {
    let roles = vec![role("a", &[]), role("b", &[])];
    let report = CheckReport {
        findings: vec![
            finding(Severity::Error, "aws_iam_role.b"),
            finding(Severity::Note, "elsewhere"),
        ],
        suppressed: vec![Suppressed {
            finding: finding(Severity::Warning, "aws_iam_role.a"),
            reason: "until the move".to_owned(),
            expires: "2027-01-31".to_owned(),
        }],
        skipped: vec!["`zizmor` is not installed.".to_owned()],
        ..CheckReport::default()
    };
    let page = page(&report, &matrix(roles));
    let section = |name: &str| {
        let from = page.find(&format!("id=\"role-{name}\"")).unwrap();
        let length = page[from..].find("</section>").unwrap();
        page[from..from + length].to_owned()
    };
    assert!(section("2").contains("href=\"#finding-1\""));
    assert!(!section("1").contains("#finding-"));
    for text in [
        "id=\"finding-2\"",
        "two\n",
        "+  new",
        "until the move",
        "2027-01-31",
        "is not installed",
    ] {
        assert!(page.contains(text), "{text}");
    }
    // What has an error comes first.
    assert!(page.find("id=\"role-2\"") < page.find("id=\"role-1\""));
    assert!(page.contains("/docs/checks/trust-admits-pull-requests.md\""));
}

#[test]
fn hostile_names_stay_text() {
    let hostile = "<script>alert(1)</script>\"'&\u{0}\u{202e}]]>";
    let mut role = role(hostile, &["pull request"]);
    role.subjects.push(hostile.to_owned());
    for access in &mut role.callers {
        access.caller.push_str(hostile);
        access.subject = hostile.to_owned();
        access.jobs.push(hostile.to_owned());
        access.assume.reason = format!("`{hostile}`");
    }
    let mut bad = finding(Severity::Error, hostile);
    bad.rule = hostile.to_owned();
    bad.location = Some(place(hostile, 1));
    bad.fix = Some(Fix {
        summary: hostile.to_owned(),
        diff: Some(format!("+{hostile}")),
    });
    let report = CheckReport {
        passed: false,
        suppressed: vec![Suppressed {
            finding: bad.clone(),
            reason: hostile.to_owned(),
            expires: hostile.to_owned(),
        }],
        findings: vec![bad],
        proofs: vec![RoleProof {
            role: role.role.clone(),
            admitted: vec![hostile.to_owned()],
            excess: vec![Example {
                caller: hostile.to_owned(),
                claims: vec![(hostile.to_owned(), hostile.to_owned())],
            }],
            prevented_by: vec![hostile.to_owned()],
            ..RoleProof::default()
        }],
        skipped: vec![hostile.to_owned()],
    };
    let matrix = Matrix {
        repository: Some(hostile.to_owned()),
        roles: vec![role],
        unknowns: vec![hostile.to_owned()],
    };
    let page = Page {
        report: &report,
        matrix: &matrix,
        commit: Some(hostile),
        date: Some(hostile),
        line: &|_, _| Some(hostile.to_owned()),
    }
    .html();
    assert!(!page.contains("<script"), "{page}");
    assert!(!page.contains(['\u{0}', '\u{202e}']));
    well_formed(&page);
}

#[test]
fn the_page_of_any_report_is_well_formed() {
    let report = CheckReport {
        findings: vec![finding(Severity::Warning, "aws_iam_role.a")],
        ..CheckReport::default()
    };
    for roles in [0, 1, 2, 40] {
        let roles = (0..roles)
            .map(|number| role(&format!("r{number}"), &["tag"]))
            .collect();
        well_formed(&page(&report, &matrix(roles)));
    }
}

#[test]
fn the_page_of_a_thousand_roles_is_under_three_megabytes() {
    const LIMIT: usize = 3_000_000;
    let roles: Vec<_> = (0..1_000)
        .map(|number| {
            role(
                &format!("service-{number:04}-publisher"),
                &["tag", "pull request"],
            )
        })
        .collect();
    let findings = (0..5_000)
        .map(|number| {
            finding(
                Severity::Error,
                &format!("aws_iam_role.service-{number:04}-publisher"),
            )
        })
        .collect();
    let report = CheckReport {
        findings,
        ..CheckReport::default()
    };
    let page = page(&report, &matrix(roles));
    assert!(page.len() < LIMIT, "{} bytes", page.len());
    assert!(page.contains("service-0999-publisher") && page.contains("more findings"));
    well_formed(&page);
}

/// Every element is closed by its own end tag, and every reference has its target.
fn well_formed(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let body = page.strip_prefix("<!DOCTYPE html>").unwrap();
    for tag in body.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap_or_else(|| panic!("{tag}"));
        let name = tag.split([' ', '/']).find(|part| !part.is_empty()).unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{tag}");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new());
    for link in page.split("href=\"#").skip(1) {
        let target = link.split('"').next().unwrap();
        assert!(page.contains(&format!("id=\"{target}\"")), "#{target}");
    }
}

#[test]
fn fifty_repositories_are_counted_where_they_are_alike_and_named_on_request() {
    let mut role = role("publisher", &[]);
    let report = CheckReport::default();
    let one = page(&report, &matrix(vec![role.clone()]));
    assert!(one.contains("tried on the ECR repository <code>backend</code>"));
    assert!(!one.contains("repositories"), "as if there were no others");

    let others: Vec<String> = (2..=50)
        .map(|number| format!("{REPOSITORY}service-{number}"))
        .collect();
    role.ecr_repositories.extend(others.clone());
    role.callers[0].sessions[0].repositories.extend(others);
    let alike = page(&report, &matrix(vec![role.clone()]));
    assert!(alike.contains("tried on 50 ECR repositories"));
    assert!(alike.contains("<summary>the 50 ECR repositories</summary>"));
    assert_eq!(alike.matches("service-50").count(), 1);
    assert!(!alike.contains("may on "));

    let sessions = &mut role.callers[0].sessions;
    let mut without = sessions[0].clone();
    without.repositories = sessions[0].repositories.split_off(48);
    without.push = access(Answer::No, "`ecr:PutImage`: No statement allows it.");
    sessions.push(without);
    let differing = page(&report, &matrix(vec![role]));
    assert!(differing.contains("</span> may on 48 of 50</td>"));
    let named = "<dt>On 2 repositories</dt><dd><code>service-49</code> and <code>service-50</code>";
    assert!(differing.contains(named), "{differing}");
}
