//! JSON to protobuf and back, by descriptor: requests are bound to messages, answers are printed from
//! their wire bytes, errors become the envelope. Who may call is not judged here.

pub mod envelope;
pub mod json;
pub mod printer;
pub mod request;
pub mod text;
pub mod words;
