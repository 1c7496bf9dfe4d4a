//! One-time codes: six digits for one purpose and one address. Like a link's secret a code follows
//! from an id by a keyed hash; the store keeps a keyed digest, the mail's service asks for the digits
//! when it sends. Counting tries, cool-downs and quotas is the KV's.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chassis::Sealer;
use chassis::kv::CodeKeys;
use uuid::Uuid;

use super::link::Purpose;

/// What a code is for; the names are the key space that others may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// Proves an e-mail address.
    VerifyEmail,
    /// Opens the reset of a password.
    ForgotPassword,
}

/// The bounds of a namespace.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long a code works.
    pub ttl: Duration,
    /// How long to wait before asking for another.
    pub cooldown: Duration,
    /// How many are sent a day.
    pub daily_max: u32,
    /// How many wrong tries lock it.
    pub attempts_max: u32,
    /// How long it stays locked.
    pub lock: Duration,
}

impl Namespace {
    /// The word in the keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify-email",
            Self::ForgotPassword => "forgot-password",
        }
    }

    /// The namespace of the code that goes beside a link; `None` where none does.
    pub fn beside(purpose: Purpose) -> Option<Self> {
        match purpose {
            Purpose::VerifyEmail => Some(Self::VerifyEmail),
            Purpose::ResetPassword => Some(Self::ForgotPassword),
            Purpose::ResetPasswordByCode => None,
        }
    }

    /// Its bounds.
    pub fn bounds(self) -> Bounds {
        let (Self::VerifyEmail | Self::ForgotPassword) = self;
        Bounds {
            ttl: Duration::from_mins(10),
            cooldown: Duration::from_mins(1),
            daily_max: 10,
            attempts_max: 5,
            lock: Duration::from_mins(15),
        }
    }

    /// Where the codes of an address lie: `<ns>:otp:{<tenant>:<keyed hash>}` and its like. The braces
    /// put them into one slot of a cluster, the keyed hash keeps addresses out of the store.
    pub fn keys(self, sealer: &Sealer, tenant_id: Uuid, address: &str) -> CodeKeys {
        let hash = BASE64.encode(sealer.derive("code-address", address.as_bytes()));
        let key = |kind: &str| format!("{}:{kind}:{{{tenant_id}:{hash}}}", self.as_str());
        CodeKeys {
            code: key("otp"),
            lock: key("lock"),
            cooldown: key("cooldown"),
            daily: key("daily"),
            session: key("session"),
        }
    }
}

/// The six digits that go beside the link with this id.
pub fn digits(link_id: Uuid, sealer: &Sealer) -> String {
    let derived = sealer.derive("code", link_id.as_bytes());
    let mut number = [0; 8];
    number.copy_from_slice(&derived[..8]);
    format!("{:06}", u64::from_be_bytes(number) % 1_000_000)
}

/// What the store keeps of a code: a keyed digest, since a million plain ones are tried in no time.
pub fn digest(namespace: Namespace, digits: &str, sealer: &Sealer) -> String {
    let input = format!("{}:{digits}", namespace.as_str());
    BASE64.encode(sealer.derive("code-digest", input.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::SecretString;

    fn sealer() -> Sealer {
        Sealer::new(&SecretString::from(base64::engine::general_purpose::STANDARD.encode([1; 32])), "test")
            .unwrap()
    }

    #[test]
    fn a_code_is_six_digits() {
        for id in 0..200 {
            let code = digits(Uuid::from_u128(id), &sealer());
            assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()), "{code}");
        }
    }

    #[test]
    fn a_code_of_one_purpose_is_none_of_another() {
        let sealer = sealer();
        assert_ne!(
            digest(Namespace::VerifyEmail, "123456", &sealer),
            digest(Namespace::ForgotPassword, "123456", &sealer)
        );
    }

    #[test]
    fn keys_show_no_address_and_share_a_slot() {
        let keys = Namespace::VerifyEmail.keys(&sealer(), Uuid::nil(), "ana@example.org");
        assert!(keys.code.starts_with("verify-email:otp:{00000000-0000-0000-0000-000000000000:"));
        let slot = |key: &str| key[key.find('{').unwrap()..].to_owned();
        for key in [&keys.lock, &keys.cooldown, &keys.daily, &keys.session] {
            assert_eq!(slot(key), slot(&keys.code));
            assert!(!key.contains("ana"));
        }
    }
}
