//! The report as a page, in a file.

use std::path::Path;

use build::Source;
use fs_err as fs;
use jiff::civil::Date;
use receipts::{CheckReport, Problem, ProblemCode};

use super::load::Loaded;
use super::relative;
use crate::render::check::Sources;
use crate::render::report::Page;

/// How much of a commit's id is shown, in digits.
const SHORT: usize = 12;

/// Writes the page for `report` to `file`, whole or not at all.
pub(super) async fn write(
    file: &Path,
    report: &CheckReport,
    loaded: &Loaded,
    root: &Path,
    date: Date,
) -> Result<(), Problem> {
    let mut matrix = audit::matrix(&loaded.setup);
    relative::matrix(&mut matrix, root);
    let sources = Sources::new(&loaded.setup);
    let html = Page {
        report,
        matrix: &matrix,
        commit: commit(root).await.as_deref(),
        date: Some(&date.to_string()),
        line: &|file, line| sources.line(file, line).map(str::to_owned),
    }
    .html();
    save(file, &html).map_err(|error| {
        Problem::new(
            ProblemCode::Io,
            "the check is done, and no report was written",
        )
        .caused_by(&error)
        .hint("name a file in a directory that exists, with `--report FILE.html`")
    })
}

fn save(file: &Path, html: &str) -> std::io::Result<()> {
    let directory = match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let mut beside = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any other file that is written: the umask takes its share.
        beside.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let temporary = beside.tempfile_in(directory)?;
    fs::write(temporary.path(), html)?;
    temporary.persist(file)?;
    Ok(())
}

/// The commit of a checkout's own top, and whether files differ from it.
async fn commit(root: &Path) -> Option<String> {
    root.join(".git").exists().then_some(())?;
    let source = Source::read(root).await.ok()?;
    let commit = source.commit.get(..SHORT).unwrap_or(&source.commit);
    let changes = if source.dirty() { ", with changes" } else { "" };
    Some(format!("`{commit}`{changes}"))
}
