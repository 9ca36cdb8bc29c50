//! TLS to the Collector, by rustls with a provider that is named here: none is taken from the process, where two would
//! make rustls panic.
//!
//! Authorities are the system's, unless a file is given: an operator's own ones are there, and so are those of the public.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// Whom we trust, and who we are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Material {
    authorities: Option<Authorities>,
    identity: Option<Identity>,
}

/// The authorities in a file.
#[derive(Clone, Debug)]
struct Authorities {
    file: PathBuf,
    store: Arc<RootCertStore>,
}

/// Our own certificate, those between it and its authority, and the key to it.
#[derive(Debug)]
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

impl Material {
    /// Trusts the authorities in this file.
    ///
    /// # Errors
    /// Says what is wrong with the file, as it follows `NAME="file" is …`.
    pub(crate) fn trust(&mut self, file: &Path) -> Result<(), String> {
        let mut store = RootCertStore::empty();
        for certificate in certificates(file)? {
            store
                .add(certificate)
                .map_err(|error| format!("a file with an unusable certificate: {error}"))?;
        }
        self.authorities = Some(Authorities { file: file.to_owned(), store: Arc::new(store) });
        Ok(())
    }

    /// Shows this certificate.
    ///
    /// # Errors
    /// As [`trust`](Self::trust), and where certificate and key don't belong together.
    pub(crate) fn identify(&mut self, certificate: &Path, key: &Path) -> Result<(), String> {
        let chain = certificates(certificate)?;
        let key_der = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| format!("not to be used with the key in {}: {error}", key.display()))?;
        let pair = rustls::sign::CertifiedKey::from_der(chain.clone(), key_der.clone_key(), &provider());
        pair.map_err(|error| format!("not to be used with the key in {}: {error}", key.display()))?;
        self.identity = Some(Identity { chain, key: key_der });
        Ok(())
    }

    /// Whom we trust, for messages.
    pub(crate) fn trusted(&self) -> String {
        self.authorities.as_ref().map_or_else(
            || "the authorities of this system".to_owned(),
            |authorities| format!("the authorities in {}", authorities.file.display()),
        )
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err("a file without a PEM certificate".to_owned()),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(format!("not readable as PEM certificates: {error}")),
    }
}

/// How to speak TLS. The system's authorities are read only where they are `needed`.
///
/// # Errors
/// Where there are no authorities at all, and so nobody could be trusted.
pub(crate) fn client_config(material: &Material, needed: bool) -> Result<ClientConfig, String> {
    let roots = match &material.authorities {
        Some(authorities) => Arc::clone(&authorities.store),
        None if needed => Arc::new(system()?),
        None => Arc::new(RootCertStore::empty()),
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    match material.identity.clone() {
        None => Ok(builder.with_no_client_auth()),
        Some(Identity { chain, key }) => {
            builder.with_client_auth_cert(chain, key).map_err(|error| error.to_string())
        }
    }
}

fn system() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(found.certs);
    if store.is_empty() {
        let why: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
        return Err(format!(
            "this system has no authorities to trust; name a file of them (OTEL_EXPORTER_OTLP_CERTIFICATE) {}",
            why.join(", ")
        ));
    }
    Ok(store)
}

/// With both features on, aws-lc is taken, as rustls itself would.
#[cfg(feature = "tls-aws-lc")]
fn provider() -> CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

#[cfg(not(feature = "tls-aws-lc"))]
fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}
