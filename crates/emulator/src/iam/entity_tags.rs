//! The tags of roles and users.

use super::call::{Call, Context};
use super::entity::{Entity, authorized, change};
use super::page::Page;
use super::records::{Role, Tags, User};
use super::{Answer, tags};
use crate::xml::Xml;

/// An entity that has tags.
pub(super) trait Tagged: Entity {
    fn tags_mut(&mut self) -> &mut Tags;
}

impl Tagged for Role {
    fn tags_mut(&mut self) -> &mut Tags {
        &mut self.tags
    }
}

impl Tagged for User {
    fn tags_mut(&mut self) -> &mut Tags {
        &mut self.tags
    }
}

/// `TagRole` and `TagUser`.
pub(super) fn tag<E: Tagged>(call: &Call<'_>) -> Answer {
    let added = tags::requested(call)?;
    change::<E>(call, tags::request_context(&added), |_, entity| {
        tags::add(entity.tags_mut(), added)
    })?;
    Ok(None)
}

/// `UntagRole` and `UntagUser`.
pub(super) fn untag<E: Tagged>(call: &Call<'_>) -> Answer {
    let keys = tags::requested_keys(call)?;
    change::<E>(
        call,
        tags::key_context(keys.iter().copied()),
        |_, entity| {
            tags::remove(entity.tags_mut(), &keys);
            Ok(())
        },
    )?;
    Ok(None)
}

/// `ListRoleTags` and `ListUserTags`.
pub(super) fn list<E: Tagged>(call: &Call<'_>) -> Answer {
    let entity: E = authorized(call, Context::new())?;
    listed(call, entity.tags().unwrap_or(&Tags::new()))
}

/// A page of tags.
pub(super) fn listed(call: &Call<'_>, tags: &Tags) -> Answer {
    let page = Page::of(call, tags.iter(), |(key, _)| (*key).clone())?;
    let members = page
        .items
        .iter()
        .map(|(key, value)| Xml::new().text("Key", key).text("Value", value));
    Ok(Some(page.ends().list("Tags", members)))
}
