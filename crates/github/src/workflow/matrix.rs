//! `strategy.matrix`: the values with which a job runs, one run for each entry.
//!
//! <https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/run-job-variations>

use std::collections::{BTreeMap, BTreeSet};

use super::node::{Content, Node};

/// The values of one run by name, those within a map by their path
/// (`target.region`). What is no scalar, or an expression, is left out.
pub type MatrixEntry<'a> = BTreeMap<&'a str, &'a str>;

/// Entries that GitHub runs at most.
const MAX_ENTRIES: usize = 256;
/// Values of all entries together; far more than a workflow has.
const MAX_VALUES: usize = 16 * 1024;
/// Maps within each other whose values have a path.
const MAX_DEPTH: usize = 4;

/// A matrix as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    /// The variables with their values; `None` where an expression makes any of
    /// it.
    written: Option<Written>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Written {
    variables: Vec<(String, Vec<Values>)>,
    exclude: Vec<Values>,
    include: Vec<Values>,
}

/// Scalars by their path; `None` is a value that is not known.
type Values = BTreeMap<String, Option<String>>;
type Seen<'a> = BTreeMap<&'a str, Option<&'a str>>;

impl Matrix {
    /// The matrix of a `strategy`.
    pub(super) fn read(strategy: &Node) -> Option<Self> {
        let Content::Map(fields) = &strategy.content else {
            return None;
        };
        let (_, matrix) = fields.iter().find(|(key, _)| key.value == "matrix")?;
        let written = Written::read(matrix);
        Some(Self { written })
    }

    /// Every entry with its values; `None` where only GitHub knows them, or
    /// where there are more than it runs.
    pub fn entries(&self) -> Option<Vec<MatrixEntry<'_>>> {
        let written = self.written.as_ref()?;
        let mut originals = written.product()?;
        for exclude in &written.exclude {
            let mut kept = Vec::new();
            for entry in originals {
                if !covers(exclude, &entry)? {
                    kept.push(entry);
                }
            }
            originals = kept;
        }
        let entries = written.with_include(&originals)?;
        let values: usize = entries.iter().map(BTreeMap::len).sum();
        let bounded = (1..=MAX_ENTRIES).contains(&entries.len()) && values <= MAX_VALUES;
        bounded.then(|| entries.into_iter().map(known).collect())
    }
}

impl Written {
    fn read(matrix: &Node) -> Option<Self> {
        let Content::Map(fields) = &matrix.content else {
            return None;
        };
        let mut written = Self {
            variables: Vec::new(),
            exclude: Vec::new(),
            include: Vec::new(),
        };
        for (key, value) in fields {
            let Content::List(items) = &value.content else {
                return None;
            };
            let name = match key.as_str() {
                "include" | "exclude" => "",
                name => name,
            };
            let items: Option<Vec<Values>> = items.iter().map(|item| values(name, item)).collect();
            match key.as_str() {
                "include" => written.include = items?,
                "exclude" => written.exclude = items?,
                name => written.variables.push((name.to_owned(), items?)),
            }
        }
        Some(written)
    }

    /// Each value of each variable with each of the others.
    fn product(&self) -> Option<Vec<Seen<'_>>> {
        let mut entries: Vec<Seen<'_>> = Vec::new();
        for (at, (_, values)) in self.variables.iter().enumerate() {
            if at == 0 {
                entries.push(Seen::new());
            }
            if entries.len().checked_mul(values.len())? > MAX_ENTRIES {
                return None;
            }
            // The first variable varies slowest, as in GitHub's list of jobs.
            entries = entries
                .iter()
                .flat_map(|entry| values.iter().map(|value| joined(entry, value)))
                .collect();
        }
        Some(entries)
    }

    /// An `include` joins every entry of the product whose values it does not
    /// change, and is an entry of its own where there is none.
    fn with_include<'a>(&'a self, originals: &[Seen<'a>]) -> Option<Vec<Seen<'a>>> {
        let mut entries = originals.to_vec();
        for include in &self.include {
            let mut joined = false;
            for (original, entry) in originals.iter().zip(&mut entries) {
                if agrees(include, original)? {
                    entry.extend(seen(include));
                    joined = true;
                }
            }
            if !joined {
                entries.push(seen(include).collect());
            }
            if entries.len() > MAX_ENTRIES {
                return None;
            }
        }
        Some(entries)
    }
}

/// The scalars of a value, each by its path from `name`; `None` for an entry of
/// `include` or `exclude` that is no map.
fn values(name: &str, node: &Node) -> Option<Values> {
    let mut values = Values::new();
    match &node.content {
        Content::Map(_) => add(&mut values, name, node, MAX_DEPTH),
        _ if name.is_empty() => return None,
        _ => add(&mut values, name, node, 0),
    }
    Some(values)
}

fn add(values: &mut Values, path: &str, node: &Node, depth: usize) {
    match (&node.content, depth.checked_sub(1)) {
        (Content::Map(fields), Some(depth)) => {
            for (key, value) in fields {
                let below = match path {
                    "" => key.value.clone(),
                    path => format!("{path}.{}", key.value),
                };
                add(values, &below, value, depth);
            }
        }
        (Content::Null, _) => {
            values.insert(path.to_owned(), Some(String::new()));
        }
        _ => {
            let text = node.scalar().filter(|text| !text.contains("${{"));
            values.insert(path.to_owned(), text);
        }
    }
}

fn joined<'a>(entry: &Seen<'a>, values: &'a Values) -> Seen<'a> {
    let mut entry = entry.clone();
    entry.extend(seen(values));
    entry
}

fn seen(values: &Values) -> impl Iterator<Item = (&str, Option<&str>)> {
    values
        .iter()
        .map(|(path, value)| (path.as_str(), value.as_deref()))
}

/// Whether all that `exclude` says is true of the entry; `None` where that is
/// not known.
fn covers(exclude: &Values, entry: &Seen<'_>) -> Option<bool> {
    for (path, value) in exclude {
        let Some(other) = entry.get(path.as_str()) else {
            return Some(false);
        };
        if value.as_deref()? != (*other)? {
            return Some(false);
        }
    }
    Some(true)
}

/// Whether `include` changes no value of the entry; `None` where that is not
/// known.
fn agrees(include: &Values, original: &Seen<'_>) -> Option<bool> {
    let variable = |path: &str| path.split('.').next().unwrap_or_default().to_owned();
    let of_include: BTreeSet<String> = include.keys().map(|path| variable(path)).collect();
    let shared = original
        .keys()
        .filter(|path| of_include.contains(&variable(path)));
    let shared: Vec<&str> = shared.copied().collect();
    // A map is another value as soon as it has another field.
    if shared.iter().any(|path| !include.contains_key(*path)) {
        return Some(false);
    }
    let of_original: BTreeSet<String> = shared.iter().map(|path| variable(path)).collect();
    for (path, value) in include {
        match original.get(path.as_str()) {
            Some(other) if value.as_deref()? != (*other)? => return Some(false),
            None if of_original.contains(&variable(path)) => return Some(false),
            _ => {}
        }
    }
    Some(true)
}

fn known(entry: Seen<'_>) -> MatrixEntry<'_> {
    let values = entry.into_iter();
    values
        .filter_map(|(path, value)| Some((path, value?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Workflow;

    /// The entries of a job with this matrix, as `a=1 b=2`.
    fn entries(matrix: &str) -> Option<Vec<String>> {
        let yaml = format!("on: push\njobs: {{a: {{strategy: {{matrix: {matrix}}}}}}}\n");
        let workflow = Workflow::parse(&yaml).unwrap();
        let matrix = workflow.jobs["a"].matrix.as_ref().unwrap();
        let told = |entry: super::MatrixEntry<'_>| {
            let values = entry
                .into_iter()
                .map(|(path, value)| format!("{path}={value}"));
            values.collect::<Vec<_>>().join(" ")
        };
        Some(matrix.entries()?.into_iter().map(told).collect())
    }

    #[test]
    fn every_value_runs_with_every_other_but_what_is_excluded() {
        assert_eq!(
            entries("{a: [x, 1.5], b: [true, '']}").unwrap(),
            ["a=x b=true", "a=x b=", "a=1.5 b=true", "a=1.5 b="]
        );
        let matrix = "{a: [1, 2], b: [3, 4], exclude: [{a: 1}, {a: 2, b: 4}, {c: 1}]}";
        assert_eq!(entries(matrix).unwrap(), ["a=2 b=3"]);
    }

    /// The example of GitHub's page.
    #[test]
    fn an_include_joins_what_it_does_not_change() {
        let matrix = "{fruit: [apple, pear], animal: [cat, dog], include: [
            {color: green}, {color: pink, animal: cat}, {fruit: apple, shape: circle},
            {fruit: banana}, {fruit: banana, animal: cat}]}";
        assert_eq!(
            entries(matrix).unwrap(),
            [
                "animal=cat color=pink fruit=apple shape=circle",
                "animal=dog color=green fruit=apple shape=circle",
                "animal=cat color=pink fruit=pear",
                "animal=dog color=green fruit=pear",
                "fruit=banana",
                "animal=cat fruit=banana",
            ]
        );
        assert_eq!(
            entries("{include: [{a: 1}, {a: 2, b: 3}]}").unwrap(),
            ["a=1", "a=2 b=3"]
        );
        assert_eq!(
            entries("{a: [{x: 1, y: 2}], include: [{a: {x: 1}, b: 3}, {a: {x: 1, y: 2}, c: 4}]}")
                .unwrap(),
            ["a.x=1 a.y=2 c=4", "a.x=1 b=3"]
        );
    }

    #[test]
    fn values_of_maps_have_a_path() {
        assert_eq!(
            entries(
                "{target: [{name: staging, account: {id: '012'}}, {name: live}], tags: [[a, b]]}"
            )
            .unwrap(),
            [
                "target.account.id=012 target.name=staging",
                "target.name=live"
            ]
        );
    }

    #[test]
    fn what_only_github_can_evaluate_is_not_known() {
        assert_eq!(entries("{a: ['${{ vars.A }}', b]}").unwrap(), ["", "a=b"]);
        for unknown in [
            "'${{ fromJSON(needs.x.outputs.matrix) }}'",
            "{a: '${{ fromJSON(vars.A) }}', b: [1]}",
            "{a: ['${{ vars.A }}', b], exclude: [{a: b}]}",
            "{a: [b], include: [{a: '${{ vars.A }}'}]}",
            "{a: [b], include: [c]}",
            "{a: [b], exclude: [{a: b}]}",
            "{a: []}",
            "{}",
        ] {
            assert_eq!(entries(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn more_entries_than_github_runs_are_not_made() {
        let two = |count: usize| {
            let variables: Vec<_> = (0..count).map(|at| format!("v{at}: [1, 2]")).collect();
            entries(&format!("{{{}}}", variables.join(", ")))
        };
        assert_eq!(two(8).unwrap().len(), 256);
        assert_eq!(two(9), None);
        assert_eq!(two(5_000), None);
    }
}
