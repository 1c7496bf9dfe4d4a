//! A small JSON client for the edge: one request, one answer, nothing followed, retried or judged.

use std::borrow::Borrow;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Longer than the edge may take with any of its dependencies away.
const PATIENCE: Duration = Duration::from_secs(15);

/// Speaks plain HTTP to one address and keeps its connections.
#[derive(Clone)]
pub struct Client {
    base: String,
    pool: hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>,
}

impl Client {
    /// A client for a base address such as `http://127.0.0.1:8080`.
    pub fn new(base: impl Into<String>) -> Client {
        let base = base.into().trim_end_matches('/').to_owned();
        Client { base, pool: hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http() }
    }

    /// `GET` of a path, with its query.
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// `POST` to a path.
    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    /// `PUT` to a path.
    pub fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path)
    }

    /// `PATCH` of a path.
    pub fn patch(&self, path: &str) -> Call {
        self.call(Method::PATCH, path)
    }

    /// `DELETE` of a path.
    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// Any method, for those that the edge should refuse.
    pub fn call(&self, method: Method, path: &str) -> Call {
        let mut request = Request::new(Full::default());
        *request.method_mut() = method;
        *request.uri_mut() =
            format!("{}{path}", self.base).parse().unwrap_or_else(|_| panic!("`{path}` is no path"));
        Call { client: self.clone(), request }
    }
}

/// A request on its way to being sent.
#[must_use = "a call does nothing until it is sent"]
pub struct Call {
    client: Client,
    request: Request<Full<Bytes>>,
}

impl Call {
    /// The body, as JSON.
    pub fn json(self, body: impl Borrow<Value>) -> Call {
        self.body("application/json", body.borrow().to_string())
    }

    /// Any body, for those that the edge should refuse.
    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Call {
        *self.request.body_mut() = Full::new(body.into());
        self.header(header::CONTENT_TYPE.as_str(), content_type)
    }

    /// The access token.
    pub fn bearer(self, token: &str) -> Call {
        self.header(header::AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    /// One more header; a name given twice goes out twice.
    pub fn header(mut self, name: &str, value: &str) -> Call {
        let name: header::HeaderName = name.parse().unwrap_or_else(|_| panic!("`{name}` is no header"));
        let value = HeaderValue::from_str(value).unwrap_or_else(|_| panic!("no header value: `{value}`"));
        self.request.headers_mut().append(name, value);
        self
    }

    /// Sends the request; no answer fails the test.
    pub async fn send(self) -> Reply {
        let what = format!("{} {}", self.request.method(), self.request.uri());
        self.try_send().await.unwrap_or_else(|reason| panic!("{what}: {reason}"))
    }

    /// Sends the request; no answer within 15 s, or a broken connection, is the reason given.
    pub async fn try_send(self) -> Result<Reply, String> {
        let exchange = async {
            let response =
                self.client.pool.request(self.request).await.map_err(|error| format!("{error:?}"))?;
            let (head, body) = response.into_parts();
            let bytes = body.collect().await.map_err(|error| format!("{error:?}"))?.to_bytes();
            let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
            Ok(Reply { status: head.status.as_u16(), headers: head.headers, body, bytes })
        };
        tokio::time::timeout(PATIENCE, exchange).await.unwrap_or_else(|_| Err("no answer in time".into()))
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body read as JSON; null where it is none.
    pub body: Value,
    /// The body as it came.
    pub bytes: Bytes,
}

impl Reply {
    /// The first header of this name, empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The error code of the envelope; null where it is none.
    pub fn code(&self) -> &Value {
        &self.body["error"]["code"]
    }

    /// The answer, once its status is `status`; another status fails the test and shows what came.
    #[must_use = "the answer is there to be looked at; `assert_eq!(reply.status, ..)` looks at the status alone"]
    pub fn expect(self, status: u16) -> Reply {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::task::Task;

    #[tokio::test]
    async fn a_call_carries_its_json_and_token_and_reads_the_envelope_back() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::new(format!("http://{}/", listener.local_addr().unwrap()));
        let (hear, request) = tokio::sync::oneshot::channel();
        let _server = Task::start(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut received = String::new();
            while !received.ends_with('}') {
                let mut chunk = [0; 1024];
                let read = stream.read(&mut chunk).await.unwrap();
                received.push_str(std::str::from_utf8(&chunk[..read]).unwrap());
            }
            let body = r#"{"error":{"code":"CONFLICT"}}"#;
            let answer = format!("HTTP/1.1 409 Conflict\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
            hear.send(received).unwrap();
        });

        let call = client.post("/auth/login").bearer("abc").json(serde_json::json!({"email": "a@b.c"}));
        let reply = call.send().await.expect(409);

        assert_eq!(reply.code(), "CONFLICT");
        let request = request.await.unwrap();
        assert!(request.starts_with("POST /auth/login HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("authorization: Bearer abc\r\n"), "{request}");
        assert!(request.ends_with(r#"{"email":"a@b.c"}"#), "{request}");
    }
}
