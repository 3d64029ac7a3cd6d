//! TLS at the listener, for a server without a proxy in front.

use std::{fmt, io, path::Path, sync::Arc};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
    server::TlsStream,
};

/// A certificate and its key, ready to be shown to clients. TLS 1.2 and 1.3, HTTP/1.1.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

/// Why TLS cannot be spoken with these files. The message names neither: the setting it came from does.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or is no PEM.
    #[error("cannot read the PEM file")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// There is no certificate in the file.
    #[error("there is no certificate in the file")]
    NoCertificate,
    /// The certificate and the key do not fit together.
    #[error("the certificate and key cannot be used")]
    Unusable(#[from] rustls::Error),
}

impl Tls {
    /// Reads a certificate chain (the server's first) and its private key from PEM files.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_file_iter(certificate)?.collect::<Result<Vec<_>, _>>()?;
        if chain.is_empty() {
            return Err(TlsError::NoCertificate);
        }
        // Named, because the default cannot choose when another crate brings a second provider along.
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Shakes hands.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.0.accept(stream).await
    }
}

/// Says only that there is a certificate: the key is in there, too.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}
