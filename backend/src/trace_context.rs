//! The trace that a request belongs to, as its sender says in `traceparent` (W3C
//! Trace Context, <https://www.w3.org/TR/trace-context/#traceparent-header>).

use axum::http::HeaderMap;

/// Where in which trace the sender is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TraceContext {
    /// The trace: 32 hexadecimal digits, not all zero.
    pub(crate) trace_id: String,
    /// The sender's span in it: 16 hexadecimal digits, not all zero.
    pub(crate) parent_id: String,
    /// Whether the sender records the trace.
    pub(crate) is_sampled: bool,
}

/// The context that came with a request, if it did and is valid.
pub(crate) fn received(headers: &HeaderMap) -> Option<TraceContext> {
    let mut values = headers.get_all("traceparent").iter();
    let value = values.next()?.to_str().ok()?;
    // Twice is not valid, and then nobody knows which one counts.
    values.next().is_none().then(|| parse(value))?
}

/// Version 00, and of later versions what they have in common with it.
fn parse(value: &str) -> Option<TraceContext> {
    let mut fields = value.split('-');
    let version = hexadecimal(fields.next()?, 2)?;
    let trace_id = hexadecimal(fields.next()?, 32)?;
    let parent = hexadecimal(fields.next()?, 16)?;
    let flags = u8::from_str_radix(hexadecimal(fields.next()?, 2)?, 16).ok()?;
    let is_complete = version != "00" || fields.next().is_none();
    let is_set = |id: &str| id.bytes().any(|digit| digit != b'0');
    let is_valid = version != "ff" && is_complete && is_set(trace_id) && is_set(parent);
    is_valid.then(|| TraceContext {
        trace_id: trace_id.to_owned(),
        parent_id: parent.to_owned(),
        is_sampled: flags & 1 == 1,
    })
}

fn hexadecimal(field: &str, length: usize) -> Option<&str> {
    let is_digit = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
    (field.len() == length && field.bytes().all(is_digit)).then_some(field)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_valid_context_is_taken_over_and_any_other_is_not() {
        for (flags, is_sampled) in [("01", true), ("00", false), ("03", true), ("02", false)] {
            let valid = format!("00-{TRACE}-00f067aa0ba902b7-{flags}");
            let context = TraceContext {
                trace_id: TRACE.to_owned(),
                parent_id: "00f067aa0ba902b7".to_owned(),
                is_sampled,
            };
            assert_eq!(parse(&valid), Some(context));
        }
        let later = format!("cc-{TRACE}-00f067aa0ba902b7-01-what-is-new");
        assert_eq!(parse(&later).expect("a context").trace_id, TRACE);
        for refused in [
            String::new(),
            TRACE.to_owned(),
            format!("00-{TRACE}-00f067aa0ba902b7"),
            format!("00-{TRACE}-00f067aa0ba902b7-01-more"),
            format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{TRACE}-00f067aa0ba902b7-1"),
        ] {
            assert_eq!(parse(&refused), None, "{refused}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), near in "[0-9a-f-]{0,60}") {
            let _ = (parse(&text), parse(&near));
        }
    }
}
