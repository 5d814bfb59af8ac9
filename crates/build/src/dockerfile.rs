//! The `dockerfile` engine: a Dockerfile into an archive of an image, by whichever
//! program can build it.
//!
//! What it is built from is known without building: the text, the files of the context,
//! arguments, target, and the digests of the images that it names. The builder is no
//! input: whatever it writes is brought to one form afterwards.

mod builder;
mod context;
mod ignore;
mod instructions;
mod lines;
mod run;
mod variables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_err as fs;
use oci::Digest;

use builder::Task;
pub use builder::{Builder, BuilderError};
use context::{Apart, Context};
use ignore::Ignore;
use instructions::Instructions;

use crate::unseen::made;
use crate::{BuildError, Environment, Inputs, host_architecture};

/// The argument that reproducible builds ask for.
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// What to build.
#[derive(Debug, Clone)]
pub struct DockerfileBuild {
    /// The checkout's directory.
    pub checkout: PathBuf,
    /// The Dockerfile, relative to the checkout.
    pub dockerfile: PathBuf,
    /// The directory that it copies from, relative to the checkout.
    pub context: PathBuf,
    /// The stage to build; none for the last one.
    pub target: Option<String>,
    /// Whether cargo compiles the program that is put on the image.
    pub beside_cargo: bool,
    /// Build arguments.
    pub arguments: BTreeMap<String, String>,
    /// Names of variables whose values `RUN --mount=type=secret` may read.
    pub secrets: Vec<String>,
    /// The processor that the image is for, in the image specification's words.
    pub architecture: String,
    /// `SOURCE_DATE_EPOCH`, for a Dockerfile that declares it.
    pub source_date_epoch: i64,
    /// The builder, where it is not to be chosen by what is there.
    pub builder: Option<Builder>,
    /// The environment that the builder is started in.
    pub environment: Environment,
    /// Whether all images come from registries of this machine, which speak plain HTTP.
    pub plain_http: bool,
    /// Whether nothing that the builder kept is used.
    pub fresh: bool,
}

/// A Dockerfile and its context at one moment.
#[derive(Debug, Clone)]
pub struct Dockerfile {
    build: DockerfileBuild,
    text: String,
    instructions: Instructions,
    context: Context,
    pins: BTreeMap<String, Digest>,
}

impl DockerfileBuild {
    /// The images of registries that the Dockerfile at `path` names, in their order;
    /// `arguments` are those of the build, for `architecture`.
    pub fn images(
        path: &Path,
        arguments: &BTreeMap<String, String>,
        architecture: &str,
    ) -> Result<Vec<String>, BuildError> {
        let read = parse(path, &text(path)?, (arguments, architecture))?;
        let mut images: Vec<String> = Vec::new();
        for (_, image) in read.images {
            if !images.contains(&image) {
                images.push(image);
            }
        }
        Ok(images)
    }

    /// Looks at everything that the image would be made from. `pins` are the digests of
    /// the images that the Dockerfile names.
    pub fn look(&self, pins: BTreeMap<String, Digest>) -> Result<Dockerfile, BuildError> {
        let text = text(&self.checkout.join(&self.dockerfile))?;
        let arguments = (&self.arguments, &*self.architecture);
        let instructions = parse(&self.dockerfile, &text, arguments)?;
        let directory = self.checkout.join(&self.context);
        let context = Context::read(&directory, &self.ignore()?, &self.apart())?;
        Ok(Dockerfile {
            build: self.clone(),
            text,
            instructions,
            context,
            pins,
        })
    }

    /// Whether the image is for another processor than this machine's.
    fn is_foreign(&self) -> bool {
        self.architecture != host_architecture()
    }

    /// Where cargo and Longshore write: what cargo makes is no part of a context where it
    /// makes the program of the image.
    fn apart(&self) -> Apart {
        if !self.beside_cargo {
            return Apart::ours(&self.checkout);
        }
        Apart::all(made(&self.checkout, &self.environment, true))
    }

    /// `NAME.dockerignore` beside the Dockerfile, or `.dockerignore` of the context.
    fn ignore(&self) -> Result<Ignore, BuildError> {
        let mut own = self.checkout.join(&self.dockerfile).into_os_string();
        own.push(".dockerignore");
        let general = self.checkout.join(&self.context).join(".dockerignore");
        for file in [PathBuf::from(own), general] {
            match fs::read_to_string(&file) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                text => return Ok(Ignore::parse(&text?)),
            }
        }
        Ok(Ignore::default())
    }
}

fn text(path: &Path) -> Result<String, BuildError> {
    fs::read_to_string(path).map_err(|error| BuildError::Dockerfile(error.to_string()))
}

fn parse(
    path: &Path,
    text: &str,
    (arguments, architecture): (&BTreeMap<String, String>, &str),
) -> Result<Instructions, BuildError> {
    let mut all = arguments.clone();
    for (name, value) in of_platform(architecture) {
        all.entry(name.to_owned()).or_insert(value);
    }
    Instructions::parse(text, &all)
        .map_err(|unclear| BuildError::Dockerfile(format!("{}:{unclear}", path.display())))
}

/// What BuildKit gives a Dockerfile of the platform that it builds for, and other builders
/// do not (docs.docker.com/reference/dockerfile, "Automatic platform ARGs").
fn of_platform(architecture: &str) -> [(&'static str, String); 4] {
    [
        ("TARGETPLATFORM", format!("linux/{architecture}")),
        ("TARGETOS", "linux".to_owned()),
        ("TARGETARCH", architecture.to_owned()),
        ("TARGETVARIANT", String::new()),
    ]
}

impl Dockerfile {
    /// Everything that decides what is in the image, but for what a `RUN` looks up
    /// outside.
    pub fn inputs(&self) -> Inputs {
        let mut inputs = Inputs::default();
        inputs.insert("dockerfile", Digest::of(self.text.as_bytes()).to_string());
        inputs.insert("dockerfile:architecture", &*self.build.architecture);
        if let Some(target) = &self.build.target {
            inputs.insert("dockerfile:target", &**target);
        }
        for (name, value) in self.arguments() {
            inputs.insert(format!("argument:{name}"), value);
        }
        for name in &self.build.secrets {
            inputs.insert(format!("secret:{name}"), "given");
        }
        for (image, digest) in &self.pins {
            inputs.insert(format!("from:{image}"), digest.to_string());
        }
        for (path, found) in &self.context.0 {
            inputs.insert(format!("context:{path}"), found.value());
        }
        inputs
    }

    /// The values of the secrets, by name: each in every form that must not show, such as
    /// its single lines.
    pub fn secrets(&self) -> Result<Vec<(String, String)>, BuildError> {
        let names = self.build.secrets.iter();
        let mut values = Vec::new();
        for name in names {
            match self.build.environment.get(name) {
                Some(value) if !value.is_empty() => {
                    let forms = run::forms(value).into_iter();
                    values.extend(forms.map(|form| (name.clone(), form)));
                }
                _ => return Err(BuildError::NoSecret(name.clone())),
            }
        }
        Ok(values)
    }

    /// Builds in `place`, an empty directory, and returns the file there that holds the
    /// image as `docker save` writes it; `observe` gets the builder's lines. Dropping
    /// the future ends the builder.
    pub async fn run(
        &self,
        place: &Path,
        observe: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<PathBuf, BuildError> {
        let secrets: Vec<_> = self
            .secrets()?
            .into_iter()
            .map(|(_, value)| value)
            .collect();
        // Docker's older builder knows no secrets, and builds for one platform.
        let asks_for_more = self.build.is_foreign() || !self.build.secrets.is_empty();
        let builder = match self.build.builder {
            Some(builder) => builder,
            None => Builder::find(&self.build.environment, asks_for_more).await?,
        };
        let (builder, its_buildkit) = builder.settled().await;
        let archive = place.join("image.tar");
        let from = self.build.checkout.join(&self.build.context);
        let context = self.context.stage(&from, place)?;
        // Alone in its directory, which some builders are given.
        let beside = place.join("dockerfile");
        fs::create_dir(&beside)?;
        let task = Task {
            build: &self.build,
            context: context.path(),
            dockerfile: &beside.join("Dockerfile"),
            identity: &beside.join("identity"),
            archive: &archive,
            arguments: self.arguments(),
        };
        fs::write(task.dockerfile, self.pinned(builder))?;
        let mut variables = Vec::new();
        if its_buildkit || (builder == Builder::Docker && asks_for_more) {
            variables.push(("DOCKER_BUILDKIT", "1"));
        }
        if builder == Builder::Docker {
            variables.push(("BUILDKIT_PROGRESS", "plain"));
            // Of an image with none, an engine on containerd's store names the configuration,
            // by which it then finds nothing.
            variables.push(("BUILDX_NO_DEFAULT_ATTESTATIONS", "0"));
        }
        let words = builder.build(&task);
        let ended = run::run(builder, &words, &variables, &secrets, observe).await?;
        self.succeeded(builder, ended)?;
        let identity = fs::read_to_string(task.identity).unwrap_or_default();
        let identity = identity.trim();
        if let Some(words) = builder.export(identity, &archive) {
            let ended = run::run(builder, &words, &variables, &secrets, &|_| {}).await?;
            self.succeeded(builder, ended)?;
        }
        Ok(archive)
    }

    /// Arguments, with the commit's time and the platform where the Dockerfile asks for
    /// them.
    fn arguments(&self) -> Vec<(String, String)> {
        let mut arguments = self.build.arguments.clone();
        if self.instructions.declared.contains(EPOCH) {
            let epoch = self.build.source_date_epoch.to_string();
            arguments.entry(EPOCH.to_owned()).or_insert(epoch);
        }
        for (name, value) in of_platform(&self.build.architecture) {
            if self.instructions.declared.contains(name) {
                arguments.entry(name.to_owned()).or_insert(value);
            }
        }
        arguments.into_iter().collect()
    }

    /// The text with each image's digest behind its name.
    fn pinned(&self, builder: Builder) -> String {
        let images = self
            .instructions
            .images
            .iter()
            .filter_map(|(range, image)| {
                let digest = self.pins.get(image).filter(|_| !image.contains('@'))?;
                Some((range.clone(), format!("{image}@{digest}")))
            });
        let mut edits: Vec<_> = images.collect();
        if self.build.is_foreign() && matches!(builder, Builder::Buildah | Builder::Podman) {
            // Before 1.41 Buildah takes steps of another platform from its cache, where the
            // base has the same layers, or none (containers/podman#18723).
            let first = format!("\nARG LONGSHORE_PLATFORM=linux/{}", self.build.architecture);
            let ends = self.instructions.stages.iter();
            edits.extend(ends.map(|end| (*end..*end, first.clone())));
        }
        edits.sort_by_key(|(range, _)| range.start);
        let mut text = self.text.clone();
        for (range, with) in edits.into_iter().rev() {
            text.replace_range(range, &with);
        }
        text
    }

    fn succeeded(&self, builder: Builder, ended: run::Ended) -> Result<(), BuildError> {
        if ended.status.success() {
            return Ok(());
        }
        let step = ended
            .step
            .and_then(|step| self.instructions.find(&step).cloned());
        Err(BuildError::DockerfileFailed {
            builder,
            file: self.build.dockerfile.clone(),
            step,
            status: ended.status.to_string(),
            output: Vec::from(ended.last).join("\n"),
        })
    }
}
