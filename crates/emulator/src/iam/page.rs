//! Lists by pages: `MaxItems` and `Marker` (API Reference, common to the list
//! operations).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::call::Call;
use crate::error::AwsError;
use crate::xml::Xml;

const USUAL: i64 = 100;

/// A part of a list, and where the next part begins.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    marker: Option<String>,
}

impl<T> Page<T> {
    /// The part of `items`, which `key` orders, that the request asks for.
    pub(super) fn of(
        call: &Call<'_>,
        items: impl IntoIterator<Item = T>,
        key: impl Fn(&T) -> String,
    ) -> Result<Self, AwsError> {
        let (most, after) = (most(call)?, last_key(call)?);
        let mut sorted: Vec<(String, T)> =
            items.into_iter().map(|item| (key(&item), item)).collect();
        sorted.sort_by(|one, other| one.0.cmp(&other.0));
        let mut rest = sorted
            .into_iter()
            .filter(|(key, _)| after.as_ref().is_none_or(|after| key > after));
        let part: Vec<(String, T)> = rest.by_ref().take(most).collect();
        let marker = match (rest.next(), part.last()) {
            (Some(_), Some((last, _))) => Some(URL_SAFE_NO_PAD.encode(last)),
            _ => None,
        };
        let items = part.into_iter().map(|(_, item)| item).collect();
        Ok(Self { items, marker })
    }

    /// `IsTruncated`, and `Marker` where there is more.
    pub(super) fn ends(&self) -> Xml {
        Xml::new()
            .text("IsTruncated", self.marker.is_some())
            .optional("Marker", self.marker.as_ref())
    }
}

impl Page<usize> {
    /// The part of the numbers below `end` that the request asks for.
    pub(super) fn of_numbers(call: &Call<'_>, end: usize) -> Result<Self, AwsError> {
        let first = match last_key(call)? {
            Some(key) => key.parse().map_err(|_| bad_marker())?,
            None => 0,
        };
        let next = end.min(most(call)?.saturating_add(first));
        Ok(Self {
            items: (first..next).collect(),
            marker: (next < end).then(|| URL_SAFE_NO_PAD.encode(next.to_string())),
        })
    }
}

fn most(call: &Call<'_>) -> Result<usize, AwsError> {
    let most = call.parameters.number("MaxItems", 1..=1_000)?;
    Ok(usize::try_from(most.unwrap_or(USUAL)).unwrap_or(1))
}

/// What the marker of the request says.
fn last_key(call: &Call<'_>) -> Result<Option<String>, AwsError> {
    let Some(marker) = call.parameters.optional("Marker", 1..=2_048)? else {
        return Ok(None);
    };
    let bytes = URL_SAFE_NO_PAD.decode(marker).map_err(|_| bad_marker())?;
    String::from_utf8(bytes).map(Some).map_err(|_| bad_marker())
}

/// The sentence is inferred.
fn bad_marker() -> AwsError {
    AwsError::invalid("ValidationError", "Invalid Marker.")
}
