//! `AccountService`.

use mesh::RequestContext;
use proto::auth::account_service_server::AccountService;
use proto::{ServiceError, auth as pb, canonical};

use super::{Answer, Request, Rpc, answer, convert};
use crate::domain::user::{DEFAULT_LOCALE, NewUser};
use crate::flows::{self, Proof, Registration};

#[tonic::async_trait]
impl AccountService for Rpc {
    async fn register(&self, request: Request<pb::RegisterRequest>) -> Answer<pb::RegisterResponse> {
        let registered = async { flows::register(&self.0, registration(request)?).await };
        answer(registered.await.map(|()| pb::RegisterResponse {}))
    }

    async fn verify_email(
        &self,
        request: Request<pb::VerifyEmailRequest>,
    ) -> Answer<pb::VerifyEmailResponse> {
        let context = RequestContext::of(&request);
        let origin = convert::origin(&context);
        let verified =
            async { flows::verify_email(&self.0, proof(context, request.into_inner())?, &origin).await };
        answer(verified.await.map(|()| pb::VerifyEmailResponse {}))
    }

    async fn resend_verification(
        &self,
        request: Request<pb::ResendVerificationRequest>,
    ) -> Answer<pb::ResendVerificationResponse> {
        let tenant = RequestContext::of(&request).tenant;
        let sent = async {
            let email = convert::email(&request.into_inner().email)?;
            flows::resend_verification(&self.0, tenant.as_deref(), &email).await
        };
        answer(sent.await.map(|wait| pb::ResendVerificationResponse { resend_after: convert::seconds(wait) }))
    }

    async fn forgot_password(
        &self,
        request: Request<pb::ForgotPasswordRequest>,
    ) -> Answer<pb::ForgotPasswordResponse> {
        let context = RequestContext::of(&request);
        let sent = async {
            let email = convert::email(&request.into_inner().email)?;
            flows::forgot_password(&self.0, context.tenant.as_deref(), &email, &convert::origin(&context))
                .await
        };
        answer(sent.await.map(|()| pb::ForgotPasswordResponse {}))
    }

    async fn reset_password(
        &self,
        request: Request<pb::ResetPasswordRequest>,
    ) -> Answer<pb::ResetPasswordResponse> {
        let origin = convert::origin(&RequestContext::of(&request));
        let pb::ResetPasswordRequest { token, new_password } = request.into_inner();
        let reset = flows::reset_password(&self.0, &token, &new_password, &origin).await;
        answer(reset.map(|()| pb::ResetPasswordResponse {}))
    }

    async fn change_password(
        &self,
        request: Request<pb::ChangePasswordRequest>,
    ) -> Answer<pb::ChangePasswordResponse> {
        let context = RequestContext::of(&request);
        let pb::ChangePasswordRequest { current_password, new_password } = request.into_inner();
        let changed = async {
            let passwords = (current_password.as_str(), new_password.as_str());
            flows::change_password(&self.0, context.caller()?, passwords, &convert::origin(&context)).await
        };
        let tokens = changed.await.map(convert::tokens);
        answer(tokens.map(|tokens| pb::ChangePasswordResponse { tokens: Some(tokens) }))
    }

    async fn verify_code(&self, request: Request<pb::VerifyCodeRequest>) -> Answer<pb::VerifyCodeResponse> {
        let tenant = RequestContext::of(&request).tenant;
        let pb::VerifyCodeRequest { email, purpose: _, code } = request.into_inner();
        let verified =
            async { flows::verify_code(&self.0, tenant.as_deref(), &convert::email(&email)?, &code).await };
        answer(verified.await.map(|session| pb::VerifyCodeResponse {
            session_token: session.token,
            expires_in: convert::seconds(session.expires_in),
        }))
    }
}

fn registration(request: Request<pb::RegisterRequest>) -> Result<Registration, ServiceError> {
    let context = RequestContext::of(&request);
    let wish = request.into_inner();
    let phone = wish.phone.map(|phone| {
        canonical::phone(&phone).ok_or_else(|| ServiceError::invalid("phone", "is no telephone number"))
    });
    let new = NewUser {
        email: convert::email(&wish.email)?,
        username: wish.username,
        display_name: wish.display_name,
        phone: phone.transpose()?,
        locale: wish.locale.filter(|locale| !locale.is_empty()).unwrap_or_else(|| DEFAULT_LOCALE.to_owned()),
    };
    let origin = convert::origin(&context);
    Ok(Registration { tenant: context.tenant, new, password: wish.password, origin })
}

fn proof(context: RequestContext, request: pb::VerifyEmailRequest) -> Result<Proof, ServiceError> {
    match (request.token, request.email, request.code) {
        (Some(token), None, None) => Ok(Proof::Token(token)),
        (None, Some(email), Some(code)) => {
            Ok(Proof::Code { tenant: context.tenant, email: convert::email(&email)?, code })
        }
        _ => Err(ServiceError::invalid("token", "give either token, or email and code")),
    }
}
