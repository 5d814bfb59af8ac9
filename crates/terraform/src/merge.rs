//! How `aws_iam_policy_document` merges documents by statement id: documents of
//! `source_policy_documents` in their order, then its own statements, then
//! `override_policy_documents`. A statement with an id takes the place of the one
//! that has it; between the sources and its own statements ids must differ.
//! <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document>

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

/// A document in the parts that are merged.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Written {
    pub(crate) version: String,
    pub(crate) id: Option<String>,
    pub(crate) statements: Vec<Json>,
}

/// The elements of a statement that the provider keeps, in its order.
const ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
];

/// The most statements of one document: its length allows for fewer (IAM User
/// Guide, "IAM and AWS STS quotas").
pub(crate) const MOST_STATEMENTS: usize = 1_000;

/// Reads a document that is to be merged.
pub(crate) fn read(text: &str) -> Result<Written, String> {
    let json: Json = serde_json::from_str(text).map_err(|_| "it is not JSON".to_owned())?;
    let Json::Object(elements) = json else {
        return Err("it is not a policy document".to_owned());
    };
    let mut document = Written {
        version: String::new(),
        id: None,
        statements: Vec::new(),
    };
    for (name, value) in elements {
        match (name.as_str(), value) {
            ("Version", Json::String(version)) => document.version = version,
            ("Id", Json::String(id)) => document.id = Some(id),
            ("Statement", Json::Array(statements)) => {
                let statements = statements.into_iter().map(statement);
                document.statements = statements.collect::<Result<_, _>>()?;
            }
            // The provider reads a list only, and names in any letter case.
            (name, _) => return Err(format!("its element {name} is not understood")),
        }
    }
    Ok(document)
}

/// A statement as the provider writes it.
fn statement(json: Json) -> Result<Json, String> {
    let Json::Object(mut elements) = json else {
        return Err("a statement of it is not an object".to_owned());
    };
    let mut ordered = Map::new();
    for name in ELEMENTS {
        if let Some(value) = elements.remove(name)
            && value != ""
        {
            ordered.insert(name.to_owned(), value);
        }
    }
    match elements.keys().next() {
        None => Ok(ordered.into()),
        Some(name) => Err(format!(
            "the element {name} of a statement is not understood"
        )),
    }
}

/// Merges documents in their order.
pub(crate) fn merged(
    sources: Vec<Written>,
    own: Written,
    overriding: Vec<Written>,
) -> Result<Written, String> {
    let mut ids = BTreeSet::new();
    let all = || sources.iter().chain([&own]).chain(&overriding);
    if all().map(|one| one.statements.len()).sum::<usize>() > MOST_STATEMENTS {
        return Err("there are too many statements".to_owned());
    }
    for statement in sources.iter().chain([&own]).flat_map(|one| &one.statements) {
        if let Some(id) = sid(statement)
            && !ids.insert(id)
        {
            return Err(format!("two statements have the id {id}"));
        }
    }
    let mut all = sources.into_iter().chain([own]).chain(overriding);
    let Some(mut merged) = all.next() else {
        return Err("there is nothing to merge".to_owned());
    };
    for document in all {
        if document.id.as_deref().is_some_and(|id| !id.is_empty()) {
            merged.id = document.id;
        }
        // The provider compares the dates as texts and keeps the later one.
        merged.version = merged.version.max(document.version);
        for statement in document.statements {
            let same = merged
                .statements
                .iter_mut()
                .find(|before| sid(before).is_some() && sid(before) == sid(&statement));
            match same {
                Some(before) => *before = statement,
                None => merged.statements.push(statement),
            }
        }
    }
    Ok(merged)
}

/// A statement's id, if it has one that says anything.
fn sid(statement: &Json) -> Option<&str> {
    statement.get("Sid")?.as_str().filter(|sid| !sid.is_empty())
}

impl Written {
    /// The document, without what is empty.
    pub(crate) fn into_json(self) -> Json {
        let mut document = Map::new();
        if !self.version.is_empty() {
            document.insert("Version".to_owned(), self.version.into());
        }
        if let Some(id) = self.id.filter(|id| !id.is_empty()) {
            document.insert("Id".to_owned(), id.into());
        }
        if !self.statements.is_empty() {
            document.insert("Statement".to_owned(), self.statements.into());
        }
        document.into()
    }
}
