//! What people and services do in a world, in words.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use proto::auth as pb;
use proto::kv::{AccessRecord, AccessState, access_key};
use uuid::Uuid;

use crate::voices::{Heard, by, from_client, hear};
use crate::world::{PASSWORD, World};

/// What a mail carries.
pub(crate) struct Mail {
    pub(crate) token: String,
    pub(crate) code: Option<String>,
}

impl World {
    pub(crate) async fn register(&self, email: &str, password: &str) -> Heard<()> {
        self.register_with(pb::RegisterRequest {
            email: email.to_owned(),
            password: password.to_owned(),
            ..Default::default()
        })
        .await
    }

    pub(crate) async fn register_with(&self, wish: pb::RegisterRequest) -> Heard<()> {
        hear(self.gateway.accounts().register(from_client(wish)).await).map(|_| ())
    }

    /// What the next mail of this kind carries, revealed as notify does when it sends.
    pub(crate) async fn mail(&self, kind: &str) -> Mail {
        let event = self.notify.next(kind).await;
        let secret = self.reveal(event.secret_reference.as_deref().unwrap()).await.unwrap();
        Mail { token: secret.token, code: secret.code }
    }

    pub(crate) async fn reveal(&self, reference: &str) -> Heard<pb::RevealSecretResponse> {
        let request = pb::RevealSecretRequest { reference: reference.to_owned() };
        hear(self.mailer.directory().reveal_secret(request).await)
    }

    pub(crate) async fn verify_by_token(&self, token: &str) -> Heard<()> {
        self.verify(pb::VerifyEmailRequest { token: Some(token.to_owned()), ..Default::default() }).await
    }

    pub(crate) async fn verify_by_code(&self, email: &str, code: &str) -> Heard<()> {
        self.verify(pb::VerifyEmailRequest {
            email: Some(email.to_owned()),
            code: Some(code.to_owned()),
            token: None,
        })
        .await
    }

    async fn verify(&self, proof: pb::VerifyEmailRequest) -> Heard<()> {
        hear(self.gateway.accounts().verify_email(from_client(proof)).await).map(|_| ())
    }

    /// Somebody with a verified account.
    pub(crate) async fn person(&self, email: &str) {
        self.register(email, PASSWORD).await.unwrap();
        let mail = self.mail("user.registered").await;
        self.verify_by_token(&mail.token).await.unwrap();
    }

    /// Somebody with a verified account, signed in.
    pub(crate) async fn signed_in(&self, email: &str) -> pb::Tokens {
        self.person(email).await;
        self.login(email, PASSWORD).await.unwrap()
    }

    pub(crate) async fn login(&self, email: &str, password: &str) -> Heard<pb::Tokens> {
        self.login_with(pb::LoginRequest {
            email: Some(email.to_owned()),
            password: password.to_owned(),
            ..Default::default()
        })
        .await
    }

    pub(crate) async fn login_with(&self, attempt: pb::LoginRequest) -> Heard<pb::Tokens> {
        hear(self.gateway.sessions().login(from_client(attempt)).await).map(|answer| answer.tokens.unwrap())
    }

    pub(crate) async fn refresh(&self, token: &str) -> Heard<pb::Tokens> {
        let request = pb::RefreshRequest { refresh_token: token.to_owned() };
        hear(self.gateway.sessions().refresh(from_client(request)).await).map(|answer| answer.tokens.unwrap())
    }

    pub(crate) async fn authenticate(&self, access_token: &str) -> Heard<pb::AuthenticateResponse> {
        let request = pb::AuthenticateRequest { access_token: access_token.to_owned() };
        hear(self.gateway.access().authenticate(request).await)
    }

    /// What the edge forwards for a caller with this token.
    pub(crate) async fn passport(&self, tokens: &pb::Tokens) -> String {
        self.authenticate(&tokens.access_token).await.unwrap().passport
    }

    pub(crate) async fn me(&self, tokens: &pb::Tokens) -> Heard<pb::User> {
        let passport = self.passport(tokens).await;
        hear(self.gateway.profiles().get_me(by(&passport, pb::GetMeRequest {})).await)
            .map(|me| me.user.unwrap())
    }

    pub(crate) async fn logout(&self, tokens: &pb::Tokens) -> Heard<()> {
        let passport = self.passport(tokens).await;
        hear(self.gateway.sessions().logout(by(&passport, pb::LogoutRequest {})).await).map(|_| ())
    }

    pub(crate) async fn set_roles(
        &self,
        by_whom: &pb::Tokens,
        user_id: &str,
        roles: &[&str],
    ) -> Heard<pb::User> {
        let passport = self.passport(by_whom).await;
        self.set_roles_by(&passport, user_id, roles).await
    }

    pub(crate) async fn set_roles_by(
        &self,
        passport: &str,
        user_id: &str,
        roles: &[&str],
    ) -> Heard<pb::User> {
        let roles = roles.iter().map(|&role| role.to_owned()).collect();
        let request = by(passport, pb::SetUserRolesRequest { user_id: user_id.to_owned(), roles });
        hear(self.gateway.users().set_user_roles(request).await).map(|answer| answer.user.unwrap())
    }

    /// What is published of the session behind a token.
    pub(crate) async fn published(&self, tokens: &pb::Tokens) -> Option<AccessState> {
        let text = self.kv.get(&access_key(claims(&tokens.access_token).sid)).await.unwrap()?;
        Some(AccessRecord::parse(&text).state)
    }
}

/// What an access token says of itself.
#[derive(serde::Deserialize)]
pub(crate) struct Claims {
    pub(crate) sub: Uuid,
    pub(crate) sid: Uuid,
    pub(crate) jti: Uuid,
    pub(crate) pv: u64,
}

pub(crate) fn claims(access_token: &str) -> Claims {
    let payload = access_token.split('.').nth(1).unwrap();
    let json = BASE64.decode(payload).unwrap();
    serde_json::from_slice(&json).unwrap()
}

pub(crate) fn refresh_token(tokens: &pb::Tokens) -> &str {
    tokens.refresh_token.as_deref().unwrap()
}
