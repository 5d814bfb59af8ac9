//! `longshore build --why`: which inputs are not those of the published image.

use std::sync::Arc;

use aws::Client;
use receipts::InputsReport;

use super::found::{finished, recorded};
use super::{PublishFailure, SourcePublish};
use crate::event::{Event, Observer, Stage};
use crate::inputs::changes;

impl SourcePublish {
    /// Compares the inputs of this source with those that the published image
    /// records: the one of this very commit, or the last one.
    pub async fn why(
        &self,
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
        let Some(expected) = self.expected_like(image, &materials).await? else {
            return Ok(report);
        };
        report.same = recorded(image) == Some(expected.inputs.digest());
        let before = self
            .destination
            .published_inputs(&found.session.registry, &image.descriptor().digest)
            .await
            .map_err(self.destination.failed("reading the last image", 0))?;
        report.changes = before.map(|before| changes(&before, &expected.inputs));
        Ok(report)
    }
}
