//! `longshore build --why`: which inputs are not those of the published image.

use std::sync::Arc;

use aws::Client;
use build::Inputs;
use image::Stored;
use receipts::InputsReport;

use super::found::{finished, recorded};
use super::{PublishFailure, SourcePublish};
use crate::event::{Event, Observer, Stage};
use crate::inputs::{ByPlatform, changes_of_each};

impl SourcePublish {
    /// Compares the inputs of this source with those that the published image
    /// records: the one of this very commit, or the last one. With `alone` the platform of
    /// this build is compared, whatever others the published index has.
    pub async fn why(
        &self,
        alone: bool,
        client: &Arc<Client>,
        observe: Observer<'_>,
    ) -> Result<InputsReport, PublishFailure> {
        observe(Event::Stage(Stage::Inputs));
        let looking = self.look_up(client);
        let materials = self.build.look().await.map_err(PublishFailure::Build)?;
        let found = finished(looking).await?;
        let Some((tag, image)) = found.published(&self.destination) else {
            return Ok(InputsReport::default());
        };
        let repository = &self.destination.repository;
        let host = &found.session.host;
        let mut report = InputsReport {
            published: Some(format!("{host}/{repository}@{}", image.descriptor().digest)),
            tag: Some(tag.to_string()),
            same: false,
            changes: None,
        };
        let Some(declared) = self.declared(image) else {
            return Ok(report);
        };
        let expected = self.expected_with(&materials, declared).await?;
        report.same = recorded(image) == Some(expected.inputs.digest());
        let before = self
            .destination
            .published_inputs(&found.session.registry, &image.descriptor().digest)
            .await
            .map_err(self.destination.failed("reading the last image", 0))?;
        let Some(before) = before else {
            return Ok(report);
        };
        let after = expected.of_each();
        let mut before = of_each(image, before);
        if alone {
            before.retain(|name, _| after.contains_key(name));
            report.same = before == after;
        }
        report.changes = Some(changes_of_each(&before, &after));
        Ok(report)
    }
}

/// The inputs of each platform of `image`, of which `document` tells.
fn of_each(image: &Stored, document: Inputs) -> ByPlatform {
    let Stored::Index(index) = image else {
        let platform = document.get("image:platform").map(str::to_owned);
        return [(platform.unwrap_or_default(), document)].into();
    };
    let listed = index.index.manifests.iter();
    let names = listed.filter_map(|listed| Some(listed.platform.as_ref()?.to_string()));
    let names: Vec<String> = names.collect();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let each = all.iter();
    each.map(|name| ((*name).to_owned(), document.of_one(name, &all)))
        .collect()
}
