//! What rests: nothing that opens anything, in no table and under no key.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chassis::Sealer;
use proto::auth as pb;
use testkit::redis::Redis;

use crate::people::refresh_token;
use crate::voices::{from_client, hear};
use crate::world::{ANA, NEW_PASSWORD, PASSWORD, SEALING_KEY, World};

/// Secrets by name, in every spelling they might rest in.
struct Canaries(Vec<(String, Vec<u8>)>);

impl Canaries {
    fn text(&mut self, name: &str, secret: &str) {
        self.0.push((name.to_owned(), secret.as_bytes().to_vec()));
    }

    fn bytes(&mut self, name: &str, secret: &[u8]) {
        let hex = secret.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        for spelling in [
            secret.to_vec(),
            hex.into(),
            STANDARD.encode(secret).into(),
            URL_SAFE_NO_PAD.encode(secret).into(),
        ] {
            self.0.push((name.to_owned(), spelling));
        }
    }

    /// A token of two or three parts: its last part is the secret.
    fn token(&mut self, name: &str, token: &str) {
        let secret = token.rsplit('.').next().unwrap();
        self.text(name, secret);
        self.bytes(name, &URL_SAFE_NO_PAD.decode(secret).unwrap());
    }

    fn are_not_in(&self, place: &str, everything: &[u8]) {
        assert!(!everything.is_empty(), "{place} is empty");
        for (name, secret) in &self.0 {
            assert!(!contains(everything, secret), "{name} rests in {place}");
        }
    }
}

/// Whether a secret stands there by itself: six digits inside a longer word are no code.
fn contains(everything: &[u8], secret: &[u8]) -> bool {
    let is_code = secret.len() == 6;
    everything.windows(secret.len()).enumerate().any(|(at, window)| {
        let beside = |index: Option<usize>| {
            index.and_then(|index| everything.get(index)).is_some_and(u8::is_ascii_alphanumeric)
        };
        window == secret && !(is_code && (beside(at.checked_sub(1)) || beside(Some(at + 6))))
    })
}

#[tokio::test]
async fn no_secret_rests_in_the_database_or_the_kv() {
    for (name, database) in testkit::databases() {
        eprintln!("on {name}");
        let redis = Redis::start();
        let world = World::with_redis(&database, &redis.url()).await;
        let mut canaries = Canaries(Vec::new());
        canaries.text("a password", PASSWORD);
        canaries.text("a new password", NEW_PASSWORD);
        canaries.text("the administrator's password", crate::world::ADMIN_PASSWORD);
        canaries.text("the sealing key", SEALING_KEY.strip_prefix("k1:").unwrap());

        world.register(ANA, PASSWORD).await.unwrap();
        let mail = world.mail("user.registered").await;
        canaries.token("a link's secret", &mail.token);
        canaries.text("a code", &mail.code.unwrap());
        everywhere(&canaries, &world, &redis).await;

        world.verify_by_token(&mail.token).await.unwrap();
        let tokens = world.login(ANA, PASSWORD).await.unwrap();
        let renewed = world.refresh(refresh_token(&tokens)).await.unwrap();
        for tokens in [&tokens, &renewed] {
            canaries.token("a refresh token's verifier", refresh_token(tokens));
            canaries.token("an access token", &tokens.access_token);
        }
        canaries.token("a passport", &world.passport(&renewed).await);
        let request = pb::ForgotPasswordRequest { email: ANA.to_owned() };
        hear(world.gateway.accounts().forgot_password(from_client(request)).await).unwrap();
        let mail = world.mail("auth.password-reset-requested").await;
        canaries.token("a reset link's secret", &mail.token);
        canaries.text("a reset code", mail.code.as_deref().unwrap());
        everywhere(&canaries, &world, &redis).await;

        let purpose = pb::CodePurpose::ForgotPassword.into();
        let request = pb::VerifyCodeRequest { email: ANA.to_owned(), purpose, code: mail.code.unwrap() };
        let session = hear(world.gateway.accounts().verify_code(from_client(request)).await).unwrap();
        canaries.token("a code's session token", &session.session_token);
        let request =
            pb::ResetPasswordRequest { token: session.session_token, new_password: NEW_PASSWORD.to_owned() };
        hear(world.gateway.accounts().reset_password(from_client(request)).await).unwrap();
        private_keys(&mut canaries, &world).await;
        everywhere(&canaries, &world, &redis).await;
    }
}

/// Both rings' private halves, opened as auth opens them.
async fn private_keys(canaries: &mut Canaries, world: &World) {
    let sealer = Sealer::new(&SEALING_KEY.to_owned().into(), "auth").unwrap();
    let kids = world.rows.select("SELECT kid FROM signing_key ORDER BY kid").await;
    let rest = world.rows.select("SELECT private_sealed FROM signing_key ORDER BY kid").await;
    assert_eq!(kids.len(), 2);
    for (kid, private_sealed) in kids.iter().zip(rest) {
        let private = sealer.open(kid.as_bytes(), &private_sealed).unwrap();
        // The end of an RSA key are its secret numbers, of an Ed25519 key its seed or the public half.
        canaries.bytes("a private key", &private);
        canaries.bytes("a private key's middle", &private[16..48]);
    }
}

async fn everywhere(canaries: &Canaries, world: &World, redis: &Redis) {
    canaries.are_not_in("the database", &world.rows.everything().await);
    let script = "local all = {} for _, key in ipairs(redis.call('KEYS', '*')) do all[#all + 1] = key .. ' ' .. redis.call('GET', key) end return redis.status_reply(table.concat(all, ' '))";
    let kv = redis.command(&format!("EVAL \"{script}\" 0"));
    assert!(kv.starts_with('+') && kv.contains(":otp:"), "{kv}");
    canaries.are_not_in("the KV", kv.as_bytes());
    assert!(!kv.contains("ana"), "addresses are not in the KV either");
}
