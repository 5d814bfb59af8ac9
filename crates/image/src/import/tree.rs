//! What the layers below make together.

use std::collections::BTreeMap;

use super::parse::{Item, Kind};

/// Paths of an image as they are after some layers. Contents of files are not kept.
#[derive(Debug, Default)]
pub(super) struct Tree(BTreeMap<String, Item>);

impl Tree {
    pub(super) fn get(&self, path: &str) -> Option<&Item> {
        self.0.get(path)
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// What is directly in a directory; `""` is the root.
    pub(super) fn children(&self, directory: &str) -> Vec<String> {
        let prefix = match directory {
            "" => String::new(),
            directory => format!("{directory}/"),
        };
        let mut children = Vec::new();
        let mut from = prefix.clone();
        while let Some((path, _)) = self.0.range(from..).next() {
            let Some(name) = path.strip_prefix(&prefix) else {
                break;
            };
            from = if let Some(slash) = name.find('/') {
                // All below a child is passed over: `0` is what comes after `/`.
                format!("{}0", &path[..prefix.len() + slash])
            } else {
                children.push(path.clone());
                format!("{path}\0")
            };
        }
        children
    }

    /// Puts an item; what was below a path that is no directory any more is gone.
    pub(super) fn put(&mut self, path: &str, item: &Item) {
        if item.kind != Kind::Directory {
            self.remove(path);
        }
        self.0.insert(path.to_owned(), item.clone());
    }

    /// Removes a path and all below it.
    pub(super) fn remove(&mut self, path: &str) {
        self.0.remove(path);
        let prefix = format!("{path}/");
        let below = self.0.range(prefix.clone()..);
        let below = below.take_while(|(path, _)| path.starts_with(&prefix));
        let below: Vec<_> = below.map(|(path, _)| path.clone()).collect();
        for path in below {
            self.0.remove(&path);
        }
    }
}
