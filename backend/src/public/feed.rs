//! The newest posts as a feed (Atom, RFC 4287).

use std::fmt::Write;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::posts::{self, PublishedPost};
use crate::app::AppState;
use crate::cache::Answer;
use crate::content::profile::Profile;
use crate::documents;
use crate::page::Page;
use crate::problem::Problem;
use crate::slug::PROFILE;

const MOST_ENTRIES: i64 = 20;

/// The newest posts as a feed (Atom, RFC 4287).
#[cfg_attr(test, utoipa::path(get, operation_id = "feed", path = "/feed.atom", tag = "posts",
    responses(
        (status = 200, description = "The feed", content_type = "application/atom+xml"),
        (status = 304, description = "The client has it"),
    )))]
pub(crate) async fn show(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let make = async {
        let profile = documents::find::<Profile>(state.database.pool(), PROFILE).await?;
        let name = profile.map_or_else(|| "Portfolio".to_owned(), |found| found.content.name);
        let page = Page::first_of(MOST_ENTRIES);
        let mut found = posts::newest(&state, None, page).await?;
        page.next(&mut found);
        let posts: Vec<PublishedPost> = found.into_iter().map(Into::into).collect();
        let feed = atom(&state.site.url, &name, &posts);
        Ok(Answer::new("application/atom+xml; charset=utf-8", feed))
    };
    state.cache.respond("feed".to_owned(), &headers, make).await
}

fn atom(site: &str, author: &str, posts: &[PublishedPost]) -> String {
    let updated = posts.iter().map(changed).max();
    let (site, author) = (escaped(site), escaped(author));
    let mut feed = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
         <id>{site}/</id>\n<title>{author}</title>\n<updated>{}</updated>\n\
         <author><name>{author}</name></author>\n\
         <link rel=\"self\" type=\"application/atom+xml\" href=\"{site}/feed.atom\"/>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{site}/\"/>\n",
        updated.unwrap_or("1970-01-01T00:00:00Z"),
    );
    for post in posts {
        let address = format!("{site}/posts/{}", post.summary.slug);
        // Writing to a string does not fail.
        let _ = write!(
            feed,
            "<entry>\n<id>{address}</id>\n<title>{}</title>\n<link href=\"{address}\"/>\n\
             <published>{}</published>\n<updated>{}</updated>\n<summary>{}</summary>\n\
             <content type=\"html\">{}</content>\n</entry>\n",
            escaped(&post.summary.title),
            post.summary.published_at,
            changed(post),
            escaped(&post.summary.summary),
            escaped(&post.html),
        );
    }
    feed + "</feed>\n"
}

/// When its readers saw it change: a draft's changes were seen by nobody.
fn changed(post: &PublishedPost) -> &str {
    (&*post.summary.updated_at).max(&post.summary.published_at)
}

/// Text as it stands in XML 1.0, which has no room for most control characters.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            _ => escaped.push(character),
        }
    }
    escaped
}
