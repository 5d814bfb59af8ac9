//! What most likely brings a text into a program, and what to change.

use super::ImprintKind;
use super::origin::Origin;
use super::scan::Found;
use super::sources::Sources;

/// A line and what to do about it.
pub(super) struct Cause {
    pub(super) place: Option<(String, usize)>,
    pub(super) fix: String,
}

/// Words of code, and what to do where they are the cause.
type Words = [(&'static str, &'static str)];

const OUT_DIR: &str = "`env!(\"OUT_DIR\")` is a path of the machine that compiles: take in what \
    the file holds, with `include!`, `include_str!` or `include_bytes!`";
const MANIFEST_DIR: &str = "`env!(\"CARGO_MANIFEST_DIR\")` is a path of the machine that compiles: take in \
    what a file holds with `include_str!` or `include_bytes!`, or put it into the image with \
    `[[image.assets]]`";
const LOOKED_UP: &str = "keep paths that are looked up while compiling out of the program: a path \
    relative to the workspace says the same everywhere";
const EPOCH: &str = "take the time from `SOURCE_DATE_EPOCH`, which Longshore sets to the commit's";
const HOST: &str = "leave the name of the machine out, or look it up when the program runs";
const USER: &str = "leave the name of the user out; the commit says who made it";

const PATH_WORDS: &Words = &[
    ("env!(\"CARGO_MANIFEST_DIR\")", MANIFEST_DIR),
    ("env!(\"OUT_DIR\")", OUT_DIR),
    ("CARGO_MANIFEST_DIR", MANIFEST_DIR),
    ("current_dir", LOOKED_UP),
    ("canonicalize", LOOKED_UP),
    ("current_exe", LOOKED_UP),
    ("temp_dir", LOOKED_UP),
    ("tempdir", LOOKED_UP),
    ("\"HOME\"", LOOKED_UP),
];
const MADE_WORDS: &Words = &[("env!(\"OUT_DIR\")", OUT_DIR), ("OUT_DIR", OUT_DIR)];
const TIME_WORDS: &Words = &[
    ("SystemTime::now", EPOCH),
    ("Utc::now", EPOCH),
    ("Local::now", EPOCH),
    ("Timestamp::now", EPOCH),
    ("Zoned::now", EPOCH),
    ("now_utc", EPOCH),
    ("now_local", EPOCH),
    ("\"date\"", EPOCH),
    ("build_time", EPOCH),
    ("compile_time", EPOCH),
    ("build_timestamp", EPOCH),
    ("build_date", EPOCH),
    ("now()", EPOCH),
];
const HOST_WORDS: &Words = &[
    ("hostname", HOST),
    ("HOSTNAME", HOST),
    ("\"HOST\"", HOST),
    ("uname", HOST),
];
const USER_WORDS: &Words = &[
    ("\"USER\"", USER),
    ("LOGNAME", USER),
    ("whoami", USER),
    ("username", USER),
];

impl Cause {
    /// Of `found`, which `origin` brought in.
    pub(super) fn of(found: &Found, origin: Option<&Origin>, sources: &Sources<'_>) -> Self {
        let nowhere = |fix: String| Self { place: None, fix };
        if found.section.starts_with(".debug") {
            return nowhere(
                "set `strip = \"debuginfo\"` or `debug = false` in the cargo profile".to_owned(),
            );
        }
        let made = found.text.contains("/build/") && found.text.contains("/out");
        let (words, fix) = match found.kind {
            ImprintKind::Path if made => (MADE_WORDS, OUT_DIR),
            ImprintKind::Path => (PATH_WORDS, MANIFEST_DIR),
            ImprintKind::Time => (TIME_WORDS, EPOCH),
            ImprintKind::HostName => (HOST_WORDS, HOST),
            ImprintKind::UserName => (USER_WORDS, USER),
            ImprintKind::Incremental => {
                return nowhere(
                    "Longshore compiles with `CARGO_INCREMENTAL=0`: find the `rustc-wrapper` that \
                     passes `-C incremental`"
                        .to_owned(),
                );
            }
        };
        let Some(origin) = origin else {
            return nowhere(fix.to_owned());
        };
        let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        match sources.line(origin, &names) {
            Some((file, line, word)) => Self {
                place: Some((file, line)),
                fix: words[word].1.to_owned(),
            },
            None if found.text.contains(".rs") => nowhere(
                "the compiler replaces paths of sources as Longshore tells it \
                 (`--remap-path-prefix`): find the `rustc-wrapper` that does not pass that on, \
                 or the macro that writes the path"
                    .to_owned(),
            ),
            None => nowhere(fix.to_owned()),
        }
    }
}
