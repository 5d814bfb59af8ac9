//! Files that expressions read: `file` and `templatefile`. Only what lies in the
//! root's directory or in that of a module is read, links followed.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use hcl_edit::expr::FuncCall;
use hcl_edit::template::Template;

use crate::evaluate::Evaluator;
use crate::load::normalise;
use crate::place::SourceText;
use crate::scope::Scope;
use crate::value::{Evaluated, Failure, Value, failure};

/// The largest file that an expression may read, in bytes: far more than a
/// policy may have.
const LARGEST: u64 = 256 * 1024;

/// The most names that a template file may be given.
const MOST_NAMES: usize = 200;

/// The names of expressions, which a template file does not see.
const HIDDEN: [&str; 9] = [
    "var",
    "local",
    "module",
    "data",
    "path",
    "terraform",
    "each",
    "count",
    "self",
];

/// A file's text, or why it is not known.
pub(crate) type FileText = Result<Arc<SourceText>, String>;

impl Evaluator<'_> {
    /// `file(path)`.
    pub(crate) fn file(&self, call: &FuncCall, scope: &Scope<'_>) -> Evaluated {
        Ok(match self.file_argument(call, scope)? {
            Ok(source) => Value::from(source.text()),
            Err(reason) => Value::Unknown(reason),
        })
    }

    /// `templatefile(path, names)`.
    pub(crate) fn template_file(&self, call: &FuncCall, scope: &Scope<'_>) -> Evaluated {
        if let Err(reason) = self.file_argument(call, scope)? {
            return Ok(Value::Unknown(reason));
        }
        let text = self.with_template_file(call, scope, &mut |template, scope| {
            self.template_text(template, scope)
        });
        text.unwrap_or_else(|| {
            Ok(Value::Unknown(
                "the template or its names are not understood".to_owned(),
            ))
        })
    }

    /// The file that the first argument names.
    pub(crate) fn file_argument(
        &self,
        call: &FuncCall,
        scope: &Scope<'_>,
    ) -> Result<FileText, Failure> {
        let Some(argument) = call.args.get(0) else {
            return failure("a file needs a path");
        };
        let paths = self.paths(scope.module);
        match self.evaluate(argument, &scope.with("path", &paths))? {
            Value::String(path) => self.file_at(&path),
            Value::Unknown(reason) => Ok(Err(reason)),
            other => failure(format!("a path is a string, not {}", other.kind())),
        }
    }

    /// Calls `then` with the template and a scope in which its names are bound;
    /// `None` if either is not known.
    pub(crate) fn with_template_file<T>(
        &self,
        call: &FuncCall,
        scope: &Scope<'_>,
        then: &mut dyn FnMut(&Template, &Scope<'_>) -> T,
    ) -> Option<T> {
        let source = self.file_argument(call, scope).ok()?.ok()?;
        let template = hcl_edit::parser::parse_template(source.text()).ok()?;
        let Value::Object(mut names) = self.value(call.args.get(1)?, scope) else {
            return None;
        };
        if names.len() > MOST_NAMES || Value::rest(&names).is_some() {
            return None;
        }
        for hidden in HIDDEN {
            names.entry(hidden.to_owned()).or_insert_with(|| {
                Value::Unknown(format!("a template file does not see {hidden}"))
            });
        }
        let names: Vec<_> = names.iter().collect();
        let mut found = None;
        bind(&names, &Scope::of_module(scope.module), &mut |scope| {
            found = Some(then(&template, scope));
        });
        found
    }

    /// `path`, as Terraform gives it: from the root, where it is run.
    fn paths(&self, module: usize) -> Value {
        let module = relative(&self.configuration.root, &self.module(module).path);
        let entries = BTreeMap::from([
            ("module".to_owned(), Value::String(module)),
            ("root".to_owned(), Value::from(".")),
        ]);
        Value::partial(entries, "it depends on where Terraform is run".to_owned())
    }

    fn file_at(&self, path: &str) -> Result<FileText, Failure> {
        let path = normalise(&self.configuration.root.join(path));
        if let Some(known) = self.files.borrow().get(&path) {
            return Ok(known.clone());
        }
        let text = self.read_file(&path)?;
        if let Ok(source) = &text
            && !self.spend(source.text().len())
        {
            return Ok(Err(
                "the configuration takes too much to evaluate".to_owned()
            ));
        }
        self.files.borrow_mut().insert(path, text.clone());
        Ok(text)
    }

    fn read_file(&self, path: &Path) -> Result<FileText, Failure> {
        let shown = path.display();
        let outside = Ok(Err(format!(
            "the file {shown} is outside of the configuration"
        )));
        let inside = |path: &Path, directory: &Path| {
            path.starts_with(directory) || directory == Path::new(".") && is_below(path)
        };
        let directories = || self.configuration.directories.keys();
        if !directories().any(|directory| inside(path, directory)) {
            return outside;
        }
        let Ok(real) = fs_err::canonicalize(path) else {
            return failure(format!("there is no file {shown}"));
        };
        let mut real_directories = directories().filter_map(|path| fs_err::canonicalize(path).ok());
        if !real_directories.any(|directory| real.starts_with(directory)) {
            return outside;
        }
        match fs_err::metadata(&real) {
            Ok(file) if file.is_file() && file.len() <= LARGEST => {}
            Ok(_) => {
                return Ok(Err(format!(
                    "the file {shown} is not read: it is too large"
                )));
            }
            Err(_) => return failure(format!("the file {shown} cannot be read")),
        }
        match fs_err::read_to_string(&real) {
            Ok(text) => Ok(Ok(Arc::new(SourceText::new(path.to_owned(), text)))),
            Err(_) => failure(format!("the file {shown} cannot be read as text")),
        }
    }
}

/// Binds the names one inside of the other.
fn bind(names: &[(&String, &Value)], scope: &Scope<'_>, then: &mut dyn FnMut(&Scope<'_>)) {
    match names.split_first() {
        None => then(scope),
        Some(((name, value), rest)) => bind(rest, &scope.with(name, value), then),
    }
}

/// Whether a normalised path leads down from where it begins.
fn is_below(path: &Path) -> bool {
    path.components()
        .all(|component| matches!(component, Component::Normal(_)))
}

/// The way from one normalised directory to another, with `/`.
fn relative(from: &Path, to: &Path) -> String {
    let parts = |path: &Path| -> Vec<PathBuf> {
        path.components()
            .filter(|component| *component != Component::CurDir)
            .map(|component| PathBuf::from(component.as_os_str()))
            .collect()
    };
    let (from, to) = (parts(from), parts(to));
    let common = from
        .iter()
        .zip(&to)
        .take_while(|(left, right)| left == right);
    let common = common.count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - common);
    let down = to.iter().skip(common);
    let steps: Vec<String> = up
        .chain(down.map(|part| part.to_string_lossy().into_owned()))
        .collect();
    if steps.is_empty() {
        ".".to_owned()
    } else {
        steps.join("/")
    }
}
