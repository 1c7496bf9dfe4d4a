//! The contracts of auth, as far as the edge's stories need them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mesh::RequestContext;
use mesh::passport::Claims;
use proto::auth::access_service_server::AccessService;
use proto::auth::key_service_server::KeyService;
use proto::auth::page_service_server::PageService;
use proto::auth::profile_service_server::ProfileService;
use proto::auth::session_service_server::SessionService;
use proto::auth::*;
use proto::google::api::HttpBody;
use proto::{ErrorCode, ServiceError};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{Auth, ISSUER, SESSION, TENANT, USER, VERSION};

/// The auth behind its contracts.
#[derive(Clone)]
pub(super) struct Served(pub(super) Arc<Auth>);

/// The user and the session that a token names: tests have several.
fn named_by(token: &str) -> (Uuid, Uuid) {
    let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims = claims.and_then(|claims| serde_json::from_slice::<serde_json::Value>(&claims).ok());
    let claims = claims.unwrap_or_default();
    let id = |name| claims.get(name).and_then(|id| id.as_str()?.parse().ok());
    (id("sub").unwrap_or(USER), id("sid").unwrap_or(SESSION))
}

fn user() -> User {
    User {
        id: USER.to_string(),
        tenant_id: TENANT.to_string(),
        email: "ana@example.org".into(),
        email_verified: true,
        display_name: Some("Ana \"A\"".into()),
        locale: "en".into(),
        status: UserStatus::Active.into(),
        roles: vec!["USER".into()],
        created_at: Some(std::time::SystemTime::UNIX_EPOCH.into()),
        ..User::default()
    }
}

#[tonic::async_trait]
impl KeyService for Served {
    async fn get_key_set(&self, _: Request<GetKeySetRequest>) -> Result<Response<GetKeySetResponse>, Status> {
        self.0.keys_fetched.fetch_add(1, Ordering::SeqCst);
        Ok(Response::new(GetKeySetResponse { keys: vec![self.0.jwk()] }))
    }

    async fn get_passport_key_set(
        &self,
        _: Request<GetPassportKeySetRequest>,
    ) -> Result<Response<GetPassportKeySetResponse>, Status> {
        Ok(Response::new(GetPassportKeySetResponse { keys: vec![self.0.signer.verifying_key().to_jwk()] }))
    }
}

#[tonic::async_trait]
impl AccessService for Served {
    async fn authenticate(
        &self,
        request: Request<AuthenticateRequest>,
    ) -> Result<Response<AuthenticateResponse>, Status> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        if let Some(code) = *self.0.refuses.lock().unwrap() {
            return Err(ServiceError::new(code).into());
        }
        let (user, session) = named_by(&request.get_ref().access_token);
        let now = self.0.clock.now().timestamp();
        let permissions = self.0.permissions.lock().unwrap().clone();
        let claims = Claims {
            iss: ISSUER.into(),
            aud: mesh::passport::AUDIENCE.into(),
            sub: user,
            tid: TENANT,
            sid: session,
            jti: Uuid::from_u128(9),
            permissions: permissions.clone(),
            iat: now,
            exp: now + 60,
        };
        Ok(Response::new(AuthenticateResponse {
            user_id: user.to_string(),
            tenant_id: TENANT.to_string(),
            tenant_slug: "default".into(),
            session_id: session.to_string(),
            roles: vec!["USER".into()],
            permissions,
            permission_version: VERSION,
            passport: self.0.signer.sign(&claims).map_err(Status::from)?,
            passport_expires_at: Some(prost_types::Timestamp { seconds: now + 60, nanos: 0 }),
        }))
    }
}

#[tonic::async_trait]
impl ProfileService for Served {
    async fn get_me(&self, request: Request<GetMeRequest>) -> Result<Response<GetMeResponse>, Status> {
        *self.0.seen.lock().unwrap() = Some(RequestContext::of(&request));
        self.0.begun.add_permits(1);
        let _permit = self.0.gate.acquire().await;
        self.0.failure()?;
        Ok(Response::new(GetMeResponse { user: Some(user()) }))
    }

    async fn update_me(
        &self,
        request: Request<UpdateMeRequest>,
    ) -> Result<Response<UpdateMeResponse>, Status> {
        *self.0.updated.lock().unwrap() = Some(request.into_inner());
        Ok(Response::new(UpdateMeResponse { user: Some(user()) }))
    }
}

#[tonic::async_trait]
impl SessionService for Served {
    async fn login(&self, request: Request<LoginRequest>) -> Result<Response<LoginResponse>, Status> {
        *self.0.seen.lock().unwrap() = Some(RequestContext::of(&request));
        self.0.failure()?;
        if request.into_inner().password != "right" {
            return Err(ServiceError::new(ErrorCode::AuthInvalidCredentials).into());
        }
        let tokens = Tokens { access_token: "a".into(), token_type: "Bearer".into(), ..Tokens::default() };
        Ok(Response::new(LoginResponse { tokens: Some(tokens) }))
    }

    async fn refresh(&self, _: Request<RefreshRequest>) -> Result<Response<RefreshResponse>, Status> {
        Ok(Response::new(RefreshResponse::default()))
    }

    async fn logout(&self, _: Request<LogoutRequest>) -> Result<Response<LogoutResponse>, Status> {
        Ok(Response::new(LogoutResponse {}))
    }

    async fn logout_all(&self, _: Request<LogoutAllRequest>) -> Result<Response<LogoutAllResponse>, Status> {
        Ok(Response::new(LogoutAllResponse {}))
    }

    async fn list_sessions(
        &self,
        request: Request<ListSessionsRequest>,
    ) -> Result<Response<ListSessionsResponse>, Status> {
        let limit = request.into_inner().limit();
        Ok(Response::new(ListSessionsResponse { page: 1, limit, ..ListSessionsResponse::default() }))
    }
}

fn page() -> HttpBody {
    HttpBody {
        content_type: "text/html; charset=utf-8".into(),
        data: b"<p>page".to_vec(),
        extensions: vec![],
    }
}

#[tonic::async_trait]
impl PageService for Served {
    async fn show_verify_email(
        &self,
        _: Request<ShowVerifyEmailRequest>,
    ) -> Result<Response<ShowVerifyEmailResponse>, Status> {
        Ok(Response::new(ShowVerifyEmailResponse { page: Some(page()) }))
    }

    async fn submit_verify_email(
        &self,
        _: Request<SubmitVerifyEmailRequest>,
    ) -> Result<Response<SubmitVerifyEmailResponse>, Status> {
        Ok(Response::new(SubmitVerifyEmailResponse { page: Some(page()) }))
    }

    async fn show_reset_password(
        &self,
        _: Request<ShowResetPasswordRequest>,
    ) -> Result<Response<ShowResetPasswordResponse>, Status> {
        Ok(Response::new(ShowResetPasswordResponse { page: Some(page()) }))
    }

    async fn submit_reset_password(
        &self,
        _: Request<SubmitResetPasswordRequest>,
    ) -> Result<Response<SubmitResetPasswordResponse>, Status> {
        Ok(Response::new(SubmitResetPasswordResponse { page: Some(page()) }))
    }
}
