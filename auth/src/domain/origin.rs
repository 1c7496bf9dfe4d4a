//! Where a request came from, as the edge told it: what sessions and audit records remember.

/// The client behind a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The client's address.
    pub ip_address: Option<String>,
    /// The program, as it names itself.
    pub user_agent: Option<String>,
    /// The trace the request belongs to: 32 hex digits.
    pub trace_id: Option<String>,
}
