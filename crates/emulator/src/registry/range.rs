//! Byte ranges of downloads and of upload chunks (RFC 9110, section 14).

/// What a `Range` header asks of a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// No range, or one that may be ignored.
    Whole,
    /// First byte, and how many.
    Part { first: u64, length: u64 },
    /// Nothing of the body lies in the range.
    Unsatisfiable,
}

/// Reads a `Range` header for a body of `size` bytes. Several ranges at once
/// are ignored, as the specification allows.
pub(super) fn wanted(header: Option<&str>, size: u64) -> Wanted {
    let Some((first, last)) = header
        .and_then(|header| header.strip_prefix("bytes="))
        .filter(|ranges| !ranges.contains(','))
        .and_then(|range| range.split_once('-'))
    else {
        return Wanted::Whole;
    };
    let (first, last) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last),
        (Ok(_), Ok(_)) => return Wanted::Unsatisfiable,
        (Ok(first), Err(_)) if last.is_empty() => (first, u64::MAX),
        (Err(_), Ok(0)) if first.is_empty() => return Wanted::Unsatisfiable,
        (Err(_), Ok(suffix)) if first.is_empty() => (size.saturating_sub(suffix), u64::MAX),
        _ => return Wanted::Whole,
    };
    if first >= size {
        return Wanted::Unsatisfiable;
    }
    Wanted::Part {
        first,
        length: last.min(size - 1) - first + 1,
    }
}

/// What a chunk says about its place in the upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChunkRange {
    /// The first byte.
    pub(super) first: u64,
    /// How many bytes; a chunk has one at least.
    pub(super) length: u64,
}

/// Reads a chunk's `Content-Range`, `FIRST-LAST` as the distribution protocol
/// writes it, with `bytes` and a total size allowed.
pub(super) fn chunk_range(header: &str) -> Option<ChunkRange> {
    let range = header
        .trim_start_matches("bytes")
        .trim_start_matches(['=', ' ']);
    let (first, rest) = range.split_once('-')?;
    let last = rest.split('/').next().unwrap_or_default();
    let (first, last): (u64, u64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    let length = last.checked_sub(first)?.checked_add(1)?;
    Some(ChunkRange { first, length })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_are_read_as_the_specification_says() {
        let part = |first, length| Wanted::Part { first, length };
        for (header, expected) in [
            (None, Wanted::Whole),
            (Some("bytes=0-0"), part(0, 1)),
            (Some("bytes=2-"), part(2, 8)),
            (Some("bytes=2-99"), part(2, 8)),
            (Some("bytes=-3"), part(7, 3)),
            (Some("bytes=-99"), part(0, 10)),
            (Some("bytes=10-"), Wanted::Unsatisfiable),
            (Some("bytes=-0"), Wanted::Unsatisfiable),
            (Some("bytes=5-2"), Wanted::Unsatisfiable),
            (Some("bytes=0-1,3-4"), Wanted::Whole),
            (Some("lines=0-1"), Wanted::Whole),
        ] {
            assert_eq!(wanted(header, 10), expected, "{header:?}");
        }
        assert_eq!(wanted(Some("bytes=0-"), 0), Wanted::Unsatisfiable);
    }

    #[test]
    fn chunks_name_their_place() {
        let place = Some(ChunkRange {
            first: 10,
            length: 10,
        });
        assert_eq!(chunk_range("10-19"), place);
        assert_eq!(chunk_range("bytes 10-19/20"), place);
        for wrong in ["x", "10", "10-", "-19", "19-10", "0-18446744073709551615"] {
            assert_eq!(chunk_range(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_part_lies_within_the_body(header in "bytes=[0-9]{0,20}-[0-9]{0,20}", size: u64) {
            if let Wanted::Part { first, length } = wanted(Some(&header), size) {
                prop_assert!(length > 0);
                prop_assert!(first.checked_add(length).is_some_and(|end| end <= size));
            }
        }
    }
}
