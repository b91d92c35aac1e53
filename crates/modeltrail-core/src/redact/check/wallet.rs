//! Addresses and keys of crypto currencies that carry a check sum.

use crate::hash::sha256;

/// What a base58check text holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::redact) enum Base58 {
    /// An address: version (one byte, or two at Zcash) and 20 bytes (Bitcoin, Litecoin, Dogecoin,
    /// Dash, Tron, Zcash and others of that family).
    Address,
    /// A private key as wallets export it (WIF): 32 bytes, perhaps with a mark.
    PrivateKey,
    /// An extended key (BIP 32), private or public: 78 bytes.
    ExtendedKey,
}

/// What a text that begins with `0x` and has 40 hex digits is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::redact) enum Ethereum {
    /// Another shape.
    No,
    /// All letters of one case, or none: by its shape it could be any hash of 20 bytes.
    OneCase,
    /// Letters of both cases, as EIP-55 writes addresses. Its check sum needs Keccak-256, which is
    /// not computed here: who calls asks for a word beside it, or believes the case.
    MixedCase,
}

/// Bytes of an extended key with its check sum, the longest that is read.
const DECODED_MAX: usize = 82;

/// Bytes of the check sum.
const CHECK_BYTES: usize = 4;

/// The base58 alphabet of Bitcoin.
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Reads base58 with the check sum of Bitcoin (first four bytes of a double SHA-256).
pub(in crate::redact) fn base58check(text: &[u8]) -> Option<Base58> {
    // 21 bytes with their sum are at least 26 characters, 82 bytes at most 112.
    if !(26..=112).contains(&text.len()) {
        return None;
    }
    let mut bytes = [0; DECODED_MAX];
    let len = decode(text, &mut bytes)?;
    let decoded = bytes.get(DECODED_MAX.checked_sub(len)?..)?;
    let (payload, check) = decoded.split_at_checked(len.checked_sub(CHECK_BYTES)?)?;
    let sum = sha256(&[sha256(&[payload]).as_bytes()]);
    if !sum.as_bytes().starts_with(check) {
        return None;
    }
    match payload.len() {
        21 | 22 => Some(Base58::Address),
        33 | 34 => Some(Base58::PrivateKey),
        78 => Some(Base58::ExtendedKey),
        _ => None,
    }
}

/// Writes the number that the text spells at the end of `bytes`, and says how many bytes it has:
/// one zero byte for each `1` in front.
fn decode(text: &[u8], bytes: &mut [u8; DECODED_MAX]) -> Option<usize> {
    let n_zeros = text.iter().take_while(|&&byte| byte == b'1').count();
    let mut used = 0;
    for &byte in text.get(n_zeros..)? {
        let mut carry = BASE58.iter().position(|&other| other == byte)?;
        let mut n = 0;
        for slot in bytes.iter_mut().rev() {
            if carry == 0 && n >= used {
                break;
            }
            carry += usize::from(*slot) * BASE58.len();
            *slot = u8::try_from(carry & 0xff).ok()?;
            carry >>= 8;
            n += 1;
        }
        if carry != 0 {
            return None;
        }
        used = n;
    }
    Some(n_zeros + used).filter(|&len| len <= DECODED_MAX)
}

/// The sum of bech32 (BIP 173) and of bech32m (BIP 350).
const BECH32_SUMS: [u32; 2] = [1, 0x2bc8_30a3];

/// A segregated witness address: `bc1`, `tb1`, `bcrt1`, `ltc1`, one case throughout, a program of
/// 2 to 40 bytes, bech32 for version 0 and bech32m for the others.
pub(in crate::redact) fn bech32(text: &[u8]) -> bool {
    const ALPHABET: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    if text.len() > 90
        || (text.iter().any(u8::is_ascii_uppercase) && text.iter().any(u8::is_ascii_lowercase))
    {
        return false;
    }
    let Some(at) = text.iter().rposition(|&byte| byte == b'1') else { return false };
    let Some((prefix, [_, data @ ..])) = text.split_at_checked(at) else { return false };
    let known: [&[u8]; 4] = [b"bc", b"tb", b"bcrt", b"ltc"];
    if !known.iter().any(|name| prefix.eq_ignore_ascii_case(name)) {
        return false;
    }
    let lower = |byte: &u8| byte.to_ascii_lowercase();
    let highs = prefix.iter().map(|byte| u32::from(lower(byte) >> 5));
    let lows = prefix.iter().map(|byte| u32::from(lower(byte) & 31));
    let mut sum = highs.chain([0]).chain(lows).fold(1, bech32_step);
    let mut version = None;
    for byte in data {
        let Some(value) = ALPHABET.iter().zip(0_u32..).find(|(c, _)| **c == lower(byte)) else {
            return false;
        };
        version = version.or(Some(value.1));
        sum = bech32_step(sum, value.1);
    }
    // Six characters are the sum and one the version; each of the others holds five bits.
    let n_bytes = data.len().saturating_sub(7) * 5 / 8;
    match version {
        Some(0) => BECH32_SUMS.first() == Some(&sum) && matches!(n_bytes, 20 | 32),
        Some(1..=16) => BECH32_SUMS.last() == Some(&sum) && (2..=40).contains(&n_bytes),
        _ => false,
    }
}

/// One value into the sum (the BCH code of BIP 173).
fn bech32_step(sum: u32, value: u32) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let top = sum >> 25;
    GENERATOR.iter().enumerate().fold((sum & 0x1ff_ffff) << 5 ^ value, |sum, (n, generator)| {
        if top >> n & 1 == 1 { sum ^ generator } else { sum }
    })
}

/// An address by either of the two check sums.
pub(in crate::redact) fn bitcoin(text: &[u8]) -> bool {
    base58check(text) == Some(Base58::Address) || bech32(text)
}

/// What a text is that may be an address of Ethereum.
pub(in crate::redact) fn ethereum(text: &[u8]) -> Ethereum {
    let Some(hex) = text.strip_prefix(b"0x") else { return Ethereum::No };
    if hex.len() != 40 || !hex.iter().all(u8::is_ascii_hexdigit) {
        return Ethereum::No;
    }
    let mixed = hex.iter().any(u8::is_ascii_uppercase) && hex.iter().any(u8::is_ascii_lowercase);
    if mixed { Ethereum::MixedCase } else { Ethereum::OneCase }
}

#[cfg(test)]
mod tests {
    use super::super::sums::tests::{all, none};
    use super::*;

    /// The block of 2009, and examples of the Bitcoin wiki, BIP 173 and BIP 350.
    const ADDRESSES: &[&str] = &[
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
        "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
        "1111111111111111111114oLvT2",
        "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
    ];

    #[test]
    fn addresses_with_their_check_sum_are_read() {
        all(bitcoin, ADDRESSES);
    }

    #[test]
    fn no_address_with_another_character_passes() {
        for address in ADDRESSES {
            for at in 0..address.len() {
                for other in *b"2z9Q" {
                    let mut bytes = address.as_bytes().to_vec();
                    let same = bytes[at] == other;
                    bytes[at] = other;
                    assert!(same || !bitcoin(&bytes), "{}", String::from_utf8_lossy(&bytes));
                }
            }
            assert!(!bitcoin(&address.as_bytes()[1..]), "{address} cut");
        }
    }

    #[test]
    fn the_invalid_addresses_of_bip_350_are_none() {
        none(
            bitcoin,
            &[
                "tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4ty",
                "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
                "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
                "tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47",
                "bc1pw5dgrnzv",
                "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq",
                "bc1gmk9yu",
                "bc1",
            ],
        );
    }

    #[test]
    fn keys_are_told_from_addresses() {
        // The Bitcoin wiki's example of WIF, compressed and not; BIP 32's test vector 1.
        let key = |text: &str| base58check(text.as_bytes());
        let uncompressed = "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ";
        let compressed = "KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP98617";
        let private = "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvv\
                       NKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi";
        assert_eq!(key(uncompressed), Some(Base58::PrivateKey));
        assert_eq!(key(compressed), Some(Base58::PrivateKey));
        assert_eq!(key(private), Some(Base58::ExtendedKey));
        assert_eq!(key(&private.replace('x', "y")), None);
        assert_eq!(key(&"z".repeat(112)), None);
    }

    #[test]
    fn ethereum_is_told_by_shape_and_case() {
        // EIP-55.
        let says = |text: &str| ethereum(text.as_bytes());
        assert_eq!(says("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"), Ethereum::MixedCase);
        assert_eq!(says("0x52908400098527886E0F7030069857D2E4169EE7"), Ethereum::OneCase);
        assert_eq!(says("0xde709f2102306220921060314715629080e2fb77"), Ethereum::OneCase);
        assert_eq!(says("5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"), Ethereum::No);
        assert_eq!(says("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg"), Ethereum::No);
        assert_eq!(says("0x"), Ethereum::No);
    }
}
