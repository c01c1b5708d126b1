//! Aliases in one form, so that what a phone writes finds them.

use presence::Bare;

/// The form in which an alias is kept: `tel:` and digits, or a prepared address. A word without a domain is of `domain`.
pub(crate) fn normal(domain: &str, text: &str) -> Option<String> {
    let text = text.trim();
    if let Some(number) = text.strip_prefix("tel:") {
        return telephone(number);
    }
    let address = text
        .strip_prefix("sip:")
        .or_else(|| text.strip_prefix("sips:"))
        .unwrap_or(text);
    let address = address.split([';', '?']).next()?;
    let address = match address.split_once('@') {
        Some((user, host)) => Bare::new(
            Some(user),
            host.rsplit_once(':').map_or(host, |(h, port)| {
                if port.bytes().all(|b| b.is_ascii_digit()) {
                    h
                } else {
                    host
                }
            }),
        ),
        None => Bare::new(Some(address), domain),
    };
    address.ok().map(|a| a.as_str().to_owned())
}

/// RFC 3966 §3: digits, visual separators are not part of the number.
pub(crate) fn telephone(number: &str) -> Option<String> {
    let number = number.split(';').next()?;
    let kept: String = number
        .chars()
        .filter(|c| !matches!(c, '-' | '.' | '(' | ')' | ' '))
        .collect();
    let digits = kept.strip_prefix('+').unwrap_or(&kept);
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
        .then(|| format!("tel:{kept}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form() {
        assert_eq!(
            normal("office.example", "101").as_deref(),
            Some("101@office.example")
        );
        assert_eq!(
            normal("office.example", "sip:Ann@old.example;user=phone").as_deref(),
            Some("ann@old.example")
        );
        assert_eq!(
            normal("office.example", "sip:ann@old.example:5060").as_deref(),
            Some("ann@old.example")
        );
        assert_eq!(
            normal("office.example", "tel:+49 (30) 123-456").as_deref(),
            Some("tel:+4930123456")
        );
        assert_eq!(normal("office.example", "tel:abc"), None);
        assert_eq!(normal("office.example", ""), None);
    }
}
