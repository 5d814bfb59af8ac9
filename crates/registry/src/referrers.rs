//! Writing referrers: manifests that name another one as their subject.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::future::try_join_all;
use http::{Method, StatusCode};
use oci::{AnyManifest, Descriptor, Digest, Index, ManifestReference, RepositoryName, media_type};

use crate::exchange::{Call, Scope};
use crate::{Registry, RegistryError, Step};

/// A manifest about another one.
#[derive(Debug, Clone)]
pub struct ReferrerManifest {
    /// How the list of referrers has it: its digest, type and annotations.
    pub listed: Descriptor,
    /// Its bytes.
    pub bytes: Bytes,
}

impl Registry {
    /// Writes manifests whose subject is `subject`, and whose blobs are there.
    ///
    /// A registry that keeps no list of referrers gets one in the form that the
    /// specification gives clients for that: an index under the tag
    /// `sha256-HEX` (distribution-spec, "Referrers Tag Schema").
    pub async fn push_referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
        referrers: &[ReferrerManifest],
    ) -> Result<(), RegistryError> {
        let put = |referrer: &ReferrerManifest| {
            let reference = ManifestReference::Digest(referrer.listed.digest);
            let bytes = referrer.bytes.clone();
            async move {
                let media_type = media_type::MANIFEST;
                self.put_manifest(repository, &reference, media_type, bytes)
                    .await
            }
        };
        let put = try_join_all(referrers.iter().map(put)).await?;
        if put.iter().all(|put| put.listed) || self.lists_referrers(repository, subject).await? {
            return Ok(());
        }
        self.list_by_tag(repository, subject, referrers).await
    }

    /// Whether the registry has the API at all; one that does not answers 404, and is
    /// asked no more. Who may push need not be allowed to ask, but a denial is no 404.
    async fn lists_referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
    ) -> Result<bool, RegistryError> {
        if !self.may_list_referrers.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let url = self.url(repository, &format!("referrers/{subject}"));
        let call = Call::new(
            Step::ListReferrers,
            Method::GET,
            url,
            Scope::pull(repository),
        );
        let answer = self
            .retry(Step::ListReferrers, None, async |_| self.send(&call).await)
            .await?;
        match answer.status {
            StatusCode::NOT_FOUND => {
                self.may_list_referrers.store(false, Ordering::Relaxed);
                Ok(false)
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(true),
            _ => answer.accepted().map(|_| true),
        }
    }

    async fn list_by_tag(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
        referrers: &[ReferrerManifest],
    ) -> Result<(), RegistryError> {
        let mut index = Index {
            schema_version: 2,
            media_type: Some(media_type::INDEX.to_owned()),
            manifests: self.listed_by_tag(repository, subject).await?,
            subject: None,
            annotations: BTreeMap::new(),
        };
        for referrer in referrers {
            index
                .manifests
                .retain(|listed| listed.digest != referrer.listed.digest);
            index.manifests.push(referrer.listed.clone());
        }
        let bytes = serde_json::to_vec(&index).unwrap_or_default();
        let Some(tag) = list_tag(subject) else {
            return Ok(());
        };
        self.push_manifest(repository, &tag, media_type::INDEX, bytes.into())
            .await
            .map(|_| ())
    }

    /// The list that clients keep for a registry that keeps none.
    pub(crate) async fn listed_by_tag(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, RegistryError> {
        let Some(tag) = list_tag(subject) else {
            return Ok(Vec::new());
        };
        let known = self.manifest(repository, &tag).await?;
        Ok(known.map_or_else(Vec::new, |(descriptor, bytes)| {
            match AnyManifest::parse(&descriptor.media_type, &bytes) {
                Ok(AnyManifest::Index(index)) => index.manifests,
                _ => Vec::new(),
            }
        }))
    }
}

/// The tag of such a list: the algorithm, and 64 characters of the digest.
fn list_tag(subject: &Digest) -> Option<ManifestReference> {
    let text = format!("{}-{:.64}", subject.algorithm(), subject.hex());
    text.parse().ok().map(ManifestReference::Tag)
}
