//! E-mail addresses: `local@domain`, either part in any script, with sub-domains, plus-addresses,
//! quoted local parts and `[192.0.2.1]` as the domain. After RFC 5321 and RFC 6531, narrowed to
//! what people have and widened to `%40`, as it stands in URLs.

/// Bytes of a local part that are looked at: RFC 5321 allows 64, in any script of RFC 6531 a
/// character takes up to four, and nobody has an address that long.
const LOCAL_BYTES_MAX: usize = 128;

/// RFC 1035, section 2.3.4.
const DOMAIN_BYTES_MAX: usize = 255;

/// RFC 1035, section 2.3.4.
const LABEL_BYTES_MAX: usize = 63;

/// The longest top-level domain that is spelt with letters has 18; those written in Punycode are
/// told by their prefix.
const TLD_CHARS_MAX: usize = 24;

/// Ends of file names that are no top-level domains: `icon@2x.png` is no address.
const FILE_SUFFIXES: &[&str] = &[
    "avif", "bat", "bin", "bmp", "bz", "cfg", "conf", "cpp", "css", "csv", "dll", "doc", "docx",
    "exe", "gif", "gz", "heic", "htm", "html", "ico", "ini", "jar", "jpeg", "jpg", "js", "json",
    "jsx", "lock", "log", "mjs", "mp", "parquet", "pdf", "png", "ppt", "pptx", "scss", "so", "sql",
    "svg", "tar", "tgz", "tif", "tiff", "toml", "ts", "tsx", "ttf", "txt", "wasm", "wav", "webp",
    "whl", "woff", "xls", "xlsx", "xml", "yaml", "yml",
];

/// The address around a sign of `len` bytes at `sign`, as start and end. It reaches back to
/// `floor` at most.
pub(super) fn around(text: &str, sign: usize, len: usize, floor: usize) -> Option<(usize, usize)> {
    let start = local_start(text, sign, floor)?;
    // An SSH remote, `git@host.example:group/name`, names a service and no person.
    if text.get(start..sign)? == "git" {
        return None;
    }
    let end = domain_end(text, sign + len)?;
    Some((start, end))
}

fn local_start(text: &str, sign: usize, floor: usize) -> Option<usize> {
    let head = text.get(floor..sign)?;
    if let Some(start) = quoted_start(head) {
        return Some(floor + start);
    }
    let mut start = head.len();
    let mut wide_ok = None;
    for (at, c) in head.char_indices().rev() {
        let wide = is_wide(c);
        // Scripts without spaces glue the words before an address to it. They are part of it only
        // if it is written in such a script itself.
        let belongs = if wide { *wide_ok.get_or_insert(true) } else { is_local(c) };
        wide_ok.get_or_insert(false);
        if !belongs || head.len() - at > LOCAL_BYTES_MAX {
            break;
        }
        start = at;
    }
    let local = head.get(start..)?;
    let trimmed = local.trim_start_matches(|c: char| c != '_' && c.is_ascii_punctuation());
    (!trimmed.is_empty()).then_some(sign - trimmed.len())
}

/// The start of `"…"` if the text ends with that.
fn quoted_start(head: &str) -> Option<usize> {
    let inner = head.strip_suffix('"')?;
    let start = inner.rfind('"')?;
    let local = inner.get(start + 1..)?;
    let plain = !local.is_empty() && !local.contains(['@', '\n']);
    (plain && local.len() <= LOCAL_BYTES_MAX).then_some(start)
}

fn is_local(c: char) -> bool {
    matches!(c, '.' | '_' | '%' | '+' | '-' | '!' | '#' | '$' | '\'' | '*' | '^' | '~' | '`')
        || c.is_alphanumeric()
        || is_joined(c)
}

/// Marks that follow a letter: combining accents, and the vowel signs of Indic scripts.
fn is_joined(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{dff}')
}

/// Letters of scripts that set no spaces between words.
fn is_wide(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}' // Thai, Lao
        | '\u{1100}'..='\u{11ff}' // Hangul jamo
        | '\u{3005}'..='\u{30ff}' // kana
        | '\u{3400}'..='\u{9fff}' // ideographs
        | '\u{ac00}'..='\u{d7af}' // Hangul
        | '\u{2_0000}'..='\u{3_ffff}') // further ideographs
        && c.is_alphanumeric()
}

fn domain_end(text: &str, start: usize) -> Option<usize> {
    let tail = text.get(start..)?;
    if let Some(literal) = tail.strip_prefix('[') {
        return Some(start + 1 + address_literal(literal)?);
    }
    let mut end = 0;
    let mut wide_ok = None;
    for (at, c) in tail.char_indices() {
        let wide = is_wide(c);
        let belongs = if wide { *wide_ok.get_or_insert(true) } else { is_domain(c) };
        wide_ok.get_or_insert(false);
        let empty_label = c == '.' && tail.get(..at).is_some_and(|head| head.ends_with('.'));
        if !belongs || empty_label || at >= DOMAIN_BYTES_MAX {
            break;
        }
        end = at + c.len_utf8();
    }
    // What follows an address in a sentence, a version or a path is cut off label by label.
    let mut domain = tail.get(..end)?.trim_end_matches(['.', '-']);
    if is_version_or_scale(domain) {
        return None;
    }
    loop {
        let (rest, tld) = domain.rsplit_once('.')?;
        if is_tld(tld) && rest.split('.').all(is_label) {
            return Some(start + domain.len());
        }
        domain = rest;
    }
}

/// The length of `192.0.2.1]` or `IPv6:2001:db8::1]`.
fn address_literal(text: &str) -> Option<usize> {
    // The longest IPv6 address in text form has 45 characters (RFC 4291), its tag five.
    let close = text.bytes().take(51).position(|byte| byte == b']')?;
    let address = text.get(..close)?;
    let v6 =
        address.strip_prefix("IPv6:").is_some_and(|a| a.parse::<core::net::Ipv6Addr>().is_ok());
    (v6 || address.parse::<core::net::Ipv4Addr>().is_ok()).then_some(close + 1)
}

fn is_domain(c: char) -> bool {
    c == '-' || c == '.' || c.is_alphanumeric() || is_joined(c)
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= LABEL_BYTES_MAX
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// `pkg@1.2.3-rc.beta`, `icon@2x.image`.
fn is_version_or_scale(domain: &str) -> bool {
    let Some((first, rest)) = domain.split_once('.') else { return false };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let scale = first.strip_suffix('x').is_some_and(is_number) && !rest.contains('.');
    scale || (is_number(first) && rest.starts_with(|c: char| c.is_ascii_digit()))
}

fn is_tld(label: &str) -> bool {
    if label.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("xn--")) {
        return label.len() > 4 && is_label(label);
    }
    let n_chars = label.chars().count();
    (2..=TLD_CHARS_MAX).contains(&n_chars)
        && label.chars().all(|c| c.is_alphabetic() || is_joined(c))
        && !FILE_SUFFIXES.iter().any(|suffix| suffix.eq_ignore_ascii_case(label))
}
