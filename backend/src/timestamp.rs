//! Times as text (RFC 3339): recognised, and brought to the one form in which the
//! databases keep them, where the earlier text is the earlier time.

use jiff::Timestamp;

/// What tells the time. A function, so that a test can stand still.
pub type Clock = fn() -> Timestamp;

/// The clock of this machine.
#[expect(clippy::disallowed_methods, reason = "the one place where it is read")]
pub fn system_clock() -> Timestamp {
    Timestamp::now()
}

/// UTC with milliseconds, such as `2026-01-31T09:30:00.000Z`.
pub fn text(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The time that `given` names, in UTC with milliseconds. Only years of four digits.
pub fn in_utc(given: &str) -> Option<String> {
    let time: Timestamp = is_timestamp(given).then(|| given.parse().ok())??;
    let text = text(time);
    is_timestamp(&text).then_some(text)
}

/// Whether `text` is a date-time as in RFC 3339, section 5.6, leap second included.
pub(crate) fn is_timestamp(text: &str) -> bool {
    parse(text.as_bytes()).is_some()
}

fn parse(text: &[u8]) -> Option<()> {
    let (date, rest) = text.split_at_checked(10)?;
    let (time, rest) = rest.split_at_checked(9)?;
    let [y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2] = date else {
        return None;
    };
    let [b'T' | b't', h1, h2, b':', mi1, mi2, b':', s1, s2] = time else {
        return None;
    };
    let year = number(&[*y1, *y2, *y3, *y4])?;
    let month = number(&[*mo1, *mo2])?;
    let day = number(&[*d1, *d2])?;
    let is_date = (1..=days_in(year, month)?).contains(&day);
    let is_time =
        number(&[*h1, *h2])? <= 23 && number(&[*mi1, *mi2])? <= 59 && number(&[*s1, *s2])? <= 60;
    (is_date && is_time && is_offset(after_fraction(rest)?)).then_some(())
}

/// What follows the fraction of the second, or everything if there is none.
fn after_fraction(rest: &[u8]) -> Option<&[u8]> {
    let [b'.', fraction @ ..] = rest else {
        return Some(rest);
    };
    let digits = fraction
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    (digits > 0).then(|| &fraction[digits..])
}

fn is_offset(offset: &[u8]) -> bool {
    match offset {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => {
            number(&[*h1, *h2]).is_some_and(|hours| hours <= 23)
                && number(&[*m1, *m2]).is_some_and(|minutes| minutes <= 59)
        }
        _ => false,
    }
}

fn number(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u16::from(digit - b'0'))
    })
}

fn days_in(year: u16, month: u16) -> Option<u16> {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 if is_leap => Some(29),
        2 => Some(28),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_recognised() {
        for time in [
            "2026-01-31T09:30:00Z",
            "2026-01-31t09:30:00.123456789z",
            "2024-02-29T23:59:60+23:59",
            "0000-12-01T00:00:00-00:00",
        ] {
            assert!(is_timestamp(time), "{time} was refused");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026-01-31",
            "2026-01-31T09:30:00",
            "2026-01-31 09:30:00Z",
            "2026-1-31T09:30:00Z",
            "2026-13-01T09:30:00Z",
            "2026-02-29T09:30:00Z",
            "1900-02-29T09:30:00Z",
            "2026-04-31T09:30:00Z",
            "2026-01-00T09:30:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T09:60:00Z",
            "2026-01-31T09:30:61Z",
            "2026-01-31T09:30:00.Z",
            "2026-01-31T09:30:00+1:00",
            "2026-01-31T09:30:00ZZ",
            "٢٠٢٦-01-31T09:30:00Z",
        ] {
            assert!(!is_timestamp(text), "{text} was accepted");
        }
    }

    #[test]
    fn times_are_kept_in_utc_with_milliseconds() {
        for (given, kept) in [
            (
                "2026-01-31T09:30:00+02:00",
                Some("2026-01-31T07:30:00.000Z"),
            ),
            (
                "2026-01-31t09:30:00.1239z",
                Some("2026-01-31T09:30:00.123Z"),
            ),
            ("0000-01-01T00:00:00+23:59", None),
            ("9999-12-31T23:59:59-23:59", None),
            ("tomorrow", None),
        ] {
            assert_eq!(in_utc(given).as_deref(), kept, "{given}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), digits in "[0-9TZ:.+-]{0,40}") {
            let _ = (is_timestamp(&text), is_timestamp(&digits));
        }
    }
}
