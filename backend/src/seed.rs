//! What a new database starts with: a portfolio to look at, not a blank page.

use serde::Deserialize;
use sqlx::AnyConnection;

use crate::content::Content;
use crate::content::post::Post;
use crate::content::profile::Profile;
use crate::content::project::Project;
use crate::documents::{self, Expected};

const SEED: &str = include_str!("../seed.json");

#[derive(Deserialize)]
struct Seed {
    profile: Named<Profile>,
    projects: Vec<Named<Project>>,
    posts: Vec<Named<Post>>,
}

#[derive(Deserialize)]
struct Named<T> {
    slug: String,
    content: T,
}

/// Writes the example.
pub(crate) async fn write(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let seed: Seed =
        serde_json::from_str(SEED).map_err(|error| sqlx::Error::Decode(error.into()))?;
    put(connection, &seed.profile).await?;
    for project in &seed.projects {
        put(connection, project).await?;
    }
    for post in &seed.posts {
        put(connection, post).await?;
    }
    Ok(())
}

async fn put<T: Content>(
    connection: &mut AnyConnection,
    named: &Named<T>,
) -> Result<(), sqlx::Error> {
    // When the example was written.
    let then = "2026-01-31T09:30:00.000Z";
    documents::write(
        connection,
        &named.slug,
        &named.content,
        &Expected::Nothing,
        then,
    )
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_what_an_editor_could_have_written() {
        let seed: Seed = serde_json::from_str(SEED).expect("the example");
        assert_eq!(seed.profile.content.errors(), []);
        for project in seed.projects {
            assert_eq!(project.content.errors(), [], "{}", project.slug);
        }
        for post in seed.posts {
            assert_eq!(post.content.errors(), [], "{}", post.slug);
        }
    }
}
