//! What is trusted, and who has issued what is not.
//!
//! The verifier of the platform says that it does not know an issuer, and not which one. So it is wrapped here in one that
//! adds the name, and decides nothing.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, OtherError, SignatureScheme};
use rustls_platform_verifier::Verifier;

use crate::connect_cause::{CertificateProblem, ConnectProblem};
use crate::error::Error;
use crate::issuer;

/// What connections are encrypted with: the system's authorities are trusted, or those that `SSL_CERT_FILE` and
/// `SSL_CERT_DIR` name.
///
/// # Errors
/// When there are none.
pub(crate) fn config() -> Result<ClientConfig, Error> {
    check_certificate_file()?;
    let provider = CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()));
    let unusable = |error: rustls::Error| {
        let named = if std::env::var_os("SSL_CERT_DIR").is_some() {
            "; SSL_CERT_DIR names where they are looked for"
        } else {
            ""
        };
        Error::refused_here(format!("no certificate authority can be loaded: {error}{named}"))
    };
    let verifier = Verifier::new(Arc::clone(&provider)).map_err(unusable)?;
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(unusable)?;
    let verifier = Arc::new(NamingVerifier(verifier));
    let mut config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Where certificates come from files, one that is named has to be there.
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
fn check_certificate_file() -> Result<(), Error> {
    use std::path::Path;

    use rustls::pki_types::pem::PemObject;

    let Some(path) = std::env::var_os("SSL_CERT_FILE") else { return Ok(()) };
    let refuse = |problem: String| {
        let path = Path::new(&path).display();
        Err(Error::refused_here(format!("SSL_CERT_FILE names {path}, which {problem}")))
    };
    match std::fs::read(&path) {
        Err(error) => refuse(format!("can't be read: {error}")),
        Ok(content) if CertificateDer::pem_slice_iter(&content).any(|certificate| certificate.is_ok()) => Ok(()),
        Ok(_) => refuse("holds no certificate in the form of PEM".to_owned()),
    }
}

/// Elsewhere the system's own store is asked.
#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
fn check_certificate_file() -> Result<(), Error> {
    Ok(())
}

/// What was in the way of a TLS connection with a host, if this error is one of TLS.
pub(crate) fn problem(error: &(dyn StdError + 'static), host: &str) -> Option<ConnectProblem> {
    let error = error.downcast_ref::<rustls::Error>()?;
    let host = host.to_owned();
    let rustls::Error::InvalidCertificate(error) = error else {
        return Some(ConnectProblem::Tls { host, reason: error.to_string() });
    };
    let problem = match error {
        CertificateError::UnknownIssuer => CertificateProblem::UnknownIssuer { issuer: None },
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => CertificateProblem::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => CertificateProblem::NotYetValid,
        CertificateError::NotValidForName => CertificateProblem::OtherHost { names: Vec::new() },
        CertificateError::NotValidForNameContext { presented, .. } => {
            CertificateProblem::OtherHost { names: presented.iter().take(8).map(|name| presented_name(name)).collect() }
        }
        CertificateError::Other(OtherError(other)) if other.is::<UnknownIssuer>() => {
            let issuer = other.downcast_ref().and_then(|UnknownIssuer(name)| name.clone());
            CertificateProblem::UnknownIssuer { issuer }
        }
        // The words of the verifier itself, without the types round them.
        CertificateError::Other(OtherError(other)) => CertificateProblem::Other { reason: other.to_string() },
        other => CertificateProblem::Other { reason: other.to_string() },
    };
    Some(ConnectProblem::Certificate { host, problem })
}

/// A name of a certificate without the kind of name round it, as in `DnsName("gateway.example.com")`.
fn presented_name(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, name)| name.strip_suffix(')')).unwrap_or(name);
    inner.trim_matches('"').chars().take(253).collect()
}

/// The verifier of the platform, with the name of an issuer that it does not know.
#[derive(Debug)]
struct NamingVerifier(Verifier);

impl ServerCertVerifier for NamingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        verified.map_err(|error| match error {
            rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
                // The one at the end of the chain is who would have to be trusted.
                let last = intermediates.last().unwrap_or(end_entity);
                let named = UnknownIssuer(issuer::of(last));
                rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(named))))
            }
            other => other,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// A certificate's issuer whom nobody here knows, by its name if it can be read.
#[derive(Debug)]
struct UnknownIssuer(Option<String>);

impl fmt::Display for UnknownIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the issuer {} is not known", self.0.as_deref().unwrap_or("of the certificate"))
    }
}

impl StdError for UnknownIssuer {}
