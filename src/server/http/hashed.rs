//! Names that hold the hash of the content, as bundlers make them: such a file never changes, so browsers need not ask for it again.
//!
//! Whoever is told so by mistake does not see the next version for a year, and what is not told so is merely asked for again. So a name
//! that could be somebody's words and numbers holds none.

/// Whether the name of a file holds a hash behind a dash or a dot: `index-DiwrgT4a.js`, `main.1f0a9c3e.css`.
pub(super) fn is_hashed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some((parts, _ending)) = name.rsplit_once('.') else {
        return false;
    };
    let mut parts = parts.split('.');
    let first = parts.next().is_some_and(ends_in_hash);
    first || parts.any(|part| is_hash(part) || ends_in_hash(part))
}

/// Whether a hash is behind a dash. It may hold dashes itself (base64url), when it has the length that bundlers give it.
fn ends_in_hash(part: &str) -> bool {
    let behind = |dash: usize| part.get(dash..).and_then(|rest| rest.strip_prefix('-'));
    let short = part.len().checked_sub(SHORT + 1).and_then(behind);
    let last = part.rsplit_once('-').map(|(_, last)| last);
    [short, last].into_iter().flatten().any(is_hash)
}

/// What esbuild, rollup and Vite make, and the least of webpack and Parcel.
const SHORT: usize = 8;
/// SHA-256 in full.
const LONG: usize = 64;

/// Whether it looks like a hash: hexadecimal digits (webpack, Parcel), or eight characters of base32 (esbuild) or base64url (rollup, Vite).
fn is_hash(text: &str) -> bool {
    let all = |is: fn(u8) -> bool| text.bytes().all(is);
    let any = |is: fn(&u8) -> bool| text.as_bytes().iter().any(is);
    let is_hex =
        (SHORT..=LONG).contains(&text.len()) && all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
    let is_base32 = text.len() == SHORT && all(|it| matches!(it, b'A'..=b'Z' | b'2'..=b'7'));
    let is_base64 = text.len() == SHORT
        && all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_'))
        && any(u8::is_ascii_uppercase)
        && any(u8::is_ascii_lowercase);
    (is_hex || is_base32 || is_base64) && is_mixed(text) && !has_measure(text)
}

/// Whether digits stand between letters: not behind them as in `Chapter1`, nor before them as in `20240115a`.
fn is_mixed(text: &str) -> bool {
    let is_letter = |it: char| it.is_ascii_alphabetic();
    let between = text.find(is_letter).zip(text.rfind(is_letter));
    let between = between.and_then(|(first, last)| text.get(first..last));
    between.is_some_and(|between| between.contains(|it: char| it.is_ascii_digit()))
}

/// Whether a width and a height are in it: `180x180`.
fn has_measure(text: &str) -> bool {
    let mut threes = text.as_bytes().windows(3);
    threes.any(|three| matches!(three, [b'0'..=b'9', b'x' | b'X', b'0'..=b'9']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_hashes() {
        for yes in [
            "/assets/index-DiwrgT4a.js",
            "/assets/index-B9-x_Q2k.js",
            "/assets/index-BZ-3xQak.js.map",
            "/chunk-4QJQV3TR.js",
            "/fonts/inter-latin-X7NWQ2EB.woff2",
            "/main.1f0a9c3e.css",
            "/main.1f0a9c3e.js.map",
            "/static/js/main.073c9b0a.chunk.js",
            "/chunk-2d0e4f1a.js",
            "/app.3e7fa5c2b19d04e88a61.js",
            "/_next/static/chunks/4bd1b696-182b6b13bdad92e3.js",
            "/f-0123456789abcdef0123456789abcdef.woff2",
        ] {
            assert!(is_hashed(yes), "{yes}");
        }
        for no in [
            "/",
            "/index.html",
            "/service-worker.js",
            "/app-settings.js",
            "/a-1.js",
            // Measures and versions.
            "/icon-180x180.png",
            "/icon-1920x1080.png",
            "/icon-512x512-maskable.png",
            "/icon_180x180.png",
            "/app-Icon_1x1.png",
            "/apple-touch-icon-1024.png",
            "/app-Icon_180.png",
            "/x-Icon-102.png",
            "/jquery-3.7.1.js",
            "/bootstrap-5.3.2.bundle.min.js",
            "/release-v2beta10.txt",
            // Dates.
            "/photo-20240115.jpg",
            "/logo-2024-01-15.png",
            "/backup-20240115a.json",
            "/log.20240115.txt",
            // Words with numbers.
            "/photo-iPhone15.jpg",
            "/photo-iPhone15Pro.jpg",
            "/book-Chapter1.html",
            "/README-VERSION2.md",
            "/sql-utf8mb4x.txt",
            // Letters alone may be words.
            "/assets/index-DiwrgTda.js",
            "/icon-DarkMode.svg",
            "/chunk-OVERVIEW.js",
            "/deadbeef-defaced.js",
            // Behind nothing, or of another length.
            "/1f0a9c3e.js",
            "/index-1f0a9c.js",
            "/index-DiwrgT4aZ.js",
            "/assets-1f0a9c3e/index.html",
            "/index-1f0a9c3e",
        ] {
            assert!(!is_hashed(no), "{no}");
        }
    }
}
