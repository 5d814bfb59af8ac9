//! An image made for a registry: what the last one has is taken over, the rest is packed
//! and sent at the same time.

use attest::{Contents, Dependencies};
use build::Declared;
use futures_util::{StreamExt as _, stream};
use image::{Layout, Stored};
use oci::Digest;
use receipts::Advisory;
use registry::{Blob, Pushed};
use tokio::sync::mpsc;

use super::found::{Found, Lender, expected_like};
use super::push::{Complete, Local, Push};
use super::signer::ReadySigner;
use super::source::Programs;
use super::{Gate, GateFailure, PublishFailure, SourcePublish};
use crate::build::{BuildFailure, Materials, base_failed, imprint_receipts};
use crate::event::{Event, Stage};
use crate::inputs::ExpectedImage;

/// What is asked and said of an image once it is made.
struct Sayings<'a> {
    /// What the program of each platform was compiled from.
    compiled: &'a [Option<Dependencies>],
    gate: Option<&'a Gate>,
    signer: Option<&'a ReadySigner<'a>>,
}

impl SourcePublish {
    /// Makes the image and pushes it. A registry that turns out to have lost what
    /// its last image is made of gets all of this one.
    pub(super) async fn make(
        &self,
        push: &Push<'_>,
        found: &Found,
        materials: &[Materials],
        (lenders, mut programs): (&[Lender], Programs),
    ) -> Result<Complete, PublishFailure> {
        let mut compiled = Vec::new();
        for materials in materials {
            compiled.push(materials.dependencies().await.map_err(engine)?);
        }
        let gate = Gate::new(&self.build.configuration.audit, &self.build.checkout);
        let advisories = match &gate {
            Some(gate) => self.advisories(gate, materials, &compiled).await?,
            None => Vec::new(),
        };
        let signer = match &self.signer {
            Some(signer) => Some(signer.ready(push.session).await?),
            None => None,
        };
        let sayings = Sayings {
            compiled: &compiled,
            gate: gate.as_ref(),
            signer: signer.as_ref(),
        };
        let nothing = vec![Lender::default(); materials.len()];
        let lent = lenders.iter().any(|lender| lender.image.is_some());
        let first = self.attempt(push, found, materials, (lenders, &mut programs, &sayings));
        let mut complete = match first.await {
            Err(failure) if failure.is_lost_blob() && lent => {
                let again = (nothing.as_slice(), &mut programs, &sayings);
                self.attempt(push, found, materials, again).await?
            }
            complete => complete?,
        };
        // What was asked of the whole image is asked of its programs too.
        if complete.advisories.is_empty() {
            complete.advisories = advisories;
        }
        let imprints = programs.into_iter().flatten();
        let imprints: Vec<_> = imprints.flat_map(|compiled| compiled.imprints).collect();
        complete.imprints = imprint_receipts(self.build.image.reproducible, &imprints);
        Ok(complete)
    }

    /// What the gate says of the programs, before they are compiled. Those that a
    /// Dockerfile brings are known when it is built.
    async fn advisories(
        &self,
        gate: &Gate,
        materials: &[Materials],
        compiled: &[Option<Dependencies>],
    ) -> Result<Vec<Advisory>, GateFailure> {
        let mut contents = Vec::new();
        let plans = self.build.platforms.iter();
        for ((plan, materials), compiled) in plans.zip(materials).zip(compiled) {
            match compiled {
                None if materials.is_given() => {
                    return Err(GateFailure::Unlisted(plan.platform()));
                }
                None => {}
                Some(_) => contents.push(Contents {
                    compiled: compiled.clone(),
                    installed: None,
                }),
            }
        }
        if contents.is_empty() {
            return Ok(Vec::new());
        }
        gate.pass(&contents).await
    }

    async fn attempt(
        &self,
        push: &Push<'_>,
        found: &Found,
        materials: &[Materials],
        (lenders, programs, sayings): (&[Lender], &mut Programs, &Sayings<'_>),
    ) -> Result<Complete, PublishFailure> {
        let mut expected = self.expected(push, materials, lenders, programs).await?;
        let plans = self.build.platforms.iter();
        let mut contents = Vec::new();
        let images = plans.zip(materials).zip(&mut expected.platforms);
        for (((plan, materials), of), compiled) in images.zip(sayings.compiled) {
            let settled = plan.settle(materials, &mut of.recipe, push.observe);
            contents.push(Contents {
                compiled: compiled.clone(),
                installed: settled.await.map_err(PublishFailure::Build)?,
            });
        }
        let mut advisories = Vec::new();
        if let Some(gate) = sayings.gate
            && contents.iter().any(|of| of.installed.is_some())
        {
            advisories = gate.pass(&contents).await?;
        }
        (push.observe)(Event::Stage(Stage::Assemble));
        for (lender, of) in lenders.iter().zip(&mut expected.platforms) {
            if let Some(image) = &lender.image {
                image::take_over(&mut of.recipe, &of.layers, &image.manifest);
            }
        }
        let held = found.digests();
        let elsewhere = self.base_layers(lenders).await?;
        let ((stored, local), sent) = self
            .pack(push, expected, (&contents, sayings), (&held, elsewhere))
            .await?;
        let mut complete = push.image(&stored, &local, &held, sent).await?;
        complete.advisories = advisories;
        Ok(complete)
    }

    /// The layers of the bases that are not on this machine, but for those that the
    /// lenders show the repository to have.
    async fn base_layers(&self, lenders: &[Lender]) -> Result<Vec<Blob>, PublishFailure> {
        let mut all: Vec<Blob> = Vec::new();
        for (plan, lender) in self.build.platforms.iter().zip(lenders) {
            let Some(base) = &plan.base else {
                continue;
            };
            let published = lender.image.as_ref().map(|image| &image.manifest);
            let layers = base.elsewhere(&plan.machine.logins, published);
            let layers = layers.await;
            let layers = layers.map_err(|error| PublishFailure::Build(base_failed(error)))?;
            for layer in layers {
                let digest = layer.descriptor.digest;
                if !all.iter().any(|other| other.descriptor.digest == digest) {
                    all.push(layer);
                }
            }
        }
        Ok(all)
    }

    /// Packs the image and attests it, and sends each blob as soon as it is made: the
    /// small ones go while the last layers still do. Where the immutable tag holds an
    /// image that does not say what it was made from, nothing is sent before it is
    /// known to be this one.
    async fn pack(
        &self,
        push: &Push<'_>,
        expected: ExpectedImage,
        (contents, sayings): (&[Contents], &Sayings<'_>),
        (held, elsewhere): (&[Option<Digest>], Vec<Blob>),
    ) -> Result<((Stored, Local), Pushed), PublishFailure> {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let made = stream::poll_fn(move |context| receiver.poll_recv(context));
        let early = held.first() == Some(&None);
        let first = if early { elsewhere.clone() } else { Vec::new() };
        let layers = sender.clone();
        let assemble = self.build.assemble(expected, contents, move |layer| {
            if early {
                let blob = Blob::of_file(layer.descriptor.clone(), layer.blob.clone());
                // A push that has failed takes no more.
                let _ = layers.send(blob);
            }
        });
        let make = async move {
            let stored = assemble.await.map_err(PublishFailure::Build)?;
            let layout = Layout::open(&self.build.layout).map_err(PublishFailure::Layout)?;
            let mut local = Local::of(&layout, &stored);
            local.blobs.extend(elsewhere);
            if self.build.configuration.publish.attest {
                let image = (&layout, &stored);
                let attest = local.attest(image, contents, push, sayings.signer);
                attest.await?;
            }
            for blob in local.all().into_iter().filter(|_| early) {
                let _ = sender.send(blob);
            }
            Ok((stored, local))
        };
        tokio::try_join!(make, push.blobs(stream::iter(first).chain(made)))
    }

    /// The image to make: for each platform of the program that is compiled, or of one
    /// that need not be, because its lender has the layer.
    async fn expected(
        &self,
        push: &Push<'_>,
        materials: &[Materials],
        lenders: &[Lender],
        programs: &mut Programs,
    ) -> Result<ExpectedImage, PublishFailure> {
        let plans = self.build.platforms.iter().zip(materials);
        let mut without = Vec::new();
        for (((plan, materials), lender), program) in plans.clone().zip(lenders).zip(&*programs) {
            without.push(match (&lender.image, program) {
                _ if !materials.has_program() => {
                    let expected = plan.expected_before(materials, Declared::default());
                    Some(expected.await.map_err(PublishFailure::Build)?)
                }
                (Some(image), None) => expected_like(plan, image, materials).await?,
                _ => None,
            });
        }
        let wanted = without.iter().zip(&*programs);
        let wanted: Vec<_> = wanted
            .map(|(without, program)| without.is_none() && program.is_none())
            .collect();
        if wanted.contains(&true) {
            let known = std::mem::take(programs);
            let compiled = self.compile(materials, &wanted, known, push.observe);
            *programs = compiled.await.map_err(PublishFailure::Build)?;
        }
        let mut expected = Vec::new();
        for (((plan, materials), without), program) in plans.zip(without).zip(&*programs) {
            expected.push(match (without, program) {
                (Some(without), _) => without,
                (None, Some(compiled)) => {
                    let expected = plan.expected_of(materials, compiled).await;
                    expected.map_err(PublishFailure::Build)?
                }
                (None, None) => {
                    let lost = "a program was lost on the way".to_owned();
                    return Err(PublishFailure::Interrupted(lost));
                }
            });
        }
        Ok(ExpectedImage::new(expected))
    }
}

fn engine(error: build::BuildError) -> PublishFailure {
    PublishFailure::Build(BuildFailure::Engine(error))
}
