//! Errors as the outside sees them: `{"error":{"code","message","details"?},"traceId"}`.

use proto::ServiceError;

use super::text::write_text;

/// Writes the envelope of a failure. What is known inside does not go into it.
pub fn write(error: &ServiceError, trace_id: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(160);
    out.extend_from_slice(b"{\"error\":{\"code\":");
    write_text(&mut out, error.code().as_str());
    out.extend_from_slice(b",\"message\":");
    write_text(&mut out, error.text());
    if !error.violations().is_empty() {
        out.extend_from_slice(b",\"details\":[");
        for (index, violation) in error.violations().iter().enumerate() {
            out.extend_from_slice(if index > 0 { b",{\"field\":" } else { b"{\"field\":" });
            write_text(&mut out, &violation.field);
            out.extend_from_slice(b",\"message\":");
            write_text(&mut out, &violation.message);
            out.push(b'}');
        }
        out.push(b']');
    }
    out.extend_from_slice(b"},\"traceId\":");
    write_text(&mut out, trace_id);
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::ErrorCode;

    #[test]
    fn the_envelope_names_fields_and_never_a_cause() {
        let error = ServiceError::invalid("email", "is \"wrong\"")
            .violation("a.b[0]", "is required")
            .source("secret");
        let text = String::from_utf8(write(&error, "4bf92f3577b34da6a3ce929d0e0e4736")).unwrap();
        insta::assert_snapshot!(text, @r#"{"error":{"code":"VALIDATION_ERROR","message":"The request is not valid.","details":[{"field":"email","message":"is \"wrong\""},{"field":"a.b[0]","message":"is required"}]},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}"#);
    }

    #[test]
    fn without_fields_there_are_no_details() {
        let text = String::from_utf8(write(&ErrorCode::NotFound.into(), "t")).unwrap();
        insta::assert_snapshot!(text, @r#"{"error":{"code":"NOT_FOUND","message":"Not found."},"traceId":"t"}"#);
    }
}
