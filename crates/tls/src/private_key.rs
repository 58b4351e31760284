//! A private key out of PEM text.

use pkcs8::{EncryptedPrivateKeyInfoRef, Error, SecretDocument, pkcs5};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

const BEGIN: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
const END: &str = "-----END ENCRYPTED PRIVATE KEY-----";
/// What marks a key that is encrypted as RFC 1421 has it, with one round of MD5.
const LEGACY: &str = "Proc-Type: 4,ENCRYPTED";
const CONVERT: &str = "convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD.pem -out NEW.pem";

/// Why a private key cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is encrypted, and no passphrase was given.
    #[error("the key is encrypted; decrypt it: openssl pkey -in OLD.pem -out NEW.pem")]
    Encrypted,
    /// It is encrypted with another passphrase.
    #[error("the passphrase does not open the key")]
    Passphrase,
    /// Anything else, with what to do about it.
    #[error("{0}")]
    Other(String),
}

/// The first private key of a PEM file: PKCS#8, encrypted PKCS#8, PKCS#1 or SEC1.
pub(crate) fn private_key(
    pem: &[u8],
    passphrase: Option<&str>,
) -> Result<PrivateKeyDer<'static>, KeyError> {
    let text = String::from_utf8_lossy(pem);
    if text.contains(LEGACY) {
        let legacy = "the key is encrypted in the legacy way of PEM, which is weak";
        return Err(KeyError::Other(format!("{legacy}; {CONVERT}")));
    }
    if let Some((_, encrypted)) = text.split_once(BEGIN) {
        return decrypted(encrypted, passphrase);
    }
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| {
        KeyError::Other(match error {
            pem::Error::NoItemsFound => "holds no private key in PEM form".to_owned(),
            error => format!("the private key cannot be read: {error}"),
        })
    })
}

/// `encrypted` is what comes behind the line that begins the key.
fn decrypted(
    encrypted: &str,
    passphrase: Option<&str>,
) -> Result<PrivateKeyDer<'static>, KeyError> {
    let broken = |error: &dyn std::fmt::Display| {
        KeyError::Other(format!("the encrypted key is broken: {error}"))
    };
    let (body, _) = encrypted.split_once(END).ok_or_else(|| broken(&"it does not end"))?;
    let section = format!("{BEGIN}{body}{END}\n");
    let (_, der) = SecretDocument::from_pem(&section).map_err(|error| broken(&error))?;
    let info = EncryptedPrivateKeyInfoRef::try_from(der.as_bytes()).map_err(unsupported)?;
    let passphrase = passphrase.ok_or(KeyError::Encrypted)?;
    let key = info.decrypt(passphrase).map_err(|error| match error {
        // A wrong passphrase shows in the padding, or in what comes out.
        Error::EncryptedPrivateKey(pkcs5::Error::DecryptFailed) | Error::Asn1(_) => {
            KeyError::Passphrase
        }
        error => unsupported(error),
    })?;
    Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into())
}

/// Only PBES2 is supported, without what is weak.
fn unsupported(error: Error) -> KeyError {
    let unsupported = "the key is encrypted in a way that is not supported";
    KeyError::Other(format!("{unsupported} ({error}); {CONVERT}"))
}

#[cfg(test)]
mod tests {
    use pkcs8::PrivateKeyInfoRef;
    use pkcs8::der::pem::LineEnding;
    use pkcs8::pkcs5::pbes2;
    use proptest::prelude::*;

    use super::*;

    fn pkcs8() -> Vec<u8> {
        rcgen::KeyPair::generate().unwrap().serialize_der()
    }

    fn pem(label: &'static str, der: &[u8]) -> String {
        let document = SecretDocument::try_from(der).unwrap();
        document.to_pem(label, LineEnding::LF).unwrap().to_string()
    }

    fn encrypted(der: &[u8], passphrase: &str) -> String {
        let params =
            pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(1000, &[7; 16], [9; 16]).unwrap();
        let info = PrivateKeyInfoRef::try_from(der).unwrap();
        let document = info.encrypt_with_params(params, passphrase).unwrap();
        document.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).unwrap().to_string()
    }

    #[test]
    fn every_plain_form() {
        let der = pkcs8();
        let key = private_key(pem("PRIVATE KEY", &der).as_bytes(), None).unwrap();
        assert_eq!(key.secret_der(), der);
        // As `openssl ecparam -genkey` writes it.
        let sec1 = PrivateKeyInfoRef::try_from(&*der).unwrap().private_key.as_bytes();
        let text = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
            .to_owned()
            + &pem("EC PRIVATE KEY", sec1);
        let key = private_key(text.as_bytes(), None).unwrap();
        assert!(matches!(&key, PrivateKeyDer::Sec1(key) if key.secret_sec1_der() == sec1));
        let key = private_key(pem("RSA PRIVATE KEY", &[0x30, 0]).as_bytes(), None).unwrap();
        assert!(matches!(key, PrivateKeyDer::Pkcs1(_)));
    }

    #[test]
    fn an_encrypted_key_needs_its_passphrase() {
        let der = pkcs8();
        let text = format!("a comment\n{}and more\n", encrypted(&der, "s3cret"));
        let read = |passphrase| private_key(text.as_bytes(), passphrase);
        assert_eq!(read(Some("s3cret")).unwrap().secret_der(), der);
        assert_eq!(read(None).unwrap_err(), KeyError::Encrypted);
        assert_eq!(read(Some("other")).unwrap_err(), KeyError::Passphrase);
        let windows = text.replace('\n', "\r\n");
        assert_eq!(private_key(windows.as_bytes(), Some("s3cret")).unwrap().secret_der(), der);
    }

    #[test]
    fn what_is_refused_says_what_to_do() {
        let legacy = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
             DEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        let refused = |pem: &[u8]| private_key(pem, Some("x")).map(drop).unwrap_err().to_string();
        let error = refused(legacy.as_bytes());
        assert!(error.contains("openssl pkcs8 -topk8"), "{error}");
        // AES-256-CBC becomes an algorithm that does not exist.
        let (_, der) = SecretDocument::from_pem(&encrypted(&pkcs8(), "x")).unwrap();
        let mut der = der.as_bytes().to_vec();
        let aes = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 0x2a];
        let at = der.windows(aes.len()).position(|oid| oid == aes).unwrap();
        der[at + aes.len() - 1] = 0x7f;
        let error = refused(pem("ENCRYPTED PRIVATE KEY", &der).as_bytes());
        assert!(error.contains("not supported") && error.contains("openssl pkcs8"), "{error}");
        assert_eq!(refused(b""), "holds no private key in PEM form");
        let cut = encrypted(&pkcs8(), "x");
        let error = refused(&cut.as_bytes()[..100]);
        assert_eq!(error, "the encrypted key is broken: it does not end");
    }

    proptest! {
        #[test]
        fn noise_is_refused(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(private_key(&noise, Some("x")).is_err());
            let section = [BEGIN.as_bytes(), b"\n", &noise, b"\n", END.as_bytes(), b"\n"].concat();
            prop_assert!(private_key(&section, Some("x")).is_err());
        }
    }
}
