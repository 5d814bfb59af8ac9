//! Which condition keys policies ask for.

use std::collections::BTreeSet;

use policy::Document;

use super::Answer;
use super::call::Call;
use super::simulate::{documents, source};
use crate::error::AwsError;
use crate::xml::Xml;

/// `GetContextKeysForCustomPolicy`.
pub(super) fn of_custom(call: &Call<'_>) -> Answer {
    call.authorize("*", Vec::new())?;
    answer(
        documents(call, "PolicyInputList")?
            .iter()
            .map(|(_, text)| text.as_str()),
    )
}

/// `GetContextKeysForPrincipalPolicy`.
pub(super) fn of_principal(call: &Call<'_>) -> Answer {
    let (_, policies) = source(call)?;
    let further = documents(call, "PolicyInputList")?;
    let own = policies
        .identity
        .iter()
        .map(|source| source.document.as_str());
    answer(own.chain(further.iter().map(|(_, text)| text.as_str())))
}

fn answer<'a>(texts: impl Iterator<Item = &'a str>) -> Answer {
    let keys: BTreeSet<String> = texts.flat_map(used).collect();
    Ok(Some(Xml::new().texts("ContextKeyNames", keys)))
}

/// The keys of the conditions and of the variables in a document, as they are
/// written.
pub(super) fn used(text: &str) -> Vec<String> {
    let Ok(document) = Document::parse(text) else {
        return Vec::new();
    };
    let conditions = document
        .statements
        .iter()
        .flat_map(|statement| &statement.conditions)
        .map(|condition| condition.key.clone());
    conditions.chain(variables(text)).collect()
}

/// What stands between `${` and `}`, up to its default value.
fn variables(text: &str) -> Vec<String> {
    text.split("${")
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(variable, _)| {
            variable
                .split(',')
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned()
        })
        .filter(|variable| !["*", "?", "$"].contains(&variable.as_str()))
        .collect()
}

/// Refuses a list of documents of which one cannot be read.
pub(super) fn unreadable(name: &str, error: &policy::ParseError) -> AwsError {
    AwsError::invalid("InvalidInput", format!("{name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_conditions_and_of_variables_are_found() {
        let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:ecr:*:*:repository/${aws:PrincipalTag/team, 'x'}/${*}","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}}}"#;
        assert_eq!(used(text), ["aws:RequestedRegion", "aws:PrincipalTag/team"]);
        assert!(used("no policy").is_empty());
    }
}
