//! Scanning. Settings are kept; no image is ever scanned here, and calls about
//! scans answer as AWS does where there is none.

use serde::Deserialize;
use serde_json::{Value, json};

use super::image_queries::one_image;
use super::mutability::matches_wildcard;
use super::parameters::{ImageIdentifier, parse, repository_name};
use super::records::{REPOSITORIES, Repository, repository_key};
use super::registry_settings::RegistrySettings;
use super::storage_class::ImageStatus;
use super::{Call, EcrError};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    scan_type: Option<String>,
    rules: Option<Vec<Rule>>,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    scan_frequency: String,
    repository_filters: Vec<Filter>,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    filter: String,
    filter_type: String,
}

/// `PutRegistryScanningConfiguration`.
pub(super) fn put_registry(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: Parameters = parse(body)?;
    call.authorize("ecr:PutRegistryScanningConfiguration")?;
    let scan_type = parameters.scan_type.unwrap_or_else(|| "BASIC".to_owned());
    let rules = parameters.rules.unwrap_or_default();
    check_rules(&scan_type, &rules)?;
    let configuration = json!({ "scanType": scan_type, "rules": rules });
    RegistrySettings::update(call, |settings| {
        settings.scanning = Some(configuration.clone());
        Ok(())
    })?;
    Ok(json!({ "registryScanningConfiguration": configuration }))
}

/// Which frequencies a scan type knows (service model, `RegistryScanningRule`);
/// each of them once. Inferred sentences.
fn check_rules(scan_type: &str, rules: &[Rule]) -> Result<(), EcrError> {
    let known: &[&str] = match scan_type {
        "ENHANCED" => &["SCAN_ON_PUSH", "CONTINUOUS_SCAN"],
        _ => &["SCAN_ON_PUSH"],
    };
    for (index, rule) in rules.iter().enumerate() {
        let frequency = rule.scan_frequency.as_str();
        if !known.contains(&frequency) {
            let constraint = format!("{frequency} is not supported with the scan type {scan_type}");
            return Err(EcrError::parameter("rules.scanFrequency", &constraint));
        }
        let earlier = &rules[..index];
        if earlier
            .iter()
            .any(|other| other.scan_frequency == frequency)
        {
            let constraint = format!("More than one rule has the scan frequency {frequency}");
            return Err(EcrError::parameter("rules.scanFrequency", &constraint));
        }
    }
    Ok(())
}

/// `GetRegistryScanningConfiguration`.
pub(super) fn get_registry(call: Call<'_>, _: Value) -> Result<Value, EcrError> {
    call.authorize("ecr:GetRegistryScanningConfiguration")?;
    let configuration = RegistrySettings::read(call)?.scanning;
    let unset = || json!({ "scanType": "BASIC", "rules": [] });
    Ok(json!({
        "registryId": call.account(),
        "scanningConfiguration": configuration.unwrap_or_else(unset),
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchParameters {
    repository_names: Vec<String>,
}

/// `BatchGetRepositoryScanningConfiguration`.
pub(super) fn of_repositories(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: BatchParameters = parse(body)?;
    let (mut configurations, mut failures) = (Vec::new(), Vec::new());
    let rules = registry_rules(call)?;
    for name in &parameters.repository_names {
        let name = repository_name(name)?;
        call.authorize_on("ecr:BatchGetRepositoryScanningConfiguration", &name)?;
        let key = repository_key(call.registry, &name);
        let found = call
            .state
            .store
            .read::<_, EcrError>(|reader| Ok(reader.get(&REPOSITORIES, &key)?))?;
        match found {
            Some(repository) => configurations.push(configuration(call, &rules, &repository)),
            None => failures.push(json!({
                "repositoryName": name,
                "failureCode": "REPOSITORY_NOT_FOUND",
                "failureReason": EcrError::repository_not_found(&name, call.account()).message,
            })),
        }
    }
    Ok(json!({ "scanningConfigurations": configurations, "failures": failures }))
}

fn registry_rules(call: Call<'_>) -> Result<Vec<Rule>, EcrError> {
    let configuration = RegistrySettings::read(call)?.scanning.unwrap_or_default();
    Ok(serde_json::from_value(configuration["rules"].clone()).unwrap_or_default())
}

/// The frequency for one repository: continuous before on push, and the
/// repository's own setting where no filter matches.
fn configuration(call: Call<'_>, rules: &[Rule], repository: &Repository) -> Value {
    let name = repository.name.as_str();
    let applied = |frequency: &str| -> Vec<&Filter> {
        rules
            .iter()
            .filter(|rule| rule.scan_frequency == frequency)
            .flat_map(|rule| &rule.repository_filters)
            .filter(|filter| filter.matches(name))
            .collect()
    };
    let frequencies = ["CONTINUOUS_SCAN", "SCAN_ON_PUSH"];
    let by_filter = frequencies
        .into_iter()
        .map(|frequency| (frequency, applied(frequency)))
        .find(|(_, filters)| !filters.is_empty());
    let (frequency, filters) = match by_filter {
        Some(found) => found,
        None if repository.scan_on_push => ("SCAN_ON_PUSH", Vec::new()),
        None => ("MANUAL", Vec::new()),
    };
    json!({
        "repositoryArn": call.repository_arn(name),
        "repositoryName": name,
        "scanOnPush": frequency == "SCAN_ON_PUSH",
        "scanFrequency": frequency,
        "appliedScanFilters": filters,
    })
}

impl Filter {
    /// A filter without a wildcard matches names that contain it (User Guide,
    /// "Filters to choose which repositories are scanned").
    fn matches(&self, name: &str) -> bool {
        if self.filter.contains('*') {
            matches_wildcard(&self.filter, name)
        } else {
            name.contains(&self.filter)
        }
    }
}

/// `StartImageScan`, with AWS's answer for what it cannot scan.
pub(super) fn start(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let (_, image, _) = one_image(call, "ecr:StartImageScan", body)?;
    if image.storage.status(call.state.clock.now()) != ImageStatus::Active {
        return Err(EcrError::client(
            "ImageArchivedException",
            "The specified image is archived and cannot be scanned.",
        ));
    }
    call.note
        .because("the emulator does not scan images".to_owned());
    // Known sentence.
    let message = format!(
        "An artifact with media type '{}' cannot be scanned.",
        image.descriptor.media_type
    );
    Err(EcrError::client("UnsupportedImageTypeException", message))
}

/// `DescribeImageScanFindings`: there is no scan.
pub(super) fn findings(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let asked: ImageIdentifier = parse(body["imageId"].clone())?;
    let (name, _, _) = one_image(call, "ecr:DescribeImageScanFindings", body)?;
    Err(EcrError::client(
        "ScanNotFoundException",
        format!(
            "Image scan does not exist for the image with '{}' in the repository with name \
             '{name}' in the registry with id '{}'",
            asked.in_words(),
            call.account()
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> Filter {
        Filter {
            filter: text.to_owned(),
            filter_type: "WILDCARD".to_owned(),
        }
    }

    /// The table of the User Guide.
    #[test]
    fn filters_match_as_the_table_of_the_user_guide_says() {
        let names = [
            "prod",
            "repo-prod",
            "prod-repo",
            "repo-prod-repo",
            "prodrepo",
        ];
        for (text, expected) in [
            ("prod", [true, true, true, true, true]),
            ("*prod", [true, true, false, false, false]),
            ("prod*", [true, false, true, false, true]),
            ("*prod*", [true, true, true, true, true]),
            ("prod*repo", [false, false, true, false, true]),
        ] {
            assert_eq!(
                names.map(|name| filter(text).matches(name)),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn basic_scanning_knows_no_continuous_scan() {
        let rule = |frequency: &str| Rule {
            scan_frequency: frequency.to_owned(),
            repository_filters: vec![filter("*")],
        };
        check_rules("ENHANCED", &[rule("CONTINUOUS_SCAN"), rule("SCAN_ON_PUSH")]).unwrap();
        for rules in [vec![rule("CONTINUOUS_SCAN")], vec![rule("SCAN_ON_PUSH"); 2]] {
            let error = check_rules("BASIC", &rules).unwrap_err();
            assert_eq!(error.code, "InvalidParameterException");
        }
    }
}
