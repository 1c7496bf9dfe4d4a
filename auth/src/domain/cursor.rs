//! Cursors of lists: where a page ended, sealed to whose list it was, so that none can be made up or
//! carried over.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chassis::Sealer;
use proto::{ErrorCode, ServiceError};
use subtle::ConstantTimeEq;
use uuid::Uuid;

const TAG_LEN: usize = 12;

/// The cursor after this row of this owner's list.
pub fn encode(sealer: &Sealer, owner: Uuid, row: Uuid) -> String {
    BASE64.encode([row.as_bytes().as_slice(), &tag(sealer, owner, row)].concat())
}

/// The row a cursor stands after. Fails with `INVALID_CURSOR` where this owner's list did not make it.
pub fn decode(sealer: &Sealer, owner: Uuid, cursor: &str) -> Result<Uuid, ServiceError> {
    let row = BASE64.decode(cursor).ok().and_then(|bytes| {
        let (row, given) = bytes.split_at_checked(16)?;
        let row = Uuid::from_slice(row).ok()?;
        bool::from(given.ct_eq(&tag(sealer, owner, row))).then_some(row)
    });
    row.ok_or_else(|| ErrorCode::InvalidCursor.into())
}

fn tag(sealer: &Sealer, owner: Uuid, row: Uuid) -> [u8; TAG_LEN] {
    let mut tag = [0; TAG_LEN];
    tag.copy_from_slice(&sealer.derive("cursor", &[*owner.as_bytes(), *row.as_bytes()].concat())[..TAG_LEN]);
    tag
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::SecretString;

    #[test]
    fn a_cursor_is_good_for_its_own_list_only() {
        let key = base64::engine::general_purpose::STANDARD.encode([1; 32]);
        let sealer = Sealer::new(&SecretString::from(key), "test").unwrap();
        let (ana, eve, row) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
        let cursor = encode(&sealer, ana, row);
        assert_eq!(decode(&sealer, ana, &cursor).unwrap(), row);
        for (owner, cursor) in [(eve, cursor.as_str()), (ana, ""), (ana, "AAAA"), (ana, "é")] {
            assert_eq!(decode(&sealer, owner, cursor).unwrap_err().code(), ErrorCode::InvalidCursor);
        }
    }
}
