//! The pages in a real browser, Chromium.

use std::path::Path;
use std::process::{Command, Output};

use crate::process::{Running, backend};

fn chromium(profile: &Path, arguments: &[&str]) -> Output {
    Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--window-size=900,2600",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(arguments)
        .output()
        .expect("Chromium")
}

#[expect(clippy::print_stdout, reason = "says what is not tested")]
fn has_chromium() -> bool {
    let is_there = Command::new("chromium").arg("--version").output().is_ok();
    let is_gate = std::env::vars_os().any(|(name, _)| name == "CI");
    assert!(
        is_there || !is_gate,
        "the gate needs Debian's package chromium"
    );
    if !is_there {
        println!("not tested in a browser: chromium is not installed");
    }
    is_there
}

#[test]
fn a_browser_shows_the_pages_light_and_dark() {
    if !has_chromium() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let running = Running::start(&mut backend(directory.path()));
    let profile = directory.path().join("profile");
    let dump = |path: &str| {
        let address = format!("http://{}{path}", running.address);
        let output = chromium(&profile, &["--dump-dom", &address]);
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let page = dump("/");
    for part in [
        "<h1 id=\"name\">Ada Marlow</h1>",
        "<label for=\"email-field\">",
        "<main id=\"main\">",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    assert!(dump("/posts/readings-that-cannot-be-true").contains("<code>impossible</code>"));

    let screenshot = |name: &str, scheme: &str| {
        let file = directory.path().join(name);
        let save = format!("--screenshot={}", file.display());
        let scheme = format!("--blink-settings=preferredColorScheme={scheme}");
        let address = format!("http://{}/", running.address);
        chromium(&profile, &[&save, &scheme, "--hide-scrollbars", &address]);
        fs_err::read(file).expect("a screenshot")
    };
    // 0 is dark and 1 is light. A page without its style would be a few kilobytes.
    let (dark, light) = (screenshot("dark.png", "0"), screenshot("light.png", "1"));
    assert!(dark.len() > 50_000 && light.len() > 50_000);
    assert_ne!(dark, light);
}
