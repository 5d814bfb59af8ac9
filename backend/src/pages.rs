//! The portfolio as pages for people: HTML from the server, one style sheet, no
//! script.

use askama::Template;
use axum::Router;
use axum::extract::{Form, Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::app::AppState;
use crate::cache::Answer;
use crate::client_address::ClientAddress;
use crate::contact::{self, ContactMessage};
use crate::content::profile::Profile;
use crate::documents;
use crate::page::{Page, judged_tag};
use crate::problem::{FieldError, Problem};
use crate::public::portfolio::{self, NamedProject};
use crate::public::posts::{self, PostSummary, PublishedPost};
use crate::slug::{self, PROFILE};

/// The type of a page.
pub(crate) const HTML: &str = "text/html; charset=utf-8";

const STYLE: &str = include_str!("../templates/style.css");

/// Everything on a page comes from this site, but for images; nothing on it runs.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self' https:; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'",
);

/// How many projects, and how many posts, are on the first page.
const MOST_ENTRIES: i64 = 100;

/// The pages. The description of the API does not have them.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/", get(home))
        .route("/posts/{slug}", get(show_post))
        .route("/contact", post(send))
        .route("/contact/thanks", get(thanks))
        .route("/style.css", get(style))
        .layer(map_response(add_policy))
}

async fn add_policy(mut response: Response) -> Response {
    let headers = response.headers_mut();
    if headers.get(CONTENT_TYPE).is_some_and(|value| value == HTML) {
        headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    }
    response
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    owner: &'a str,
    tag: Option<&'a str>,
    profile: Option<Profile>,
    projects: Vec<NamedProject>,
    posts: Vec<PostSummary>,
    form: ContactForm,
}

#[derive(Template)]
#[template(path = "post.html")]
struct PostPage<'a> {
    owner: &'a str,
    post: PublishedPost,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct Notice<'a> {
    owner: &'a str,
    title: &'a str,
    sentence: &'a str,
}

/// What was typed, and what was wrong with it.
#[derive(Default)]
struct ContactForm {
    message: ContactMessage,
    sentence: String,
    errors: Vec<FieldError>,
}

impl ContactForm {
    fn error(&self, field: &str) -> Option<&str> {
        let mut errors = self.errors.iter();
        let error = errors.find(|error| error.field == field)?;
        Some(&error.message)
    }
}

/// The day of a time, as people read it.
fn day(time: &str) -> &str {
    time.get(..10).unwrap_or(time)
}

fn rendered(template: &impl Template) -> Result<String, Problem> {
    template.render().map_err(|error| {
        tracing::error!(%error, "a page could not be made");
        Problem::internal()
    })
}

async fn profile(state: &AppState) -> Result<Option<Profile>, Problem> {
    let found = documents::find::<Profile>(state.database.pool(), PROFILE).await?;
    Ok(found.map(|document| document.content))
}

async fn owner(state: &AppState) -> Result<String, Problem> {
    let name = profile(state).await?.map(|profile| profile.name);
    Ok(name.unwrap_or_else(|| "Portfolio".to_owned()))
}

async fn home_page(
    state: &AppState,
    tag: Option<&str>,
    form: ContactForm,
) -> Result<String, Problem> {
    let profile = profile(state).await?;
    let page = Page::first_of(MOST_ENTRIES);
    let mut projects = portfolio::arranged(state, tag, page).await?;
    page.next(&mut projects);
    let mut posts = posts::newest(state, tag, page).await?;
    page.next(&mut posts);
    let owner = profile
        .as_ref()
        .map_or("Portfolio", |profile| &profile.name)
        .to_owned();
    rendered(&Home {
        owner: &owner,
        tag,
        profile,
        projects: projects.into_iter().map(Into::into).collect(),
        posts: posts.into_iter().map(Into::into).collect(),
        form,
    })
}

/// What may be asked of the first page. Others put marks of their own into addresses: they
/// are left alone.
#[derive(Debug, Deserialize)]
struct Choice {
    tag: Option<String>,
}

async fn home(
    State(state): State<AppState>,
    Query(Choice { tag }): Query<Choice>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let tag = judged_tag(tag)?;
    let make = async {
        let page = home_page(&state, tag.as_deref(), ContactForm::default()).await?;
        Ok(Answer::new(HTML, page))
    };
    let name = format!("home {tag:?}");
    state.cache.respond(name, &headers, make).await
}

async fn show_post(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let make = async {
        slug::judge(&slug)?;
        let post = posts::published(&state, &slug).await?;
        let owner = owner(&state).await?;
        let page = PostPage {
            owner: &owner,
            post,
        };
        Ok(Answer::new(HTML, rendered(&page)?))
    };
    match state
        .cache
        .respond(format!("page {slug}"), &headers, make)
        .await
    {
        Err(problem) if problem.status() == StatusCode::NOT_FOUND => {
            let sentence = "There is no post at this address, or it is not there any more.";
            let page = notice(&state, "Not found", sentence).await?;
            Ok((StatusCode::NOT_FOUND, page).into_response())
        }
        answer => answer,
    }
}

async fn notice(
    state: &AppState,
    title: &str,
    sentence: &str,
) -> Result<impl IntoResponse + use<>, Problem> {
    let owner = owner(state).await?;
    let page = Notice {
        owner: &owner,
        title,
        sentence,
    };
    Ok(([(CONTENT_TYPE, HTML)], rendered(&page)?))
}

/// Takes the form, and sends the browser on, so that to read again is not to send
/// again.
async fn send(
    State(state): State<AppState>,
    address: ClientAddress,
    Form(message): Form<ContactMessage>,
) -> Result<Response, Problem> {
    match contact::accept(&state, address, message.clone()).await {
        Ok(_) => Ok(Redirect::to("/contact/thanks").into_response()),
        Err(problem) if problem.status().is_client_error() => {
            let form = ContactForm {
                message,
                sentence: problem.detail().to_owned(),
                errors: problem.errors().to_vec(),
            };
            let page = home_page(&state, None, form).await?;
            let mut answer = (problem.status(), [(CONTENT_TYPE, HTML)], page).into_response();
            answer.headers_mut().extend(problem.header());
            Ok(answer)
        }
        Err(problem) => Err(problem),
    }
}

async fn thanks(State(state): State<AppState>) -> Result<Response, Problem> {
    let page = notice(&state, "Thank you", "Your message has arrived.").await?;
    Ok(page.into_response())
}

async fn style() -> ([(HeaderName, &'static str); 2], &'static str) {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "max-age=300"),
    ];
    (headers, STYLE)
}
