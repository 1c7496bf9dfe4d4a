//! `SessionService`.

use mesh::RequestContext;
use proto::auth::session_service_server::SessionService;
use proto::{ServiceError, auth as pb};

use super::{Answer, Request, Rpc, answer, convert};
use crate::domain::password::Password;
use crate::flows::{self, Identifier, LoginAttempt, Page};

/// How large a login context may be, as JSON.
const LOGIN_CONTEXT_BYTES_MAX: usize = 4_096;
const LIMIT_DEFAULT: i32 = 20;

#[tonic::async_trait]
impl SessionService for Rpc {
    async fn login(&self, request: Request<pb::LoginRequest>) -> Answer<pb::LoginResponse> {
        let tokens = async { flows::login(&self.0, login_attempt(request)?).await };
        let tokens = tokens.await.map(convert::tokens);
        answer(tokens.map(|tokens| pb::LoginResponse { tokens: Some(tokens) }))
    }

    async fn refresh(&self, request: Request<pb::RefreshRequest>) -> Answer<pb::RefreshResponse> {
        let origin = convert::origin(&RequestContext::of(&request));
        let tokens = flows::refresh(&self.0, &request.into_inner().refresh_token, &origin).await;
        answer(tokens.map(|tokens| pb::RefreshResponse { tokens: Some(convert::tokens(tokens)) }))
    }

    async fn logout(&self, request: Request<pb::LogoutRequest>) -> Answer<pb::LogoutResponse> {
        let context = RequestContext::of(&request);
        let ended = async { flows::logout(&self.0, context.caller()?, &convert::origin(&context)).await };
        answer(ended.await.map(|()| pb::LogoutResponse {}))
    }

    async fn logout_all(&self, request: Request<pb::LogoutAllRequest>) -> Answer<pb::LogoutAllResponse> {
        let context = RequestContext::of(&request);
        let ended = async { flows::logout_all(&self.0, context.caller()?, &convert::origin(&context)).await };
        answer(ended.await.map(|()| pb::LogoutAllResponse {}))
    }

    async fn list_sessions(
        &self,
        request: Request<pb::ListSessionsRequest>,
    ) -> Answer<pb::ListSessionsResponse> {
        let context = RequestContext::of(&request);
        let wish = request.into_inner();
        let (page, limit) = (wish.page.unwrap_or(1).max(1), wish.limit.unwrap_or(LIMIT_DEFAULT).max(1));
        let wanted = Page { number: page.unsigned_abs(), limit: limit.unsigned_abs(), cursor: wish.cursor };
        let listed = async {
            let caller = context.caller()?;
            let (sessions, next_cursor) = flows::list_sessions(&self.0, caller, &wanted).await?;
            let now = self.0.clock.now();
            let items = sessions.into_iter().map(|session| convert::session(session, caller.session_id, now));
            Ok(pb::ListSessionsResponse { items: items.collect(), page, limit, next_cursor })
        };
        answer(listed.await)
    }
}

fn login_attempt(request: Request<pb::LoginRequest>) -> Result<LoginAttempt, ServiceError> {
    let context = RequestContext::of(&request);
    let wish = request.into_inner();
    let device_type = convert::device_type(wish.device_type()).to_owned();
    let identifier = match (wish.email, wish.username) {
        (Some(email), None) => Identifier::Email(convert::email(&email)?),
        (None, Some(username)) => Identifier::Username(username),
        _ => return Err(ServiceError::invalid("email", "give either email or username")),
    };
    let login_context = wish.login_context.map(|fields| convert::json("loginContext", fields)).transpose()?;
    if login_context.as_ref().is_some_and(|context| context.to_string().len() > LOGIN_CONTEXT_BYTES_MAX) {
        return Err(ServiceError::invalid("loginContext", "must have at most 4096 bytes"));
    }
    let origin = convert::origin(&context);
    let password = Password::typed(&wish.password);
    Ok(LoginAttempt { tenant: context.tenant, identifier, password, device_type, login_context, origin })
}
