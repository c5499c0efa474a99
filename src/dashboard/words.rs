//! Numbers as the screen shows them. An unknown number is `–`.

pub use sparring_contract::text::size as bytes;

/// What stands for a figure that is not known.
pub const UNKNOWN: &str = "–";

/// A whole number in groups of three: `11,256`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with about four figures: `0.641`, `12.34`, `1,234`, `2.1e-4`, at most seven letters up to 1e99.
pub fn figure(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        UNKNOWN.to_owned()
    } else if size != 0.0 && !(0.001..100_000.0).contains(&size) {
        format!("{value:.1e}")
    } else if size < 10.0 {
        format!("{value:.3}")
    } else if size < 100.0 {
        format!("{value:.2}")
    } else if size < 1000.0 {
        format!("{value:.1}")
    } else {
        signed_grouped(value)
    }
}

fn signed_grouped(value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", grouped(whole(value.abs())))
}

/// The nearest whole number, 0 for what is none.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `as` saturates, and that is what is wanted
pub fn whole(value: f64) -> u64 {
    value.round() as u64
}

/// A probability in two figures without its zero: `.71`, `1.0`.
pub fn probability(value: f64) -> String {
    if !value.is_finite() {
        return format!("{UNKNOWN:>3}");
    }
    let text = format!("{:.2}", value.clamp(0.0, 1.0));
    match text.strip_prefix('0') {
        Some(short) => short.to_owned(),
        None => "1.0".to_owned(),
    }
}

/// A ratio in two figures without a leading zero: `.94`, `1.02`.
pub fn ratio(value: f64) -> String {
    if !value.is_finite() {
        return UNKNOWN.to_owned();
    }
    let text = format!("{value:.2}");
    text.strip_prefix('0').map_or(text.clone(), str::to_owned)
}

/// A learning rate as a person writes it: `0.0002` becomes `2e-4`, `0.01` stays.
pub fn rate(value: f64) -> String {
    if !value.is_finite() {
        UNKNOWN.to_owned()
    } else if value != 0.0 && value.abs() < 0.001 {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

/// A span of time in two units: `42s`, `2m 13s`, `3h 03m`, `12d 04h`; at most seven letters for 99 days.
pub fn span(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return UNKNOWN.to_owned();
    }
    let all = whole(seconds.floor());
    let (days, hours, minutes, rest) = (all / 86_400, all / 3600 % 24, all / 60 % 60, all % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest}s"),
        (0, 0, _) => format!("{minutes}m {rest:02}s"),
        (0, _, _) => format!("{hours}h {minutes:02}m"),
        (1..=999, ..) => format!("{days}d {hours:02}h"),
        _ => format!("{}d", grouped(days)),
    }
}

/// How long ago something was: `2 s ago`, `14 min ago`.
pub fn ago(seconds: f64) -> String {
    let all = whole(seconds.max(0.0).floor());
    match all {
        0..60 => format!("{all} s ago"),
        60..3600 => format!("{} min ago", all / 60),
        3600..172_800 => format!("{} h ago", all / 3600),
        _ => format!("{} days ago", all / 86_400),
    }
}

/// A part of a whole with one unit: `0.4/23 GB`.
pub fn share(part: u64, whole: u64) -> String {
    let unit = bytes(whole as f64);
    let (amount, name) = unit.split_once(' ').unwrap_or((&unit, ""));
    let scale = match name {
        "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        _ => 1.0,
    };
    let part = part as f64 / scale;
    if part < 9.95 {
        format!("{part:.1}/{amount} {name}")
    } else {
        format!("{part:.0}/{amount} {name}")
    }
}

/// The time of day at `offset` seconds east of Greenwich: `12:31:04`.
pub fn clock(time: f64, offset: i32) -> String {
    let day = (time + f64::from(offset)).rem_euclid(86_400.0);
    let all = whole(day.floor()) % 86_400;
    format!("{:02}:{:02}:{:02}", all / 3600, all / 60 % 60, all % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(11_256), "11,256");
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(figure(0.6412), "0.641");
        assert_eq!(figure(12.344), "12.34");
        assert_eq!(figure(1234.4), "1,234");
        assert_eq!(figure(0.000_21), "2.1e-4");
        assert_eq!(figure(f64::NAN), "–");
        assert_eq!(probability(0.712), ".71");
        assert_eq!(probability(0.999), "1.0");
        assert_eq!(probability(1.0), "1.0");
        assert_eq!(ratio(0.936), ".94");
        assert_eq!(ratio(1.02), "1.02");
        assert_eq!(ratio(f64::NAN), "–");
        assert_eq!(rate(0.0002), "2e-4");
        assert_eq!(rate(0.01), "0.01");
    }

    #[test]
    fn spans_take_two_units() {
        assert_eq!(span(9.9), "9s");
        assert_eq!(span(133.0), "2m 13s");
        assert_eq!(span(3.0 * 3600.0 + 180.0), "3h 03m");
        assert_eq!(span(1e6), "11d 13h");
        assert_eq!(span(f64::NAN), "–");
        assert_eq!(ago(125.0), "2 min ago");
        assert_eq!(ago(-3.0), "0 s ago");
    }

    #[test]
    fn sizes_take_one_unit() {
        assert_eq!(share(400_000_000, 23_000_000_000), "0.4/23 GB");
    }

    #[test]
    fn the_time_of_day_follows_the_offset() {
        assert_eq!(clock(45_064.0, 0), "12:31:04");
        assert_eq!(clock(0.0, -3600), "23:00:00");
        assert_eq!(clock(f64::NAN, 0), "00:00:00");
    }
}
