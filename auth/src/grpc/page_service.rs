//! `PageService`.

use mesh::RequestContext;
use proto::auth::page_service_server::PageService;
use proto::{ErrorCode, auth as pb};

use super::{Answer, Request, Rpc, answer, convert};
use crate::flows::{self, Proof};
use crate::pages::{Page, render};

#[tonic::async_trait]
impl PageService for Rpc {
    async fn show_verify_email(
        &self,
        request: Request<pb::ShowVerifyEmailRequest>,
    ) -> Answer<pb::ShowVerifyEmailResponse> {
        let language = RequestContext::of(&request).language;
        let token = request.into_inner().token;
        let page = render(Page::VerifyEmail { token: &token }, language.as_deref());
        answer(page.map(|page| pb::ShowVerifyEmailResponse { page: Some(page) }))
    }

    async fn submit_verify_email(
        &self,
        request: Request<pb::SubmitVerifyEmailRequest>,
    ) -> Answer<pb::SubmitVerifyEmailResponse> {
        let context = RequestContext::of(&request);
        let proof = Proof::Token(request.into_inner().token);
        let page = match flows::verify_email(&self.0, proof, &convert::origin(&context)).await {
            Ok(()) => Page::EmailVerified,
            Err(error) => Page::Failed { code: error.code() },
        };
        let page = render(page, context.language.as_deref());
        answer(page.map(|page| pb::SubmitVerifyEmailResponse { page: Some(page) }))
    }

    async fn show_reset_password(
        &self,
        request: Request<pb::ShowResetPasswordRequest>,
    ) -> Answer<pb::ShowResetPasswordResponse> {
        let language = RequestContext::of(&request).language;
        let token = request.into_inner().token;
        let page = render(Page::ResetPassword { token: &token, complaint: None }, language.as_deref());
        answer(page.map(|page| pb::ShowResetPasswordResponse { page: Some(page) }))
    }

    async fn submit_reset_password(
        &self,
        request: Request<pb::SubmitResetPasswordRequest>,
    ) -> Answer<pb::SubmitResetPasswordResponse> {
        let context = RequestContext::of(&request);
        let pb::SubmitResetPasswordRequest { token, new_password } = request.into_inner();
        let reset = flows::reset_password(&self.0, &token, &new_password, &convert::origin(&context)).await;
        let page = match &reset {
            Ok(()) => Page::PasswordReset,
            // The link is still open: the same form, with what is wrong.
            Err(error) if error.code() == ErrorCode::ValidationError => {
                let complaint = error.violations().first().map(|violation| violation.message.as_str());
                Page::ResetPassword { token: &token, complaint }
            }
            Err(error) => Page::Failed { code: error.code() },
        };
        let page = render(page, context.language.as_deref());
        answer(page.map(|page| pb::SubmitResetPasswordResponse { page: Some(page) }))
    }
}
