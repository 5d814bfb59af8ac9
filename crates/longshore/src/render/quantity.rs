//! Sizes and durations as people read them.

/// Bytes in powers of 1000, as disks and registries count.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let mut rest = count;
    let mut unit = 0;
    while rest >= 1_000_000 && unit + 1 < UNITS.len() {
        rest /= 1000;
        unit += 1;
    }
    format!("{}.{} {}", rest / 1000, rest % 1000 / 100, UNITS[unit])
}

/// Milliseconds as a duration.
pub(crate) fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0 => format!("{milliseconds} ms"),
        1..60 => format!("{seconds}.{} s", milliseconds % 1000 / 100),
        _ => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_are_short() {
        for (count, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_500, "1.5 kB"),
            (8_412_345, "8.4 MB"),
            (1_000_000_000, "1.0 GB"),
        ] {
            assert_eq!(bytes(count), text);
        }
        for (count, text) in [(3, "3 ms"), (1_250, "1.2 s"), (61_000, "1 min 1 s")] {
            assert_eq!(duration(count), text);
        }
    }
}
