//! What strangers and peers send to a node of a mesh, for [`crate::fuzzing`].

use std::io;

use bytes::{BufMut, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, join};
use tokio::runtime::{Builder, Runtime};

use super::handshake::{HandshakeError, MeshIdentity, Role, shake};
use super::hello::{Hello, Realm};
use super::message::{self, MeshMessage, MessageError};
use super::secret::{ClusterSecret, PROOF, Purpose};
use crate::Incarnation;

/// The cluster that the node belongs to; one that is easy to guess.
const REALM: Realm = Realm(*b"the realm of all");
/// What all nodes of it have to agree on.
const AGREEMENT: u32 = 1;
/// The first bytes of a hello that is for us: magic, version, flags and realm.
const HELLO_START: &[u8] = b"dnlh\x01\0the realm of all";
/// The first bytes of a greeting, before its length.
const GREETING_START: &[u8] = b"dnlt\x01";
/// Those, and the length.
const GREETING_HEAD: usize = 7;
/// How many bytes of a greeting may follow its length.
const MAX_GREETING: usize = 1024;
/// How many fresh bytes a greeting has before its name, which is behind its length in one byte.
const NONCE: usize = 32;

fn secret() -> ClusterSecret {
    ClusterSecret::new(b"a secret that no input knows")
}

/// Reads a datagram: as it is, which nobody has signed; signed as it is; and signed as what follows
/// the realm in a hello. No unsigned hello is heard; one that is signed and heard says the same
/// when it is written again.
pub fn mesh_hello(datagram: &[u8]) {
    assert!(Hello::decode(datagram, REALM, &secret()).is_err(), "nobody has signed this");
    hello_signed(datagram.to_vec());
    hello_signed([HELLO_START, datagram].concat());
}

fn hello_signed(mut wire: Vec<u8>) {
    let proof = secret().prove(Purpose::Hello, &[&wire]);
    wire.extend(proof);
    let Ok(hello) = Hello::decode(&wire, REALM, &secret()) else { return };
    assert!(hello.incarnation > Incarnation(0) && hello.port > 0);
    let written = hello.encode(REALM, &secret());
    assert!(written.len() <= wire.len());
    assert_eq!(Hello::decode(&written, REALM, &secret()), Ok(hello));
    for other in [Purpose::Dialler, Purpose::Acceptor] {
        let (signed, proof) = wire.split_at(wire.len() - PROOF);
        assert!(!secret().verify(other, &[signed], proof));
    }
}

/// Reads what comes over a new connection, as the end that was dialled and as the one that has
/// dialled. A stranger is refused, and gets nothing that depends on the secret unless it was
/// dialled. Somebody who knows the secret is taken for what it says, and for nothing else.
pub fn mesh_handshake(stream: &[u8]) {
    thread_local! {
        static RUNTIME: Runtime =
            Builder::new_current_thread().enable_time().build().expect("a runtime with timers");
    }
    RUNTIME.with(|runtime| {
        runtime.block_on(async {
            for role in [Role::Acceptor, Role::Dialler { attempt: 5 }] {
                stranger_shakes(stream, role).await;
                member_shakes(stream, role).await;
            }
        });
    });
}

fn identity() -> MeshIdentity {
    let (incarnation, name) = (Incarnation(1), "near".to_owned());
    MeshIdentity {
        incarnation,
        name,
        port: 11002,
        agreement: AGREEMENT,
        realm: REALM,
        secret: secret(),
    }
}

async fn stranger_shakes(stream: &[u8], role: Role) {
    let mut connection = join(stream, Vec::new());
    let outcome = shake(&mut connection, &identity(), role).await;
    assert!(outcome.is_err(), "{outcome:?}");
    let sent = connection.into_inner().1;
    let length = usize::from(u16::from_be_bytes([sent[5], sent[6]]));
    let proof = &sent[GREETING_HEAD + length..];
    match role {
        Role::Acceptor => assert!(proof.is_empty() || proof == [0; PROOF], "{proof:?}"),
        Role::Dialler { .. } => assert!(proof.is_empty() || proof.len() == PROOF, "{proof:?}"),
    }
}

/// What follows the realm in the greeting is `says`.
async fn member_shakes(says: &[u8], role: Role) {
    let says = &says[..says.len().min(MAX_GREETING - REALM.0.len())];
    let mut greeting = GREETING_START.to_vec();
    greeting.put_u16((REALM.0.len() + says.len()) as u16); // at most MAX_GREETING
    greeting.put_slice(&REALM.0);
    greeting.put_slice(says);

    let (mut near, far) = duplex(2 * MAX_GREETING);
    let shaking = async move { shake(&mut near, &identity(), role).await };
    let (outcome, proved) = tokio::join!(shaking, prove(far, &greeting, role));
    match outcome {
        Ok(peer) => {
            assert!(proved.expect("an answer"), "the near end proves itself, too");
            let (incarnation, attempt) = (peer.info.incarnation.0, peer.attempt);
            let attempt = match role {
                Role::Acceptor => attempt.to_be_bytes(),
                Role::Dialler { attempt: ours } => {
                    assert_eq!(attempt, ours);
                    says[8..16].try_into().expect("8 bytes")
                }
            };
            let (port, version) = (peer.port.to_be_bytes(), [peer.info.version]);
            let told = [&incarnation.to_be_bytes()[..], &attempt, &port, &version].concat();
            assert!(says.starts_with(&told));
            let name = peer.info.name.as_bytes();
            let length = [name.len() as u8]; // it was read from one byte
            let end = [&length[..], name, &AGREEMENT.to_be_bytes()].concat();
            assert!(says[told.len() + NONCE..].starts_with(&end));
            assert!(incarnation > 1 && peer.port > 0);
        }
        Err(HandshakeError::Foreign | HandshakeError::Myself) => {}
        Err(HandshakeError::Disagreement(error)) => {
            assert_ne!(error.theirs, AGREEMENT);
            assert!(proved.is_err(), "nothing is proved to who does not agree");
        }
        Err(error) => panic!("{error}"),
    }
}

/// The other end, as somebody who knows the secret. Whether `far` proves that it knows it as well.
async fn prove(mut far: DuplexStream, greeting: &[u8], role: Role) -> io::Result<bool> {
    far.write_all(greeting).await?;
    let mut theirs = vec![0; GREETING_HEAD];
    far.read_exact(&mut theirs).await?;
    theirs.resize(GREETING_HEAD + usize::from(u16::from_be_bytes([theirs[5], theirs[6]])), 0);
    far.read_exact(&mut theirs[GREETING_HEAD..]).await?;
    let mut proof = [0; PROOF];
    Ok(match role {
        Role::Acceptor => {
            let greetings = [greeting, &theirs];
            far.write_all(&secret().prove(Purpose::Dialler, &greetings)).await?;
            far.read_exact(&mut proof).await?;
            secret().verify(Purpose::Acceptor, &greetings, &proof)
        }
        Role::Dialler { .. } => {
            let greetings = [&theirs, greeting];
            far.read_exact(&mut proof).await?;
            far.write_all(&secret().prove(Purpose::Acceptor, &greetings)).await?;
            secret().verify(Purpose::Dialler, &greetings, &proof)
        }
    })
}

/// Reads what comes over a connection after its handshake. How the network chops it changes neither
/// the messages nor the verdict, and what was read is written and read again as the same.
pub fn mesh_messages(stream: &[u8]) {
    let whole = read_messages(std::iter::once(stream));
    assert_eq!(read_messages(stream.chunks(1)), whole, "byte by byte");
    for message in whole.0 {
        let written = match &message {
            MeshMessage::Packet(packet) => {
                [&message::packet_head(packet)[..], &packet.entries.concat()].concat()
            }
            MeshMessage::Addresses(addresses) => message::addresses(addresses).to_vec(),
            MeshMessage::Unknown => continue,
        };
        assert_eq!(read_messages(std::iter::once(&written[..])), (vec![message], None));
    }
}

fn read_messages<'a>(
    chunks: impl Iterator<Item = &'a [u8]>,
) -> (Vec<MeshMessage>, Option<MessageError>) {
    let (mut buffer, mut messages) = (BytesMut::new(), Vec::new());
    for chunk in chunks {
        buffer.put_slice(chunk);
        loop {
            match message::take(&mut buffer) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Some(error)),
            }
        }
    }
    (messages, None)
}
