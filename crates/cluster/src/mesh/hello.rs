//! The hello: one UDP datagram that says who is where. It only finds nodes; everything that is
//! told between them goes over TCP.
//!
//! ```text
//!  bytes  4      1        1      16     8            2         1         ..    32
//!         magic  version  flags  realm  incarnation  TCP port  name_len  name  proof
//! ```
//!
//! Numbers are big endian. The proof is the last 32 bytes, and a newer version may put more
//! between it and the name, which is signed and skipped.

use bytes::{Buf, BufMut};
use sha2::{Digest, Sha256};

use super::secret::{ClusterSecret, PROOF, Purpose};
use crate::Incarnation;

const MAGIC: &[u8] = b"dnlh";
const VERSION: u8 = 1;
/// The sender wants to be answered.
const ASKS: u8 = 1;
/// The longest name in bytes; a longer one is cut.
pub(super) const MAX_NAME: usize = 255;
/// The longest hello that is read, in bytes: with room for newer versions, and still one packet on
/// any network.
pub(super) const MAX_HELLO: usize = 1200;

/// Which cluster a node belongs to: nodes of different realms never hear each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Realm(pub(super) [u8; 16]);

impl Realm {
    /// The realm of nodes that have exactly these options.
    pub(super) fn new(host: &str, port: u16, prefix: &str) -> Self {
        let mut hash = Sha256::new();
        // The lengths keep ("ab", "c") and ("a", "bc") apart.
        hash.update((host.len() as u64).to_be_bytes());
        hash.update(host);
        hash.update(port.to_be_bytes());
        hash.update(prefix);
        let mut realm = [0; 16];
        realm.copy_from_slice(&hash.finalize()[..16]);
        Realm(realm)
    }
}

/// A name as it goes over the wire: at most [`MAX_NAME`] bytes.
pub(super) fn cut(name: &str) -> &str {
    &name[..name.floor_char_boundary(MAX_NAME)]
}

/// What a node tells those that do not know it yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hello {
    /// Which run of which node says it.
    pub(super) incarnation: Incarnation,
    /// What operators call the node.
    pub(super) name: String,
    /// Where it accepts TCP connections, at the address that the datagram came from.
    pub(super) port: u16,
    /// Whether it wants to be answered at once.
    pub(super) asks: bool,
}

/// Why a datagram is no hello for us.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HelloError {
    /// Something else that was sent to our port, or a torso.
    #[error("not a hello")]
    Foreign,
    /// From a node of another cluster.
    #[error("hello of another cluster")]
    WrongRealm,
    /// From a node of this cluster with another secret, or from somebody who has read its hello.
    #[error("hello of {name:?} is not signed with this cluster's secret")]
    WrongSecret {
        /// What the sender calls itself; anybody can claim any name.
        name: String,
    },
}

impl Hello {
    /// The whole datagram.
    pub(super) fn encode(&self, realm: Realm, secret: &ClusterSecret) -> Vec<u8> {
        let name = cut(&self.name);
        let mut out = Vec::with_capacity(64 + name.len() + PROOF);
        out.put_slice(MAGIC);
        out.put_u8(VERSION);
        out.put_u8(if self.asks { ASKS } else { 0 });
        out.put_slice(&realm.0);
        out.put_u64(self.incarnation.0);
        out.put_u16(self.port);
        out.put_u8(name.len() as u8); // at most MAX_NAME
        out.put_slice(name.as_bytes());
        let proof = secret.prove(Purpose::Hello, &[&out]);
        out.put_slice(&proof);
        out
    }

    /// Reads a datagram.
    ///
    /// # Errors
    /// It is no hello, or not one of this cluster, see [`HelloError`].
    pub(super) fn decode(
        wire: &[u8],
        realm: Realm,
        secret: &ClusterSecret,
    ) -> Result<Self, HelloError> {
        let Some((signed, proof)) = wire.split_last_chunk::<PROOF>() else {
            return Err(HelloError::Foreign);
        };
        let (theirs, hello) = Self::parse(signed).ok_or(HelloError::Foreign)?;
        if theirs != realm {
            return Err(HelloError::WrongRealm);
        }
        if !secret.verify(Purpose::Hello, &[signed], proof) {
            return Err(HelloError::WrongSecret { name: hello.name });
        }
        Ok(hello)
    }

    fn parse(wire: &[u8]) -> Option<(Realm, Hello)> {
        let mut wire = wire.strip_prefix(MAGIC)?;
        if wire.try_get_u8().ok()? < VERSION {
            return None;
        }
        let flags = wire.try_get_u8().ok()?;
        let (realm, mut wire) = wire.split_first_chunk()?;
        let incarnation = wire.try_get_u64().ok().filter(|number| *number > 0)?;
        let port = wire.try_get_u16().ok().filter(|port| *port > 0)?;
        let name_len = wire.try_get_u8().ok()?;
        let name = std::str::from_utf8(wire.get(..usize::from(name_len))?).ok()?;
        let hello = Hello {
            incarnation: Incarnation(incarnation),
            name: name.to_owned(),
            port,
            asks: flags & ASKS != 0,
        };
        Some((Realm(*realm), hello))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn realm() -> Realm {
        Realm::new("0.0.0.0", 11002, "")
    }

    fn hello() -> Hello {
        Hello { incarnation: Incarnation(7), name: "seven".into(), port: 11002, asks: true }
    }

    #[test]
    fn realms_differ_in_each_option() {
        let others = [
            Realm::new("127.0.0.1", 11002, ""),
            Realm::new("0.0.0.0", 11003, ""),
            Realm::new("0.0.0.0", 11002, "x"),
            Realm::new("0.0.0", 11002, ".0"),
        ];
        assert!(others.iter().all(|other| *other != realm()));
        assert_eq!(realm(), Realm::new("0.0.0.0", 11002, ""));
    }

    #[test]
    fn another_realm_is_told_from_another_secret() {
        let wire = hello().encode(realm(), &ClusterSecret::new(b"right"));
        let other = Realm::new("0.0.0.0", 11002, "x");
        let decode = |realm, secret| Hello::decode(&wire, realm, &ClusterSecret::new(secret));
        assert_eq!(decode(realm(), b"right"), Ok(hello()));
        assert_eq!(decode(other, b"wrong"), Err(HelloError::WrongRealm));
        let refused = Err(HelloError::WrongSecret { name: "seven".into() });
        assert_eq!(decode(realm(), b"wrong"), refused);
        assert_eq!(decode(realm(), b""), refused);
    }

    #[test]
    fn a_newer_version_may_say_more() {
        let secret = ClusterSecret::new(b"secret");
        let mut wire = hello().encode(realm(), &secret);
        wire.truncate(wire.len() - PROOF);
        wire[4] = 9;
        wire[5] |= 0x80;
        wire.extend(b"more");
        let proof = secret.prove(Purpose::Hello, &[&wire]);
        wire.extend(proof);
        assert_eq!(Hello::decode(&wire, realm(), &secret), Ok(hello()));
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        let secret = ClusterSecret::new(b"");
        let wire = Hello { name: "ü".repeat(200), ..hello() }.encode(realm(), &secret);
        assert!(wire.len() <= MAX_HELLO);
        let name = Hello::decode(&wire, realm(), &secret).unwrap().name;
        assert_eq!(name, "ü".repeat(127));
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes(
            incarnation in 1u64.., name in ".{0,60}", port in 1u16.., asks: bool,
            key: Vec<u8>, prefix in ".{0,8}",
        ) {
            let (realm, secret) = (Realm::new("h", 1, &prefix), ClusterSecret::new(&key));
            let hello = Hello { incarnation: Incarnation(incarnation), name, port, asks };
            let wire = hello.encode(realm, &secret);
            prop_assert_eq!(Hello::decode(&wire, realm, &secret), Ok(hello));
        }

        #[test]
        fn any_change_is_refused(at: prop::sample::Index, change in 1u8.., keep: prop::sample::Index) {
            let secret = ClusterSecret::new(b"secret");
            let wire = hello().encode(realm(), &secret);
            let mut changed = wire.clone();
            changed[at.index(wire.len())] ^= change;
            prop_assert!(Hello::decode(&changed, realm(), &secret).is_err());
            let torso = &wire[..keep.index(wire.len())];
            prop_assert!(Hello::decode(torso, realm(), &secret).is_err());
        }

        #[test]
        fn noise_is_no_hello(mut wire: Vec<u8>, magic: bool) {
            if magic {
                wire.splice(0..0, MAGIC.iter().copied());
            }
            prop_assert!(Hello::decode(&wire, realm(), &ClusterSecret::new(b"secret")).is_err());
        }
    }
}
