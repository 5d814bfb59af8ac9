//! The access keys of users: long-term secrets, at most two.

use super::call::{Call, Context, missing, within};
use super::entity::{self, named};
use super::page::Page;
use super::records::{USERS, User, entity_key};
use super::{Answer, users};
use crate::error::AwsError;
use crate::random;
use crate::store::{StoreError, View, Writer};
use crate::sts::sessions::{ACCESS_KEYS, AccessKey, Identity, LongTerm, Secret};
use crate::xml::Xml;

const MOST: usize = 2;
const KEY_ID: (&str, fn(char) -> bool) = (r"[\w]+", |character| {
    character.is_ascii_alphanumeric() || character == '_'
});

/// `CreateAccessKey`: the only answer that shows the secret.
pub(super) fn create(call: &Call<'_>) -> Answer {
    let name = users::name_or_own(call)?;
    let user: User = named(call, &name, Context::new())?;
    let secret = random::access_secret();
    let id = random::identifier("AKIA");
    let long_term = LongTerm {
        created: call.state.clock.now(),
        active: true,
    };
    let key = AccessKey {
        secret: Secret::new(secret.clone()),
        identity: Identity::User {
            account: call.account().to_owned(),
            arn: user.arn.clone(),
            user_id: user.id.clone(),
        },
        session: None,
        long_term: Some(long_term.clone()),
    };
    call.state.store.write(|writer| {
        let found = writer.get(&USERS, &entity_key(call.account(), &user.name))?;
        if found.is_none_or(|found| found.id != user.id) {
            return Err(entity::gone::<User>(&user.name));
        }
        within(of(writer, &user)?.len() + 1, ("AccessKeysPerUser", MOST))?;
        Ok::<_, AwsError>(writer.put(&ACCESS_KEYS, &id, &key)?)
    })?;
    let described = describe(&user.name, &id, &long_term).text("SecretAccessKey", secret);
    Ok(Some(Xml::new().element("AccessKey", &described)))
}

/// `ListAccessKeys`.
pub(super) fn list(call: &Call<'_>) -> Answer {
    let name = users::name_or_own(call)?;
    let user: User = named(call, &name, Context::new())?;
    let keys = call.state.store.read(|reader| of(reader, &user))?;
    let page = Page::of(call, keys, |(id, _)| id.clone())?;
    let members = page
        .items
        .iter()
        .map(|(id, long_term)| describe(&user.name, id, long_term));
    Ok(Some(page.ends().list("AccessKeyMetadata", members)))
}

/// `UpdateAccessKey`: a key that is inactive is as good as none.
pub(super) fn update(call: &Call<'_>) -> Answer {
    call.parameters.required("Status")?;
    let status = call.parameters.one_of("Status", &["Active", "Inactive"])?;
    let active = status == Some("Active");
    on_key(call, |writer, id, mut key| {
        if let Some(long_term) = &mut key.long_term {
            long_term.active = active;
        }
        writer.put(&ACCESS_KEYS, id, &key)
    })
}

/// `DeleteAccessKey`.
pub(super) fn delete(call: &Call<'_>) -> Answer {
    on_key(call, |writer, id, _| writer.remove(&ACCESS_KEYS, id))
}

fn on_key(
    call: &Call<'_>,
    work: impl FnOnce(&Writer, &str, AccessKey) -> Result<(), StoreError>,
) -> Answer {
    let id = call.parameters.bounded("AccessKeyId", 16..=128)?;
    crate::query::Parameters::of_pattern("AccessKeyId", id, KEY_ID)?;
    let name = users::name_or_own(call)?;
    let user: User = named(call, &name, Context::new())?;
    call.state.store.write(|writer| {
        let found = writer.get(&ACCESS_KEYS, id)?;
        let key = found
            .filter(|key| belongs(key, &user))
            .ok_or_else(|| missing(format!("The Access Key with id {id} cannot be found.")))?;
        Ok::<_, AwsError>(work(writer, id, key)?)
    })?;
    Ok(None)
}

/// The long-term keys of a user, by their ids.
pub(super) fn of(records: &impl View, user: &User) -> Result<Vec<(String, LongTerm)>, StoreError> {
    let keys = records.list(&ACCESS_KEYS, "AKIA")?;
    let own = keys.into_iter().filter(|(_, key)| belongs(key, user));
    Ok(own
        .filter_map(|(id, key)| Some((id, key.long_term?)))
        .collect())
}

fn belongs(key: &AccessKey, user: &User) -> bool {
    matches!(&key.identity, Identity::User { user_id, .. } if *user_id == user.id)
}

fn describe(user: &str, id: &str, long_term: &LongTerm) -> Xml {
    Xml::new()
        .text("UserName", user)
        .text("AccessKeyId", id)
        .text(
            "Status",
            if long_term.active {
                "Active"
            } else {
                "Inactive"
            },
        )
        .time("CreateDate", long_term.created)
}
