//! Addresses of computers: IPv4, IPv6, MAC.

use core::net::{Ipv4Addr, Ipv6Addr};

/// An IPv4 address in dotted decimals without leading zeros. Those that name no computer of
/// anybody are none: 0.0.0.0/8 (this network), 127.0.0.0/8 (loopback), 255.0.0.0/8 (broadcast and
/// masks of networks).
pub(in crate::redact) fn ipv4(bytes: &[u8]) -> bool {
    parse::<Ipv4Addr>(bytes, 15).is_some_and(|ip| !matches!(ip.octets(), [0 | 127 | 255, ..]))
}

/// An IPv6 address without brackets and zone, also with an IPv4 address at its end; not `::`, not
/// `::1`, and not so short that it is more often a path of code (`a::b`) or a slice: three groups,
/// or two of which one has three characters.
pub(in crate::redact) fn ipv6(bytes: &[u8]) -> bool {
    let Some(ip) = parse::<Ipv6Addr>(bytes, 45) else { return false };
    let groups = || bytes.split(|&byte| byte == b':').filter(|group| !group.is_empty());
    let n_groups = groups().count();
    let long = groups().any(|group| group.len() >= 3);
    !ip.is_unspecified()
        && !ip.is_loopback()
        && (n_groups >= 3 || (n_groups == 2 && long))
        && bytes.iter().any(u8::is_ascii_digit)
}

fn parse<T: core::str::FromStr>(bytes: &[u8], len_max: usize) -> Option<T> {
    let short = bytes.get(..bytes.len().min(len_max + 1)).filter(|b| b.len() <= len_max)?;
    core::str::from_utf8(short).ok()?.parse().ok()
}

/// A MAC address: six pairs of hex digits by `:` or `-`, one of them throughout, or three groups of
/// four by `.`. Not all zeros and not all ones (broadcast).
pub(in crate::redact) fn mac(bytes: &[u8]) -> bool {
    let (sep, width) = match bytes {
        [_, _, sep @ (b':' | b'-'), ..] if bytes.len() == 17 => (*sep, 2),
        [_, _, _, _, b'.', ..] if bytes.len() == 14 => (b'.', 4),
        _ => return false,
    };
    let grouped = bytes
        .split(|&byte| byte == sep)
        .all(|group| group.len() == width && group.iter().all(u8::is_ascii_hexdigit));
    let digits = || bytes.iter().filter(|&&byte| byte != sep);
    grouped
        && digits().any(|&byte| byte != b'0')
        && digits().any(|&byte| !byte.eq_ignore_ascii_case(&b'f'))
}

#[cfg(test)]
mod tests {
    use super::super::sums::tests::{all, none};
    use super::*;

    #[test]
    fn four_octets_are_an_address() {
        all(ipv4, &["192.0.2.1", "8.8.8.8", "10.0.0.1", "223.255.255.254", "1.2.3.4"]);
        none(ipv4, &["192.0.2.256", "192.0.02.1", "192.0.2", "192.0.2.1.1", "", "1.2.3.4 "]);
        none(ipv4, &["127.0.0.1", "0.0.0.0", "0.1.2.3", "255.255.255.0", "192.0.2.é"]);
    }

    #[test]
    fn groups_of_hex_are_an_address() {
        // RFC 4291 section 2.2, RFC 5952.
        all(ipv6, &["2001:db8::8:800:200C:417A", "FF01::101", "::FFFF:129.144.52.38"]);
        all(ipv6, &["2001:db8:0:0:0:0:192.168.1.1", "64:ff9b::198.51.100.1", "fe80::1"]);
        all(ipv6, &["A099::09C0:876A:130B", "1:2:3:4:5:6:7:8"]);
        none(ipv6, &["::", "::1", "0:0:0:0:0:0:0:1", "a::b", "1::2", "dead::beef", "::ffff"]);
        none(
            ipv6,
            &["12:34:56", "1:2:3:4:5:6:7", "2001:db8::1::2", "2001:db8::12345", "std::vector"],
        );
        none(
            ipv6,
            &["2001:0db8:0000:0000:0000:0000:192.168.001.001:1111:2222:3333", "fe80::1%eth0"],
        );
    }

    #[test]
    fn six_octets_are_an_address() {
        // IEEE 802, RFC 7042 (documentation block 00-00-5E-00-53).
        all(mac, &["00:00:5E:00:53:AF", "00-1a-2B-3c-4D-5e", "0000.5e00.5301"]);
        none(mac, &["00:00:5E-00:53:AF", "00:00:00:00:00:00", "ff:ff:FF:ff:ff:ff"]);
        none(mac, &["00:00:5E:00:53", "00:00:5E:00:53:AG", "000:0:5E:00:53:AF", "0000.5e00.53011"]);
        none(mac, &["12:34:56", "0000-5e00-5301", "ffff.ffff.ffff"]);
    }
}
