//! The status of a gRPC call, which stands in the trailers of an answer, or in its head where that is all
//! (gRPC over HTTP/2, "Responses").

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use modeltrail_core::capture::Ending;

/// True for answers that must have a status.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    media_type
        .strip_prefix(b"application/grpc")
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';' | b' ')))
}

/// The ending that these headers tell; `None` where they have no status.
pub(super) fn status(headers: &HeaderMap) -> Option<Ending> {
    let status = headers.get("grpc-status")?.to_str().unwrap_or("unreadable");
    if status == "0" {
        return Some(Ending::Complete);
    }
    let message = headers.get("grpc-message").map(|value| percent_decoded(value.as_bytes()));
    Some(Ending::Failed {
        code: format!("grpc_{status}"),
        message: message.unwrap_or_else(|| format!("answered with grpc-status {status}")),
    })
}

/// An answer that ends without any status, which clients take for a failure.
pub(super) fn without_status() -> Ending {
    Ending::Failed {
        code: "grpc_without_status".into(),
        message: "the answer ended without a grpc-status".into(),
    }
}

/// `grpc-message` is percent-encoded UTF-8; what is no encoding stays as it is.
fn percent_decoded(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        let decoded = (*first == b'%').then(|| behind.split_at_checked(2)).flatten().and_then(
            |(digits, after)| {
                // A sign would be read as part of a number.
                let digits =
                    std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
                Some((u8::from_str_radix(digits, 16).ok()?, after))
            },
        );
        match decoded {
            Some((byte, after)) => {
                bytes.push(byte);
                rest = after;
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};
    use modeltrail_core::capture::Ending;

    use super::{is_grpc, percent_decoded, status};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (n.parse().unwrap(), HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn a_status_is_read_with_its_message() {
        assert_eq!(status(&headers(&[])), None);
        assert_eq!(status(&headers(&[("grpc-status", "0")])), Some(Ending::Complete));
        let found = status(&headers(&[("grpc-status", "5"), ("grpc-message", "no%20such%2%")]));
        let message = "no such%2%".to_owned();
        assert_eq!(found, Some(Ending::Failed { code: "grpc_5".into(), message }));
    }

    #[test]
    fn grpc_is_told_from_its_web_form_and_from_others() {
        let of = |text| is_grpc(&headers(&[("content-type", text)]));
        assert!(of("application/grpc") && of("application/grpc+proto"));
        assert!(!of("application/grpc-web+proto") && !of("application/json"));
        assert!(!is_grpc(&HeaderMap::new()));
    }

    #[test]
    fn what_is_no_encoding_stays() {
        for (text, plain) in [("100%", "100%"), ("%zz%C3%A9", "%zzé"), ("%+1", "%+1")] {
            assert_eq!(percent_decoded(text.as_bytes()), plain);
        }
    }
}
