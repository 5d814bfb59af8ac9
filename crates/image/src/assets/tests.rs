//! Trees that become entries, and what is refused in them.

use std::os::unix::fs::symlink;

use super::*;

/// A tree with a bit of everything, and assets of it.
fn tree() -> (tempfile::TempDir, Assets) {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("static");
    fs::create_dir_all(root.join("css/deep")).unwrap();
    fs::create_dir_all(root.join("node_modules")).unwrap();
    for file in [
        "index.html",
        "css/a.css",
        "css/a.css.map",
        "css/deep/b.map",
        "node_modules/x",
        "tool",
    ] {
        fs::write(root.join(file), file).unwrap();
    }
    let mode = |file: &str, mode| {
        fs::set_permissions(root.join(file), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("index.html", 0o600);
    mode("css/a.css", 0o666);
    mode("css", 0o700);
    mode("tool", 0o740);
    symlink("css/a.css", root.join("style.css")).unwrap();
    symlink("../index.html", root.join("css/home")).unwrap();
    let assets = Assets {
        from: root,
        to: "/srv/www".to_owned(),
        owner: 0,
        mode: 0o644,
        exclude: Exclude::default(),
        apart: Vec::new(),
    };
    (directory, assets)
}

fn exclude(globs: &[&str]) -> Exclude {
    let globs: Vec<_> = globs.iter().map(ToString::to_string).collect();
    Exclude::new(&globs).unwrap()
}

/// Path and mode of each entry, sorted.
fn listing(assets: &Assets) -> Vec<(String, u32)> {
    let entries = assets.entries().unwrap();
    let mut listing: Vec<_> = entries
        .into_iter()
        .map(|entry| (entry.path, entry.mode))
        .collect();
    listing.sort();
    listing
}

fn paths(assets: &Assets) -> Vec<String> {
    listing(assets).into_iter().map(|(path, _)| path).collect()
}

#[test]
fn directories_without_a_file_are_left_out_as_git_does() {
    let (directory, assets) = tree();
    let before = paths(&assets);
    fs::create_dir_all(directory.path().join("static/empty/deep")).unwrap();
    assert_eq!(paths(&assets), before);
}

#[test]
fn modes_are_made_equal_and_links_are_kept() {
    let (_directory, mut assets) = tree();
    assets.exclude = exclude(&["*.map", "node_modules", "/css/deep"]);
    let expected = [
        ("srv/www", 0o755),
        ("srv/www/css", 0o755),
        ("srv/www/css/a.css", 0o644),
        ("srv/www/css/home", 0o777),
        ("srv/www/index.html", 0o644),
        ("srv/www/style.css", 0o777),
        ("srv/www/tool", 0o755),
    ];
    let expected = expected.map(|(path, mode)| (path.to_owned(), mode));
    assert_eq!(listing(&assets), expected);
    (assets.mode, assets.owner) = (0o640, 65532);
    let private = assets.entries().unwrap();
    assert!(private.iter().all(|entry| entry.owner == 65532));
    let mode = |path: &str| {
        private
            .iter()
            .find(|entry| entry.path == path)
            .unwrap()
            .mode
    };
    assert_eq!(mode("srv/www/css"), 0o750);
    assert_eq!(mode("srv/www/tool"), 0o750);
    assert_eq!(mode("srv/www/index.html"), 0o640);
}

#[test]
fn globs_leave_out_names_at_any_depth_or_paths() {
    let (_directory, mut assets) = tree();
    let all = paths(&assets).len();
    for (glob, left_out) in [
        ("*.map", 2),
        ("/*.map", 0),
        ("css/*.map", 1),
        ("css/**/*.map", 2),
        ("deep/", 2),
        ("node_modules", 2),
        ("{tool,index.html}", 2),
    ] {
        assets.exclude = exclude(&[glob]);
        assert_eq!(paths(&assets).len(), all - left_out, "{glob}");
    }
    let error = Exclude::new(&["a[".to_owned()]).unwrap_err().to_string();
    assert!(error.contains("a["), "{error}");
}

#[test]
fn what_is_made_apart_and_what_git_keeps_is_left_out() {
    let (_directory, mut assets) = tree();
    let (root, before) = (assets.from.clone(), paths(&assets));
    fs::create_dir_all(root.join("made/apart/deep")).unwrap();
    fs::create_dir_all(root.join("css/.git")).unwrap();
    for file in [".git", "css/.git/config", "made/apart/deep/file"] {
        fs::write(root.join(file), "").unwrap();
    }
    assets.apart = vec![root.canonicalize().unwrap().join("made/apart")];
    assert_eq!(paths(&assets), before);
    // What else lies there is packed, and what is asked for by name.
    fs::write(root.join("made/own"), "").unwrap();
    assert_eq!(paths(&assets).len(), before.len() + 2);
    assets.from = root.join("made/apart");
    assert_eq!(
        paths(&assets),
        ["srv/www", "srv/www/deep", "srv/www/deep/file"]
    );
}

#[test]
fn one_file_and_the_root_of_the_image_are_places_too() {
    let (_directory, mut assets) = tree();
    let root = assets.from.clone();
    assets.from = root.join("tool");
    assets.to = "/opt/tool".to_owned();
    assert_eq!(listing(&assets), [("opt/tool".to_owned(), 0o755)]);
    (assets.from, assets.to) = (root.join("css/deep"), "/".to_owned());
    assert_eq!(paths(&assets), ["b.map"]);
}

#[test]
fn links_that_lead_out_are_refused_by_name() {
    for (link, target) in [
        ("up", "../secret"),
        ("css/up", "../../secret"),
        ("absolute", "/etc/passwd"),
        ("hidden", "css/../../secret"),
    ] {
        let (directory, assets) = tree();
        fs::write(directory.path().join("secret"), "secret").unwrap();
        symlink(target, assets.from.join(link)).unwrap();
        let error = assets.entries().unwrap_err();
        assert!(matches!(error, ImageError::EscapingLink { .. }), "{error}");
        assert!(error.to_string().contains(target), "{error}");
    }
    // By its text it stays within; on disk `inner` is the root itself.
    let (directory, assets) = tree();
    fs::write(directory.path().join("secret"), "secret").unwrap();
    symlink(".", assets.from.join("inner")).unwrap();
    symlink("inner/../secret", assets.from.join("through")).unwrap();
    let error = assets.entries().unwrap_err();
    assert!(matches!(error, ImageError::EscapingLink { .. }), "{error}");
}

#[test]
fn a_link_to_nothing_is_kept_and_a_socket_is_refused() {
    let (_directory, assets) = tree();
    symlink("later", assets.from.join("dangling")).unwrap();
    assert!(paths(&assets).contains(&"srv/www/dangling".to_owned()));
    let socket = assets.from.join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(socket).unwrap();
    let error = assets.entries().unwrap_err();
    assert!(matches!(error, ImageError::SpecialFile(_)), "{error}");
}

#[test]
fn a_name_that_is_not_text_is_refused() {
    use std::os::unix::ffi::OsStrExt as _;
    let (_directory, assets) = tree();
    let name = std::ffi::OsStr::from_bytes(b"\xff.html");
    fs::write(assets.from.join(name), "x").unwrap();
    let error = assets.entries().unwrap_err();
    assert!(matches!(error, ImageError::NameNotText(_)), "{error}");
}
