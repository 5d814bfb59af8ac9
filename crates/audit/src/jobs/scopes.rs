//! What the expressions of a step stand for, as far as the file tells.

use github::{Job, MatrixEntry, Step, Variables, Workflow};

/// The entries of a job's matrix; one without values where the job has none, or
/// where only GitHub knows them.
pub(crate) fn entries(job: &Job) -> Vec<MatrixEntry<'_>> {
    let matrix = job.matrix.as_ref();
    let entries = matrix.and_then(github::Matrix::entries);
    entries.unwrap_or_else(|| vec![MatrixEntry::new()])
}

/// The variables that a step sees: its own, its job's, its workflow's; and the
/// entry of the matrix that its job runs for.
pub(super) struct Scopes<'a> {
    variables: [&'a Variables; 3],
    entry: &'a MatrixEntry<'a>,
}

impl<'a> Scopes<'a> {
    pub(super) fn of(
        workflow: &'a Workflow,
        job: &'a Job,
        step: &'a Step,
        entry: &'a MatrixEntry<'a>,
    ) -> Self {
        Self {
            variables: [&step.env, &job.env, &workflow.env],
            entry,
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        let mut scopes = self.variables.iter();
        let found = scopes.find_map(|variables| variables.get(name))?;
        // A variable that another expression makes stays unknown.
        in_matrix(found, self.entry).ok()
    }

    /// `text` with each `${{ env.NAME }}` and `${{ matrix.NAME }}` replaced; the
    /// text itself as error where another expression is left.
    pub(super) fn resolve(&self, text: &str) -> Result<String, String> {
        resolve(text, |name| match name.strip_prefix("env.") {
            Some(name) => self.variable(name),
            None => value(name, self.entry),
        })
    }

    /// The same for a word of a script, where `$NAME` and `${NAME}` are
    /// variables too.
    pub(super) fn resolve_shell(&self, word: &str) -> Result<String, String> {
        let resolved = self.resolve(word)?;
        let Some(name) = resolved.strip_prefix('$') else {
            let whole = !resolved.contains('$');
            return if whole { Ok(resolved) } else { Err(resolved) };
        };
        let name = name
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'))
            .unwrap_or(name);
        self.variable(name).ok_or(resolved)
    }
}

/// `text` with each `${{ matrix.NAME }}` replaced; the text itself as error
/// where another expression is left.
pub(super) fn in_matrix(text: &str, entry: &MatrixEntry<'_>) -> Result<String, String> {
    resolve(text, |name| value(name, entry))
}

fn value(name: &str, entry: &MatrixEntry<'_>) -> Option<String> {
    let path = name.strip_prefix("matrix.")?;
    entry.get(path).map(|value| (*value).to_owned())
}

fn resolve(text: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let unknown = || text.to_owned();
    let mut resolved = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (expression, after) = after.split_once("}}").ok_or_else(unknown)?;
        resolved.push_str(before);
        resolved.push_str(&value(expression.trim()).ok_or_else(unknown)?);
        rest = after;
    }
    resolved.push_str(rest);
    Ok(resolved)
}
