//! The handshake: how two ends of a new connection learn who the other one is, and that it knows
//! the secret. It works over anything that can be read and written.
//!
//! ```text
//!   dialler                      acceptor
//!      | greeting  --->  <---  greeting |     at once, both ways
//!      | proof  --------------------->  |     HMAC(secret, dialler,  both greetings)
//!      | <---------------------  proof  |     HMAC(secret, acceptor, both greetings)
//! ```
//!
//! A greeting holds 32 fresh random bytes, so no proof was ever made before, and a proof says for
//! which end it is, so it cannot be reflected. Whoever dials proves first: a stranger who connects
//! to us gets nothing that depends on the secret. An acceptor that refuses answers with a proof of
//! zeros, so that the dialler's log too says what is wrong.
//!
//! The proofs authenticate the two ends, not what is sent afterwards: against somebody who can
//! change what passes between two nodes, use TLS.
//!
//! ```text
//!  bytes  4      1        2       16     8            8        2         1        32     1         ..    4
//!         magic  version  length  realm  incarnation  attempt  TCP port  packets  nonce  name_len  name  agreement
//! ```
//!
//! `length` counts what follows it, `packets` is the highest packet version spoken. Whoever ends
//! with the name has agreement 0. A newer version may append more, which is skipped (and signed).

use std::io;
use std::time::Duration;

use bytes::{Buf, BufMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::hello::{Realm, cut};
use super::secret::{ClusterSecret, PROOF, Purpose};
use crate::{Disagreement, Incarnation, PeerInfo, agreement};

const MAGIC: [u8; 4] = *b"dnlt";
const VERSION: u8 = 1;
const NONCE: usize = 32;
/// Magic, version and length.
const HEAD: usize = 7;
/// The longest greeting that is read, in bytes after its head; with room for newer versions.
const MAX_GREETING: usize = 1024;
/// How long a handshake may take.
pub(super) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// What this node says of itself.
pub(super) struct MeshIdentity {
    pub(super) incarnation: Incarnation,
    pub(super) name: String,
    /// Where it accepts connections.
    pub(super) port: u16,
    /// See [`Settings::agreement`](crate::Settings::agreement).
    pub(super) agreement: u32,
    pub(super) realm: Realm,
    pub(super) secret: ClusterSecret,
}

/// Which end of the connection we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// We have dialled. Our attempts are numbered, so that of two connections that we have dialled
    /// to one peer, both ends know the newer one.
    Dialler {
        /// The number of this attempt.
        attempt: u64,
    },
    /// We were dialled.
    Acceptor,
}

/// What is known of the other end after a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HandshakePeer {
    pub(super) info: PeerInfo,
    /// Where it accepts connections.
    pub(super) port: u16,
    /// The number of the dialler's attempt, whoever that was.
    pub(super) attempt: u64,
}

/// Why a handshake failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandshakeError {
    /// The connection broke, or the other end closed it.
    #[error("connection lost: {0}")]
    Io(#[from] io::Error),
    /// It took too long.
    #[error("no handshake within {HANDSHAKE_TIMEOUT:?}")]
    TimedOut,
    /// The other end speaks another protocol.
    #[error("the other end is no node of this kind")]
    Foreign,
    /// There is no version 0.
    #[error("handshake version {0}, it must be at least {VERSION}")]
    Version(u8),
    /// A greeting that is too long to be one. Holds its length.
    #[error("greeting of {0} bytes, at most {MAX_GREETING} are allowed")]
    TooLong(usize),
    /// The other end belongs to another cluster.
    #[error("{name:?} differs in host, port or prefix of the cluster, all must be the same")]
    WrongRealm {
        /// What it calls itself.
        name: String,
    },
    /// The other end must not be a peer.
    #[error(transparent)]
    Disagreement(#[from] Disagreement),
    /// We have reached ourselves.
    #[error("the address is our own")]
    Myself,
    /// The other end has another secret, or none.
    #[error("{name:?} has another secret, it must be the same on all nodes")]
    WrongSecret {
        /// What it calls itself; anybody can claim any name.
        name: String,
    },
}

/// Finds out who is at the other end, and proves each end to the other.
///
/// # Errors
/// The connection is useless and is to be closed, see [`HandshakeError`].
pub(super) async fn shake<S>(
    stream: &mut S,
    me: &MeshIdentity,
    role: Role,
) -> Result<HandshakePeer, HandshakeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    timeout(HANDSHAKE_TIMEOUT, exchange(stream, me, role))
        .await
        .unwrap_or(Err(HandshakeError::TimedOut))
}

async fn exchange<S>(
    stream: &mut S,
    me: &MeshIdentity,
    role: Role,
) -> Result<HandshakePeer, HandshakeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let attempt = if let Role::Dialler { attempt } = role { attempt } else { 0 };
    let ours = greeting(me, attempt)?;
    stream.write_all(&ours).await?;
    stream.flush().await?;
    let theirs = read_greeting(stream).await?;
    let (realm, mut peer) = parse(&theirs[HEAD..]).ok_or(HandshakeError::Foreign)?;
    let name = || peer.info.name.clone();
    if realm != me.realm {
        return Err(HandshakeError::WrongRealm { name: name() });
    }
    if peer.info.incarnation == me.incarnation {
        return Err(HandshakeError::Myself);
    }
    // Nothing is proved to it, so that a node that cannot know of agreements does not link either.
    peer.info.agrees_with(me.agreement)?;
    match role {
        Role::Dialler { attempt } => {
            let greetings: [&[u8]; 2] = [&ours, &theirs];
            send(stream, me.secret.prove(Purpose::Dialler, &greetings)).await?;
            let proof = receive(stream).await?;
            if !me.secret.verify(Purpose::Acceptor, &greetings, &proof) {
                return Err(HandshakeError::WrongSecret { name: name() });
            }
            peer.attempt = attempt;
        }
        Role::Acceptor => {
            let greetings: [&[u8]; 2] = [&theirs, &ours];
            let proof = receive(stream).await?;
            if !me.secret.verify(Purpose::Dialler, &greetings, &proof) {
                send(stream, [0; PROOF]).await?;
                return Err(HandshakeError::WrongSecret { name: name() });
            }
            send(stream, me.secret.prove(Purpose::Acceptor, &greetings)).await?;
        }
    }
    Ok(peer)
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, proof: [u8; PROOF]) -> io::Result<()> {
    stream.write_all(&proof).await?;
    stream.flush().await
}

async fn receive<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<[u8; PROOF]> {
    let mut proof = [0; PROOF];
    stream.read_exact(&mut proof).await?;
    Ok(proof)
}

fn greeting(me: &MeshIdentity, attempt: u64) -> io::Result<Vec<u8>> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(io::Error::other)?;
    let name = cut(&me.name);
    let mut body = Vec::new();
    body.put_slice(&me.realm.0);
    body.put_u64(me.incarnation.0);
    body.put_u64(attempt);
    body.put_u16(me.port);
    body.put_u8(crate::link::VERSION);
    body.put_slice(&nonce);
    body.put_u8(name.len() as u8); // at most MAX_NAME
    body.put_slice(name.as_bytes());
    body.put_u32(me.agreement);

    let mut out = Vec::with_capacity(HEAD + body.len());
    out.put_slice(&MAGIC);
    out.put_u8(VERSION);
    out.put_u16(body.len() as u16); // some 330 at most
    out.put_slice(&body);
    Ok(out)
}

/// Reads a whole greeting, head included.
async fn read_greeting<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Vec<u8>, HandshakeError> {
    let mut head = [0; HEAD];
    stream.read_exact(&mut head).await?;
    let [magic @ .., version, high, low] = head;
    if magic != MAGIC {
        return Err(HandshakeError::Foreign);
    }
    if version < VERSION {
        return Err(HandshakeError::Version(version));
    }
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > MAX_GREETING {
        return Err(HandshakeError::TooLong(length));
    }
    let mut greeting = vec![0; HEAD + length];
    greeting[..HEAD].copy_from_slice(&head);
    stream.read_exact(&mut greeting[HEAD..]).await?;
    Ok(greeting)
}

fn parse(body: &[u8]) -> Option<(Realm, HandshakePeer)> {
    let (realm, mut body) = body.split_first_chunk()?;
    let incarnation = body.try_get_u64().ok().filter(|number| *number > 0)?;
    let attempt = body.try_get_u64().ok()?;
    let port = body.try_get_u16().ok().filter(|port| *port > 0)?;
    let version = body.try_get_u8().ok()?;
    let mut body = body.get(NONCE..)?;
    let name_len = body.try_get_u8().ok()?;
    let (name, rest) = body.split_at_checked(usize::from(name_len))?;
    let name = std::str::from_utf8(name).ok()?.to_owned();
    let agreement = agreement::decode(rest)?;
    let info = PeerInfo { incarnation: Incarnation(incarnation), name, version, agreement };
    Some((Realm(*realm), HandshakePeer { info, port, attempt }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::{DuplexStream, duplex};

    use super::*;

    fn identity(incarnation: u64, secret: &str) -> MeshIdentity {
        MeshIdentity {
            incarnation: Incarnation(incarnation),
            name: format!("n{incarnation}"),
            port: 1000 + incarnation as u16,
            agreement: 1,
            realm: Realm::new("0.0.0.0", 11002, ""),
            secret: ClusterSecret::new(secret.as_bytes()),
        }
    }

    const DIALLER: Role = Role::Dialler { attempt: 5 };

    type Outcome = Result<HandshakePeer, HandshakeError>;

    /// Lets two nodes meet; a side that fails closes its end.
    async fn meet(dialler: MeshIdentity, acceptor: MeshIdentity) -> (Outcome, Outcome) {
        let (mut near, mut far) = duplex(4096);
        let dial = async move { shake(&mut near, &dialler, DIALLER).await };
        let accept = async move { shake(&mut far, &acceptor, Role::Acceptor).await };
        tokio::join!(dial, accept)
    }

    fn wrong_secret(outcome: Outcome) -> String {
        match outcome {
            Err(HandshakeError::WrongSecret { name }) => name,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn the_same_secret_introduces_both() {
        for secret in ["secret", ""] {
            let (dialler, acceptor) = meet(identity(1, secret), identity(2, secret)).await;
            let (acceptor, dialler) = (dialler.unwrap(), acceptor.unwrap());
            assert_eq!((acceptor.info.name.as_str(), acceptor.port), ("n2", 1002));
            assert_eq!((dialler.info.incarnation, dialler.port), (Incarnation(1), 1001));
            assert_eq!((acceptor.attempt, dialler.attempt), (5, 5));
            assert_eq!(acceptor.info.version, crate::link::VERSION);
        }
    }

    #[tokio::test]
    async fn another_secret_is_refused_at_both_ends_by_name() {
        for (one, other) in [("right", "wrong"), ("right", ""), ("", "right")] {
            let (dialler, acceptor) = meet(identity(1, one), identity(2, other)).await;
            assert_eq!(wrong_secret(dialler), "n2");
            assert_eq!(wrong_secret(acceptor), "n1");
        }
    }

    #[tokio::test]
    async fn another_realm_is_refused_before_anything_is_proved() {
        let stranger = MeshIdentity { realm: Realm::new("h", 1, "x"), ..identity(2, "secret") };
        let (dialler, acceptor) = meet(identity(1, "secret"), stranger).await;
        assert!(matches!(dialler, Err(HandshakeError::WrongRealm { name }) if name == "n2"));
        assert!(matches!(acceptor, Err(HandshakeError::WrongRealm { name }) if name == "n1"));
    }

    fn disagreement(outcome: Outcome) -> Disagreement {
        match outcome {
            Err(HandshakeError::Disagreement(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn another_agreement_is_refused_at_both_ends() {
        let newer = MeshIdentity { agreement: 2, ..identity(2, "secret") };
        let (dialler, acceptor) = meet(identity(1, "secret"), newer).await;
        let (at_one, at_two) = (disagreement(dialler), disagreement(acceptor));
        assert_eq!(at_one, Disagreement { name: "n2".into(), theirs: 2, ours: 1 });
        assert_eq!(at_two, Disagreement { name: "n1".into(), theirs: 1, ours: 2 });
    }

    /// A node of a build before there were agreements ends its greeting with its name.
    #[tokio::test]
    async fn who_says_no_agreement_has_0_and_is_proved_nothing() {
        let mut wire = greeting(&identity(2, "secret"), 0).unwrap();
        let length = wire.len() - 4;
        wire.truncate(length);
        wire[5..HEAD].copy_from_slice(&((length - HEAD) as u16).to_be_bytes());
        let (mut near, mut far) = duplex(4096);
        let older = async move {
            far.write_all(&wire).await.unwrap();
            read_greeting(&mut far).await.unwrap();
            let mut rest = Vec::new();
            far.read_to_end(&mut rest).await.unwrap();
            rest
        };
        let me = identity(1, "secret");
        let dial = async move { shake(&mut near, &me, DIALLER).await };
        let (outcome, rest) = tokio::join!(dial, older);
        assert_eq!(disagreement(outcome), Disagreement { name: "n2".into(), theirs: 0, ours: 1 });
        assert!(rest.is_empty(), "{rest:?}");
    }

    #[tokio::test]
    async fn we_know_ourselves() {
        let (dialler, acceptor) = meet(identity(1, "secret"), identity(1, "secret")).await;
        assert!(matches!(dialler, Err(HandshakeError::Myself)));
        assert!(matches!(acceptor, Err(HandshakeError::Myself)));
    }

    /// Somebody without the secret answers a dialler with its own proof, after a greeting that
    /// claims to be another node.
    #[tokio::test]
    async fn a_reflected_proof_is_refused() {
        let (mut near, mut far) = duplex(4096);
        let mirror = async move {
            let greeting = greeting(&identity(2, "whatever"), 0).unwrap();
            far.write_all(&greeting).await.unwrap();
            read_greeting(&mut far).await.unwrap();
            let proof = receive(&mut far).await.unwrap();
            send(&mut far, proof).await.unwrap();
        };
        let me = identity(1, "secret");
        let (outcome, ()) = tokio::join!(shake(&mut near, &me, DIALLER), mirror);
        assert_eq!(wrong_secret(outcome), "n2");
    }

    /// Somebody without the secret is sent nothing that depends on it.
    #[tokio::test]
    async fn an_acceptor_proves_nothing_to_a_stranger() {
        let (mut near, mut far) = duplex(4096);
        let stranger = async move {
            far.write_all(&greeting(&identity(2, ""), 0).unwrap()).await.unwrap();
            read_greeting(&mut far).await.unwrap();
            send(&mut far, [7; PROOF]).await.unwrap();
            let mut rest = Vec::new();
            far.read_to_end(&mut rest).await.unwrap();
            rest
        };
        let me = identity(1, "secret");
        let accept = async move { shake(&mut near, &me, Role::Acceptor).await };
        let (outcome, rest) = tokio::join!(accept, stranger);
        assert_eq!(wrong_secret(outcome), "n2");
        assert_eq!(rest, [0; PROOF]);
    }

    async fn accept_bytes(bytes: &[u8], keep_open: bool) -> Outcome {
        let (mut near, mut far) = duplex(1 << 20);
        far.write_all(bytes).await.unwrap();
        let _open: Option<DuplexStream> = keep_open.then_some(far);
        shake(&mut near, &identity(1, "secret"), Role::Acceptor).await
    }

    #[tokio::test]
    async fn what_is_no_greeting_is_refused() {
        let http = accept_bytes(b"GET / HTTP/1.1\r\n", true).await;
        assert!(matches!(http, Err(HandshakeError::Foreign)));
        let version = accept_bytes(b"dnlt\0\0\x10", true).await;
        assert!(matches!(version, Err(HandshakeError::Version(0))));
        let long = accept_bytes(b"dnlt\x01\xff\xff", true).await;
        assert!(matches!(long, Err(HandshakeError::TooLong(0xffff))));
        let empty = accept_bytes(b"dnlt\x01\0\0", true).await;
        assert!(matches!(empty, Err(HandshakeError::Foreign)));
    }

    #[tokio::test(start_paused = true)]
    async fn every_silence_ends() {
        let greeting = greeting(&identity(2, "secret"), 0).unwrap();
        for length in [0, 3, HEAD, 40, greeting.len()] {
            let began = tokio::time::Instant::now();
            let outcome = accept_bytes(&greeting[..length], true).await;
            assert!(matches!(outcome, Err(HandshakeError::TimedOut)), "{length}: {outcome:?}");
            assert!(began.elapsed() < HANDSHAKE_TIMEOUT * 2);
            let outcome = accept_bytes(&greeting[..length], false).await;
            assert!(matches!(outcome, Err(HandshakeError::Io(_))), "{length}: {outcome:?}");
        }
    }

    #[tokio::test]
    async fn a_newer_version_may_say_more() {
        let mut wire = greeting(&identity(2, "secret"), 0).unwrap();
        wire[4] = 9;
        wire.extend(b"more");
        let length = (wire.len() - HEAD) as u16;
        wire[5..HEAD].copy_from_slice(&length.to_be_bytes());
        let (_, peer) = parse(&read_greeting(&mut wire.as_slice()).await.unwrap()[HEAD..]).unwrap();
        assert_eq!((peer.info.name.as_str(), peer.info.agreement), ("n2", 1));
    }

    proptest! {
        #[test]
        fn noise_is_no_greeting(noise: Vec<u8>, magic: bool) {
            let mut wire = if magic { b"dnlt\x01\0\x60".to_vec() } else { Vec::new() };
            wire.extend(noise);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
            let outcome = runtime.unwrap().block_on(accept_bytes(&wire, false));
            prop_assert!(outcome.is_err());
        }
    }
}
