//! What roles used, as people read it.

use owo_colors::OwoColorize as _;
use receipts::{DeniedPermission, RoleUsage, UnusedPermission, UsageReport};

use super::escape::shown;

/// How many actions under one pattern are named.
const NAMED: usize = 4;

/// The report, for a terminal.
pub(crate) fn text(report: &UsageReport) -> String {
    let mut blocks: Vec<String> = report.roles.iter().map(role).collect();
    if blocks.is_empty() {
        blocks.push("there is no role".to_owned());
    }
    blocks.join("\n\n")
}

/// Where to go from a report; nowhere where no policy was needed.
pub(crate) fn hint(report: &UsageReport) -> Option<String> {
    let mut needy = report.roles.iter();
    let first = needy.find(|role| role.smallest_policy.is_some())?;
    let is_only = needy.all(|role| role.smallest_policy.is_none());
    let name = if is_only { name(first) } else { "NAME" };
    Some(format!(
        "hint: `longshore emulator usage --role {name} --policy` writes the smallest policy that suffices"
    ))
}

/// The name in the ARN of a role.
pub(crate) fn name(role: &RoleUsage) -> &str {
    role.role.rsplit('/').next().unwrap_or_default()
}

fn role(role: &RoleUsage) -> String {
    let mut lines = vec![format!(
        "{}  {}",
        name(role).bold(),
        shown(&role.role).dimmed()
    )];
    if role.used.is_empty() && role.denied.is_empty() {
        lines.push("  did nothing that a policy decides".to_owned());
    }
    let rows = role.used.iter().map(|used| {
        let often = often(used.count, &used.last);
        let by = used.allowed_by.join(", ");
        let by = if by.is_empty() {
            "allowed by the resource's own policy".to_owned()
        } else {
            by
        };
        [
            used.action.clone(),
            used.resource.clone(),
            format!("{often}; {by}"),
        ]
    });
    lines.extend(section("used", &"✓".green().to_string(), rows));
    let rows = role.unused.iter().map(unused);
    lines.extend(section(
        "allowed, never used",
        &"·".yellow().to_string(),
        rows,
    ));
    lines.extend(denied(&role.denied));
    for policy in &role.unreadable {
        lines.push(format!("  {} {}", "cannot be read:".red(), shown(policy)));
    }
    lines.join("\n")
}

fn unused(unused: &UnusedPermission) -> [String; 3] {
    let from = format!("{}: {}", unused.policy, unused.statement);
    let actions = match unused.never.as_slice() {
        [one] if *one == unused.action => one.clone(),
        never => {
            let named: Vec<&str> = never.iter().take(NAMED).map(String::as_str).collect();
            let named = named.join(", ");
            match never.len().saturating_sub(NAMED) {
                0 => format!("{}: {named}", unused.action),
                more => format!("{}: {named} and {more} more", unused.action),
            }
        }
    };
    [actions, unused.resource.clone(), from]
}

fn denied(denied: &[DeniedPermission]) -> Vec<String> {
    let mark = "✗".red().bold().to_string();
    let rows = denied.iter().map(|denied| {
        let often = often(denied.count, &denied.last);
        [denied.action.clone(), denied.resource.clone(), often]
    });
    let mut lines = section("denied", &mark, rows);
    // Each row is followed by its reason.
    for (position, denied) in denied.iter().enumerate() {
        let reason = format!("      {}", shown(&denied.reason).dimmed());
        lines.insert(1 + 2 * position + 1, reason);
    }
    lines
}

fn often(count: u64, last: &str) -> String {
    match count {
        1 => format!("once, {last}"),
        _ => format!("{count} times, last {last}"),
    }
}

/// Rows under a title, with their columns aligned; nothing where there are none.
fn section(title: &str, mark: &str, rows: impl Iterator<Item = [String; 3]>) -> Vec<String> {
    let rows: Vec<[String; 3]> = rows.map(|row| row.map(|text| shown(&text))).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or_default()
    };
    let (first, second) = (width(0), width(1));
    let mut lines = vec![format!("  {}", title.underline())];
    for [action, resource, rest] in &rows {
        lines.push(format!(
            "    {mark} {action:first$}  {resource:second$}  {}",
            rest.dimmed()
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn columns_are_aligned_and_long_lists_are_cut() {
        let never = ["ecr:A", "ecr:B", "ecr:C", "ecr:D", "ecr:E", "ecr:F"];
        let report = UsageReport {
            since: None,
            roles: vec![RoleUsage {
                role: "arn:aws:iam::123456789012:role/ci/publisher".to_owned(),
                unused: vec![
                    UnusedPermission {
                        policy: "push".to_owned(),
                        statement: "Statement[0]".to_owned(),
                        action: "ecr:*".to_owned(),
                        resource: "*".to_owned(),
                        never: never.map(str::to_owned).to_vec(),
                    },
                    UnusedPermission {
                        policy: "push".to_owned(),
                        statement: "Logs".to_owned(),
                        action: "logs:PutLogEvents\u{1b}".to_owned(),
                        resource: "arn:aws:logs:*:*:*".to_owned(),
                        never: vec!["logs:PutLogEvents\u{1b}".to_owned()],
                    },
                ],
                ..RoleUsage::default()
            }],
        };
        assert_eq!(
            plain(&text(&report)),
            "publisher  arn:aws:iam::123456789012:role/ci/publisher\n\
             \x20 did nothing that a policy decides\n\
             \x20 allowed, never used\n\
             \x20   · ecr:*: ecr:A, ecr:B, ecr:C, ecr:D and 2 more  *                   push: Statement[0]\n\
             \x20   · logs:PutLogEvents\\u{1b}                       arn:aws:logs:*:*:*  push: Logs"
        );
    }
}
