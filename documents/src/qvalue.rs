//! RFC 3863 §4.4: a number from zero to one with at most three decimals, here in thousandths.

/// Reads one; `None` for anything else, which then counts as not given (§4.1.5).
pub(crate) fn read(text: &str) -> Option<u16> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(3);
    let fraction = digits.fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}

/// Prints one; more than 1000 counts as 1000.
pub(crate) fn print(thousandths: u16) -> String {
    match thousandths {
        0 => "0".to_owned(),
        1..1000 => format!("0.{thousandths:03}"),
        _ => "1".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_returns() {
        for thousandths in 0..=1000 {
            assert_eq!(read(&print(thousandths)), Some(thousandths));
        }
        for (text, value) in [
            ("0.8", Some(800)),
            (" 1.0 ", Some(1000)),
            ("1.000", Some(1000)),
            ("0.", Some(0)),
            ("0.021", Some(21)),
            ("1.001", None),
            ("0.0001", None),
            ("2", None),
            ("-0", None),
            (".5", None),
            ("", None),
            ("0.x", None),
            ("0,5", None),
        ] {
            assert_eq!(read(text), value, "{text}");
        }
    }
}
