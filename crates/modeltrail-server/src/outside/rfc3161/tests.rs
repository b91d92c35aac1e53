//! Requests and responses, held against those of `openssl ts` (`tests/fixtures/rfc3161`).

use super::{Request, StampError, check_kept, generalized_time};

const TEXT: &str = include_str!("../../../tests/fixtures/rfc3161/text");
const REQUEST: &[u8] = include_bytes!("../../../tests/fixtures/rfc3161/request.der");
const RESPONSE: &[u8] = include_bytes!("../../../tests/fixtures/rfc3161/response.der");
const REFUSED: &[u8] = include_bytes!("../../../tests/fixtures/rfc3161/refused.der");

/// The nonce of `request.der`.
const NONCE: u128 = 0x4BBB_1637_4BFE_A7AA;

fn request(text: &str, nonce: u128) -> Request {
    Request::new(text, nonce.to_be_bytes())
}

#[test]
fn a_request_is_the_one_that_openssl_makes() {
    assert_eq!(request(TEXT, NONCE).to_der(), REQUEST);
}

#[test]
fn nonces_are_positive_and_as_short_as_can_be() {
    let nonce = |nonce: u128| {
        let der = request(TEXT, nonce).to_der();
        let at = 2 + 3 + 2 + 0x31;
        der[at..der.len() - 3].to_vec()
    };
    assert_eq!(nonce(0), [2, 1, 0]);
    assert_eq!(nonce(1), [2, 1, 1]);
    assert_eq!(nonce(0x80), [2, 2, 0, 0x80]);
    assert_eq!(nonce(u128::MAX), [&[2, 17, 0][..], &[0xff; 16]].concat());
}

#[test]
fn a_stamp_of_this_text_and_request_is_taken() {
    let stamp = request(TEXT, NONCE).check(RESPONSE).unwrap();
    // `openssl ts -reply -in response.der -text` says Nov 22 19:46:2x 2026 GMT.
    assert_eq!(stamp.time_s / 60, 1_795_376_760 / 60);
    assert_eq!(check_kept(TEXT, RESPONSE), Ok(stamp));
}

#[test]
fn stamps_of_other_texts_and_requests_are_refused() {
    let other = TEXT.replace("17", "18");
    assert_eq!(request(&other, NONCE).check(RESPONSE), Err(StampError::OtherImprint));
    assert_eq!(check_kept(&other, RESPONSE), Err(StampError::OtherImprint));
    assert_eq!(request(TEXT, NONCE + 1).check(RESPONSE), Err(StampError::OtherNonce));
}

#[test]
fn a_refusal_is_told_in_the_authoritys_words() {
    let Err(StampError::NotGranted { status, reason }) = request(TEXT, NONCE).check(REFUSED) else {
        panic!("it was not granted");
    };
    assert_eq!((status, reason.as_str()), (2, "Message digest algorithm is not supported."));
    // Without texts, the first bit of the failure.
    let bare = [0x30, 0x09, 0x30, 0x07, 0x02, 0x01, 0x02, 0x03, 0x02, 0x05, 0x20];
    let Err(StampError::NotGranted { reason, .. }) = request(TEXT, NONCE).check(&bare) else {
        panic!("it was not granted");
    };
    assert_eq!(reason, "badRequest");
}

#[test]
fn broken_responses_are_errors_that_say_where() {
    let ask = request(TEXT, NONCE);
    for cut in 0..RESPONSE.len() {
        assert!(matches!(ask.check(&RESPONSE[..cut]), Err(StampError::Der(_))), "{cut}");
    }
    let longer = [RESPONSE, &[0]].concat();
    assert!(matches!(ask.check(&longer), Err(StampError::Der(_))));
    let told = ask.check(b"<html>").unwrap_err().to_string();
    assert_eq!(told, "no time stamp response: byte 0: not a TimeStampResp");
    let indefinite = [&[0x30, 0x80][..], &RESPONSE[4..]].concat();
    assert!(ask.check(&indefinite).unwrap_err().to_string().contains("definite length"));
}

/// What is checked here is the status, the imprint, the nonce and the way to them; a changed signature
/// or certificate is for `openssl ts -verify`.
#[test]
fn no_changed_byte_gives_another_stamp() {
    let ask = request(TEXT, NONCE);
    let honest = ask.check(RESPONSE).unwrap();
    let mut n_refused = 0;
    for at in 0..RESPONSE.len() {
        for bit in 0..8 {
            let mut changed = RESPONSE.to_vec();
            changed[at] ^= 1 << bit;
            match ask.check(&changed) {
                Err(_) => n_refused += 1,
                // The time stands in the signed bytes, under a signature that is not checked here.
                Ok(stamp) => assert!(stamp == honest || (60..160).contains(&at), "{at}.{bit}"),
            }
        }
    }
    // The imprint, the nonce, and the frame around them.
    assert!(n_refused > 8 * (32 + 8), "{n_refused}");
}

#[test]
fn times_of_stamps_are_in_utc() {
    let at = |text: &str| generalized_time(text.as_bytes());
    assert_eq!(at("19700101000000Z"), Some(0));
    assert_eq!(at("20261122194600Z"), Some(1_795_376_760));
    assert_eq!(at("20261122194600.25Z"), Some(1_795_376_760));
    for bad in [
        "",
        "Z",
        "20261122194600",
        "202611221946Z",
        "20261122194600+0100",
        "20261322194600Z",
        "2026112219460aZ",
        "20261122194600.aZ",
        "2026112219460٣Z",
    ] {
        assert_eq!(at(bad), None, "{bad}");
    }
}
