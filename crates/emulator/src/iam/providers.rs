//! OpenID Connect providers.

use std::collections::BTreeSet;

use super::Answer;
use super::call::{Call, Context, exists, limit, missing, within};
use super::records::{Origin, PROVIDERS, Provider, provider_prefix};
use super::{entity_tags, tags};
use crate::error::AwsError;
use crate::xml::Xml;

const QUOTA: (&str, usize) = ("OpenIdConnectProvidersPerAccount", 100);
const MAXIMUM_CLIENTS: usize = 100;
const MAXIMUM_THUMBPRINTS: usize = 5;
/// AWS fetches the thumbprint of a provider that was made without one. Nothing
/// is fetched here, and nobody looks at it: this stands in its place.
const NO_CERTIFICATE: &str = "ffffffffffffffffffffffffffffffffffffffff";

/// `CreateOpenIDConnectProvider`.
pub(super) fn create(call: &Call<'_>) -> Answer {
    let url = call.parameters.bounded("Url", 1..=255)?;
    let host_and_path = issuer(url)
        .ok_or_else(|| AwsError::invalid("InvalidInput", "Invalid Open ID Connect Provider URL"))?;
    let client_ids: BTreeSet<String> = owned(call.parameters.list("ClientIDList"));
    check_clients(&client_ids)?;
    let thumbprints = call.parameters.list("ThumbprintList");
    check_thumbprints(&thumbprints)?;
    let tags = tags::requested(call)?;
    let arn = call.arn(&format!("oidc-provider/{host_and_path}"));
    call.authorize(&arn, tags::request_context(&tags))?;
    let provider = Provider {
        arn,
        url: host_and_path.to_owned(),
        client_ids,
        thumbprints: owned(thumbprints),
        created: call.state.clock.now(),
        origin: Origin::Call,
        tags,
    };
    call.state.store.write(|writer| {
        if writer.get(&PROVIDERS, &provider.arn)?.is_some() {
            return Err(exists(format!("Provider with url {url} already exists.")));
        }
        let others = writer.list(&PROVIDERS, &provider_prefix(call.account()))?;
        within(others.len() + 1, QUOTA)?;
        writer.put(&PROVIDERS, &provider.arn, &provider)?;
        Ok(())
    })?;
    let result = Xml::new().text("OpenIDConnectProviderArn", &provider.arn);
    Ok(Some(tags::describe(result, &provider.tags)))
}

/// `GetOpenIDConnectProvider`.
pub(super) fn get(call: &Call<'_>) -> Answer {
    let provider = authorized(call, Context::new())?;
    let result = Xml::new()
        .text("Url", &provider.url)
        .time("CreateDate", provider.created)
        .texts("ClientIDList", &provider.client_ids);
    let result = if provider.thumbprints.is_empty() {
        result.texts("ThumbprintList", [NO_CERTIFICATE])
    } else {
        result.texts("ThumbprintList", &provider.thumbprints)
    };
    Ok(Some(tags::describe(result, &provider.tags)))
}

/// `ListOpenIDConnectProviders`.
pub(super) fn list(call: &Call<'_>) -> Answer {
    call.authorize(&call.arn("oidc-provider/*"), Context::new())?;
    let prefix = provider_prefix(call.account());
    let providers = call
        .state
        .store
        .read(|reader| reader.list(&PROVIDERS, &prefix))?;
    let members = providers.iter().map(|(arn, _)| Xml::new().text("Arn", arn));
    Ok(Some(Xml::new().list("OpenIDConnectProviderList", members)))
}

/// `ListOpenIDConnectProviderTags`.
pub(super) fn list_tags(call: &Call<'_>) -> Answer {
    let provider = authorized(call, Context::new())?;
    entity_tags::listed(call, &provider.tags)
}

/// `DeleteOpenIDConnectProvider`; one that is not there is no error.
pub(super) fn delete(call: &Call<'_>) -> Answer {
    let (arn, _found) = found(call, Context::new())?;
    call.state
        .store
        .write(|writer| writer.remove(&PROVIDERS, arn))?;
    Ok(None)
}

/// `TagOpenIDConnectProvider`.
pub(super) fn tag(call: &Call<'_>) -> Answer {
    let added = tags::requested(call)?;
    change(call, tags::request_context(&added), |provider| {
        tags::add(&mut provider.tags, added)
    })
}

/// `UntagOpenIDConnectProvider`.
pub(super) fn untag(call: &Call<'_>) -> Answer {
    let keys = tags::requested_keys(call)?;
    change(call, tags::key_context(keys.iter().copied()), |provider| {
        tags::remove(&mut provider.tags, &keys);
        Ok(())
    })
}

/// `AddClientIDToOpenIDConnectProvider`; one that is there already is no error.
pub(super) fn add_client(call: &Call<'_>) -> Answer {
    let client = call.parameters.bounded("ClientID", 1..=255)?;
    change(call, Context::new(), |provider| {
        provider.client_ids.insert(client.to_owned());
        check_clients(&provider.client_ids)
    })
}

/// `RemoveClientIDFromOpenIDConnectProvider`; one that is not there is no error.
pub(super) fn remove_client(call: &Call<'_>) -> Answer {
    let client = call.parameters.bounded("ClientID", 1..=255)?;
    change(call, Context::new(), |provider| {
        provider.client_ids.remove(client);
        Ok(())
    })
}

/// `UpdateOpenIDConnectProviderThumbprint`.
pub(super) fn update_thumbprints(call: &Call<'_>) -> Answer {
    let thumbprints = call.parameters.list("ThumbprintList");
    check_thumbprints(&thumbprints)?;
    change(call, Context::new(), |provider| {
        provider.thumbprints = owned(thumbprints);
        Ok(())
    })
}

/// The ARN that the request names and its provider, if the caller may do this
/// to it.
fn found<'a>(
    call: &'a Call<'_>,
    mut context: Context,
) -> Result<(&'a str, Option<Provider>), AwsError> {
    let arn = call
        .parameters
        .bounded("OpenIDConnectProviderArn", 20..=2_048)?;
    let provider = call
        .state
        .store
        .read(|reader| reader.get(&PROVIDERS, arn))?;
    if let Some(provider) = &provider {
        context.extend(tags::resource_context(&provider.tags));
    }
    call.authorize(arn, context)?;
    Ok((arn, provider))
}

fn authorized(call: &Call<'_>, context: Context) -> Result<Provider, AwsError> {
    let (arn, provider) = found(call, context)?;
    provider.ok_or_else(|| gone(arn))
}

fn change(
    call: &Call<'_>,
    context: Context,
    work: impl FnOnce(&mut Provider) -> Result<(), AwsError>,
) -> Answer {
    let arn = authorized(call, context)?.arn;
    call.state.store.write(|writer| {
        let mut provider = writer.get(&PROVIDERS, &arn)?.ok_or_else(|| gone(&arn))?;
        work(&mut provider)?;
        writer.put(&PROVIDERS, &arn, &provider)?;
        Ok(None)
    })
}

fn gone(arn: &str) -> AwsError {
    missing(format!("OpenIDConnect Provider not found for arn {arn}"))
}

fn owned<C: FromIterator<String>>(texts: Vec<&str>) -> C {
    texts.into_iter().map(str::to_owned).collect()
}

/// The issuer without its scheme; `None` for what IAM does not take: another
/// scheme, a port, a query (IAM User Guide, "Create an OpenID Connect identity
/// provider").
fn issuer(url: &str) -> Option<&str> {
    let issuer = url.strip_prefix("https://")?;
    let host = issuer.split('/').next()?;
    let good = !host.is_empty()
        && !host.contains([':', '@'])
        && issuer.bytes().all(|byte| byte.is_ascii_graphic())
        && !issuer.contains(['?', '#']);
    good.then_some(issuer)
}

fn check_clients(client_ids: &BTreeSet<String>) -> Result<(), AwsError> {
    let lengths = 1..=255;
    if !client_ids
        .iter()
        .all(|id| lengths.contains(&id.chars().count()))
    {
        return Err(AwsError::validation(
            "clientIDList",
            None,
            "Member must satisfy constraint: [Member must have length less than or equal to 255, Member must have length greater than or equal to 1]",
        ));
    }
    if client_ids.len() > MAXIMUM_CLIENTS {
        return Err(limit(format!(
            "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {MAXIMUM_CLIENTS}"
        )));
    }
    Ok(())
}

fn check_thumbprints(thumbprints: &[&str]) -> Result<(), AwsError> {
    if thumbprints.len() > MAXIMUM_THUMBPRINTS {
        return Err(AwsError::invalid(
            "InvalidInput",
            "Thumbprint list must contain fewer than 5 entries.",
        ));
    }
    let digits = |text: &&str| text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if !thumbprints.iter().all(digits) {
        return Err(AwsError::validation(
            "thumbprintList",
            None,
            "Member must satisfy constraint: [Member must have length less than or equal to 40, Member must have length greater than or equal to 40]",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_an_https_url_without_a_port() {
        assert_eq!(
            issuer("https://token.actions.githubusercontent.com/octo"),
            Some("token.actions.githubusercontent.com/octo")
        );
        for other in [
            "http://host",
            "https://",
            "https://host:8443",
            "https://host/?a=b",
            "host",
        ] {
            assert_eq!(issuer(other), None, "{other}");
        }
    }
}
