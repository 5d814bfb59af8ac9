//! Reads the `.tf` files of a root and of the local modules it calls, and sorts
//! their blocks by kind. Evaluates nothing.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use hcl_edit::Span;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Body};

use crate::error::ReadError;
use crate::place::{Place, SourceText};

/// A block or an attribute that can be referred to, with the file it stands in.
#[derive(Debug)]
pub(crate) struct Definition<T> {
    pub(crate) content: T,
    pub(crate) source: Arc<SourceText>,
    pub(crate) place: Place,
    /// The block or attribute in its file.
    pub(crate) span: Option<Range<usize>>,
}

/// What is declared in one directory.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    pub(crate) variables: BTreeMap<String, Definition<Body>>,
    pub(crate) locals: BTreeMap<String, Definition<Expression>>,
    /// By type and name.
    pub(crate) resources: BTreeMap<(String, String), Definition<Body>>,
    /// By type and name.
    pub(crate) data: BTreeMap<(String, String), Definition<Body>>,
    pub(crate) modules: BTreeMap<String, Definition<Body>>,
    pub(crate) outputs: BTreeMap<String, Definition<Body>>,
    /// By type and alias; the default one has an empty alias.
    pub(crate) providers: BTreeMap<(String, String), Definition<Body>>,
    /// The files.
    pub(crate) sources: Vec<Arc<SourceText>>,
}

/// A root and all local modules below it, by normalised path.
#[derive(Debug)]
pub(crate) struct Configuration {
    pub(crate) root: PathBuf,
    pub(crate) directories: BTreeMap<PathBuf, Directory>,
}

/// Reads a root directory and, from their `source`, the local modules.
pub(crate) fn load(root: &Path) -> Result<Configuration, ReadError> {
    let root = normalise(root);
    let mut configuration = Configuration {
        root: root.clone(),
        directories: BTreeMap::new(),
    };
    load_with_modules(&root, &mut configuration, &mut Vec::new())?;
    Ok(configuration)
}

/// The directory of a local module, from the caller's; `None` for a module that
/// comes from elsewhere.
pub(crate) fn local_module(caller: &Path, call: &Body) -> Option<PathBuf> {
    let source = call.get_attribute("source")?.value.as_str()?;
    let local =
        source == "." || source == ".." || source.starts_with("./") || source.starts_with("../");
    local.then(|| normalise(&caller.join(source)))
}

fn load_with_modules(
    path: &Path,
    configuration: &mut Configuration,
    callers: &mut Vec<PathBuf>,
) -> Result<(), ReadError> {
    if callers.iter().any(|caller| caller == path) {
        return Err(ReadError::ModuleCycle {
            path: path.to_owned(),
        });
    }
    if configuration.directories.contains_key(path) {
        return Ok(());
    }
    let directory = load_directory(path)?;
    let called: Vec<PathBuf> = directory
        .modules
        .values()
        .filter_map(|call| local_module(path, &call.content))
        .collect();
    callers.push(path.to_owned());
    for module in called {
        load_with_modules(&module, configuration, callers)?;
    }
    callers.pop();
    configuration.directories.insert(path.to_owned(), directory);
    Ok(())
}

fn load_directory(path: &Path) -> Result<Directory, ReadError> {
    if !path.is_dir() {
        return Err(ReadError::NoSuchDirectory {
            path: path.to_owned(),
        });
    }
    let mut directory = Directory::default();
    let mut found = false;
    for file in files(path)? {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.ends_with(".tf.json") {
            return Err(ReadError::Unsupported {
                file,
                what: "configuration in JSON",
            });
        }
        if !name.ends_with(".tf") {
            continue;
        }
        if name == "override.tf" || name.ends_with("_override.tf") {
            return Err(ReadError::Unsupported {
                file,
                what: "an override file",
            });
        }
        found = true;
        let (source, body) = parse_file(file)?;
        let source = Arc::new(source);
        directory.sources.push(Arc::clone(&source));
        directory.add(body, &source)?;
    }
    if found {
        Ok(directory)
    } else {
        Err(ReadError::NoConfiguration {
            path: path.to_owned(),
        })
    }
}

/// The files of a directory that Terraform does not ignore, sorted by name.
pub(crate) fn files(path: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let unreadable = |source| ReadError::Unreadable { source };
    let mut files = Vec::new();
    for entry in fs_err::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let ignored = name.starts_with('.') || name.ends_with('~') || name.starts_with('#');
        if !ignored && !entry.path().is_dir() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Reads and parses one file of HCL.
pub(crate) fn parse_file(path: PathBuf) -> Result<(SourceText, Body), ReadError> {
    let text = fs_err::read_to_string(&path).map_err(|source| ReadError::Unreadable { source })?;
    let text = text
        .strip_prefix('\u{feff}')
        .map_or(text.as_str(), |text| text)
        .to_owned();
    let body = match hcl_edit::parser::parse_body(&text) {
        Ok(body) => body,
        Err(error) => {
            return Err(ReadError::Syntax {
                file: path,
                line: error.location().line(),
                column: error.location().column(),
                message: error.message().to_owned(),
            });
        }
    };
    Ok((SourceText::new(path, text), body))
}

/// The path without `.` and with `..` resolved by name, so that one directory
/// has one name. It does not follow links, as Terraform does not.
pub(crate) fn normalise(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(normal.components().next_back(), Some(Component::Normal(_))) =>
            {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    if normal.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        normal
    }
}

impl Directory {
    fn add(&mut self, body: Body, source: &Arc<SourceText>) -> Result<(), ReadError> {
        for block in body.into_blocks() {
            let labels: Vec<String> = block
                .labels
                .iter()
                .map(|label| label.as_str().to_owned())
                .collect();
            match (block.ident.as_str(), labels.as_slice()) {
                ("locals", []) => self.add_locals(block, source)?,
                ("variable", [name]) => insert(&mut self.variables, name.clone(), block, source)?,
                ("module", [name]) => insert(&mut self.modules, name.clone(), block, source)?,
                ("output", [name]) => insert(&mut self.outputs, name.clone(), block, source)?,
                ("resource", [kind, name]) => {
                    insert(
                        &mut self.resources,
                        (kind.clone(), name.clone()),
                        block,
                        source,
                    )?;
                }
                ("data", [kind, name]) => {
                    insert(&mut self.data, (kind.clone(), name.clone()), block, source)?;
                }
                ("provider", [kind]) => {
                    let alias = block.body.get_attribute("alias");
                    let alias = alias
                        .and_then(|alias| alias.value.as_str())
                        .unwrap_or_default();
                    insert(
                        &mut self.providers,
                        (kind.clone(), alias.to_owned()),
                        block,
                        source,
                    )?;
                }
                // `terraform`, `moved`, `import`, `removed`, `check`: none of
                // them says what a resource is.
                _ => {}
            }
        }
        Ok(())
    }

    fn add_locals(&mut self, block: Block, source: &Arc<SourceText>) -> Result<(), ReadError> {
        for attribute in block.body.into_attributes() {
            let span = attribute.span();
            let place = source.place(span.clone());
            let name = attribute.key.as_str().to_owned();
            if self.locals.contains_key(&name) {
                return Err(duplicate(format!("local.{name}"), place));
            }
            let source = Arc::clone(source);
            self.locals.insert(
                name,
                Definition {
                    content: attribute.value,
                    source,
                    place,
                    span,
                },
            );
        }
        Ok(())
    }
}

fn insert<K: Ord>(
    blocks: &mut BTreeMap<K, Definition<Body>>,
    key: K,
    block: Block,
    source: &Arc<SourceText>,
) -> Result<(), ReadError> {
    let span = block.span();
    let place = source.place(span.clone());
    if blocks.contains_key(&key) {
        let labels: Vec<String> = block
            .labels
            .iter()
            .map(|label| format!(" {:?}", label.as_str()))
            .collect();
        return Err(duplicate(
            format!("{}{}", block.ident.as_str(), labels.concat()),
            place,
        ));
    }
    blocks.insert(
        key,
        Definition {
            content: block.body,
            source: Arc::clone(source),
            place,
            span,
        },
    );
    Ok(())
}

fn duplicate(what: String, place: Place) -> ReadError {
    ReadError::Duplicate {
        what,
        file: place.file,
        line: place.line,
    }
}
