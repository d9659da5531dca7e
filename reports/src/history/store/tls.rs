//! The way to a server that is encrypted, and whose other end is known to be the server.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::StoreError;

/// What joins the client of the server to TLS. `roots` is the file of certificates that vouch for the server; those that the
/// system trusts when absent.
pub(super) fn checked(roots: Option<&Path>) -> Result<MakeRustlsConnect, StoreError> {
    let mut trusted = RootCertStore::empty();
    match roots {
        Some(path) => {
            let unreadable = |error: String| {
                StoreError::Target(format!(
                    "failed to read certificates from sslrootcert {}: {error}",
                    path.display()
                ))
            };
            let certificates = CertificateDer::pem_file_iter(path).map_err(|e| unreadable(e.to_string()))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|e| unreadable(e.to_string()))?;
                trusted.add(certificate).map_err(|e| unreadable(e.to_string()))?;
            }
        }
        None => {
            trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if trusted.is_empty() {
        return Err(StoreError::Target(
            "there is no certificate to check the history's server by: name a file of them in the URL, as ?sslrootcert=FILE".to_owned(),
        ));
    }
    let provider = rustls::crypto::ring::default_provider();
    let builder = ClientConfig::builder_with_provider(provider.into()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| StoreError::Target(format!("TLS cannot be used: {error}")))?;
    Ok(MakeRustlsConnect::new(builder.with_root_certificates(trusted).with_no_client_auth()))
}
