//! Links of mails: single-use, for a while, and only the newest of its purpose. The secret follows
//! from the link's id by a keyed hash, so that it rests nowhere: the database keeps a digest, the
//! mail's service asks for the secret when it sends.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chassis::Sealer;
use chrono::{DateTime, Utc};
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// What a link opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Proves the address.
    VerifyEmail,
    /// Sets a new password.
    ResetPassword,
    /// Sets a new password, for whoever proved the address by a code.
    ResetPasswordByCode,
}

impl Purpose {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::ResetPasswordByCode => "reset_password_by_code",
        }
    }

    /// Reads the database's word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::VerifyEmail, Self::ResetPassword, Self::ResetPasswordByCode]
            .into_iter()
            .find(|purpose| purpose.as_str() == word)
    }
}

/// A link as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Finds it; not a secret.
    pub id: Uuid,
    /// The tenant of its user.
    pub tenant_id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// What it opens.
    pub purpose: Purpose,
    /// The digest of its secret.
    pub secret_hash: String,
    /// Until when it opens that.
    pub expires_at: DateTime<Utc>,
    /// When it was used, or a newer one took its place.
    pub used_at: Option<DateTime<Utc>>,
}

impl Link {
    /// Whether it still opens what it is for.
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.used_at.is_none() && now < self.expires_at
    }

    /// Whether this secret is the link's, compared in constant time.
    pub fn is_opened_by(&self, token: &LinkToken) -> bool {
        digest_of(&token.secret).as_bytes().ct_eq(self.secret_hash.as_bytes()).into()
    }
}

/// The token a link carries: `id.secret`.
pub struct LinkToken {
    /// The link's id.
    pub id: Uuid,
    secret: Vec<u8>,
}

impl LinkToken {
    /// The token of the link with this id.
    pub fn derive(id: Uuid, sealer: &Sealer) -> Self {
        Self { id, secret: sealer.derive("link", id.as_bytes()).to_vec() }
    }

    /// The token of this link as it was when the link was made, though the keys were changed since;
    /// `None` where its key is gone.
    pub fn recover(link: &Link, sealer: &Sealer) -> Option<Self> {
        let each = sealer.derive_each("link", link.id.as_bytes()).into_iter();
        each.map(|secret| Self { id: link.id, secret: secret.to_vec() })
            .find(|token| link.is_opened_by(token))
    }

    /// Reads what a client sent; `None` where it has not the form.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.split_once('.')?;
        let id = Uuid::from_bytes(BASE64.decode(id).ok()?.try_into().ok()?);
        Some(Self { id, secret: BASE64.decode(secret).ok()? })
    }

    /// The token as the mail carries it.
    pub fn expose(&self) -> String {
        format!("{}.{}", BASE64.encode(self.id.as_bytes()), BASE64.encode(&self.secret))
    }

    /// What the database keeps of it.
    pub fn secret_hash(&self) -> String {
        digest_of(&self.secret)
    }
}

/// A plain digest is enough for 256 bits that nobody can guess.
fn digest_of(secret: &[u8]) -> String {
    BASE64.encode(digest::digest(&digest::SHA256, secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::SecretString;

    #[test]
    fn a_link_opens_by_its_own_token_only() {
        let key = |byte| SecretString::from(base64::engine::general_purpose::STANDARD.encode([byte; 32]));
        let sealer = Sealer::new(&key(1), "test").unwrap();
        let token = LinkToken::derive(Uuid::from_u128(1), &sealer);
        let link = Link {
            id: token.id,
            tenant_id: Uuid::nil(),
            user_id: Uuid::nil(),
            purpose: Purpose::VerifyEmail,
            secret_hash: token.secret_hash(),
            expires_at: DateTime::UNIX_EPOCH,
            used_at: None,
        };
        assert!(link.is_opened_by(&LinkToken::parse(&token.expose()).unwrap()));
        assert!(!link.is_opened_by(&LinkToken::derive(Uuid::from_u128(2), &sealer)));
        let foreign = Sealer::new(&key(2), "test").unwrap();
        assert!(!link.is_opened_by(&LinkToken::derive(token.id, &foreign)));
        assert!(!link.is_open(DateTime::UNIX_EPOCH));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in ["", ".", "a.b", "AAAA.BBBB", "no dot", "é.é"] {
            assert!(LinkToken::parse(text).is_none(), "{text}");
        }
    }
}
