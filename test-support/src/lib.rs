//! What tests of several packages share: a server that answers as a test says, and a page to check.

pub mod pages;
pub mod proxies;
pub mod raw_server;
pub mod tls_relay;
