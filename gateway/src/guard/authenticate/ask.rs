//! Asks auth about a token: once at a time, and shared only by those who were waiting before the
//! question went out. Whoever comes later may come after a revocation and gets a question of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proto::auth::access_service_client::AccessServiceClient;
use proto::auth::{AuthenticateRequest, AuthenticateResponse};
use proto::{ErrorCode, ServiceError, metadata};
use tokio::sync::Mutex;
use tonic::metadata::MetadataMap;

use super::Caller;
use crate::guard::facts::Facts;

const DEADLINE: Duration = Duration::from_secs(2);
/// Two questions: the one under way, and one's own.
const WAIT_MAX: Duration = Duration::from_secs(4);

/// `AccessService`, through the mesh.
pub(super) struct AccessClient(AccessServiceClient<mesh::Channel>);

impl AccessClient {
    pub(super) fn new(channel: mesh::Channel) -> Self {
        Self(AccessServiceClient::new(channel))
    }

    pub(super) async fn authenticate(
        &self,
        token: &str,
        facts: &Facts,
    ) -> Result<AuthenticateResponse, ServiceError> {
        let mut request = tonic::Request::new(AuthenticateRequest { access_token: token.to_owned() });
        let mut head = facts.metadata(None);
        // The token fixes the tenant, whatever is wished for beside it.
        head.remove(metadata::TENANT);
        *request.metadata_mut() = MetadataMap::from_headers(head);
        request.set_timeout(DEADLINE);
        let answer = self.0.clone().authenticate(request).await;
        answer.map(tonic::Response::into_inner).map_err(|status| refusal(ServiceError::from_status(&status)))
    }
}

/// Auth's own refusals go out as they are. Whatever else went wrong, nobody could tell who calls.
fn refusal(error: ServiceError) -> ServiceError {
    match error.code().http_status() {
        401 | 403 => error,
        _ => ServiceError::unavailable(error),
    }
}

/// The question about one token.
#[derive(Default)]
pub(super) struct Question {
    moments: AtomicU64,
    last: Mutex<Last>,
}

/// The last answer, and when its question went out.
#[derive(Default)]
struct Last {
    asked: u64,
    answer: Option<Result<Arc<Caller>, ErrorCode>>,
}

impl Question {
    /// The answer to a question that goes out after this call.
    pub(super) async fn ask(
        &self,
        ask: impl AsyncFnOnce() -> Result<Arc<Caller>, ServiceError>,
    ) -> Result<Arc<Caller>, ServiceError> {
        let came = self.moments.fetch_add(1, Ordering::SeqCst) + 1;
        let answered = async {
            let mut last = self.last.lock().await;
            if let Some(answer) = last.answer.as_ref().filter(|_| last.asked > came) {
                return answer.clone().map_err(again);
            }
            last.asked = self.moments.fetch_add(1, Ordering::SeqCst) + 1;
            // Should this caller go away midway, what is remembered is no answer.
            last.answer = None;
            let answer = ask().await;
            last.answer = Some(answer.as_ref().map(Arc::clone).map_err(ServiceError::code));
            answer
        };
        let waited = tokio::time::timeout(WAIT_MAX, answered).await;
        waited.unwrap_or_else(|_| Err(ServiceError::unavailable("auth did not answer in time")))
    }
}

fn again(code: ErrorCode) -> ServiceError {
    match code {
        ErrorCode::ServiceUnavailable => {
            ServiceError::unavailable("auth could not tell, as another request found")
        }
        code => code.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use http::HeaderValue;
    use tokio::sync::Notify;

    use super::*;

    fn caller(name: usize) -> Arc<Caller> {
        Arc::new(Caller {
            user_id: name.to_string(),
            tenant_id: String::new(),
            tenant_slug: String::new(),
            grants: Vec::new(),
            passport: HeaderValue::from_static("p"),
        })
    }

    #[tokio::test]
    async fn those_who_wait_share_the_next_question_and_never_the_one_under_way() {
        let (question, asked, release) = (Question::default(), AtomicUsize::new(0), Notify::new());
        let ask = async || {
            let number = asked.fetch_add(1, Ordering::SeqCst);
            if number == 0 {
                release.notified().await;
            }
            Ok(caller(number))
        };
        let first = question.ask(ask);
        let late = async {
            // The first question is out by now: `join!` polls in order.
            let waiting = futures_join(question.ask(ask), question.ask(ask));
            release.notify_one();
            waiting.await
        };
        let (first, (second, third)) = tokio::join!(first, late);
        assert_eq!(first.unwrap().user_id, "0");
        assert_eq!(second.unwrap().user_id, "1");
        assert_eq!(third.unwrap().user_id, "1");
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    async fn futures_join<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
        tokio::join!(a, b)
    }
}
