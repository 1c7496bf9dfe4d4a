//! `grpc-timeout`: how long a caller still waits, read from a head and written into one.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

/// The header, by the gRPC protocol: at most eight digits and a unit.
const HEADER: &str = "grpc-timeout";

/// What the head says; nothing where it is absent or ill-formed.
pub(crate) fn read(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(HEADER)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

/// Tells the server how long the caller waits; to the microsecond, up to 99 seconds.
pub(crate) fn write(headers: &mut HeaderMap, left: Duration) {
    let micros = left.as_micros().min(99_999_999);
    if let Ok(value) = HeaderValue::try_from(format!("{micros}u")) {
        headers.insert(HEADER, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(http::HeaderName::from_static(HEADER), HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn every_unit_is_read() {
        for (text, nanos) in [
            ("1H", 3_600_000_000_000_u128),
            ("2M", 120_000_000_000),
            ("3S", 3_000_000_000),
            ("4m", 4_000_000),
            ("5u", 5_000),
            ("6n", 6),
        ] {
            assert_eq!(read(&head(text)).unwrap().as_nanos(), nanos);
        }
    }

    #[test]
    fn ill_formed_values_are_no_deadline() {
        for text in ["", "S", "1", "1x", "-1S", "1.5S", "123456789S", "1 S"] {
            assert_eq!(read(&head(text)), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut headers = HeaderMap::new();
        write(&mut headers, Duration::from_millis(1500));
        assert_eq!(read(&headers), Some(Duration::from_millis(1500)));
        write(&mut headers, Duration::from_secs(1000));
        assert_eq!(read(&headers), Some(Duration::from_micros(99_999_999)));
    }
}
