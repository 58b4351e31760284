//! Meshes with certificates.

use std::sync::Arc;

use ::tls::Identity;
use cluster::mesh::{MeshConfig, MeshTls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::PrivateKeyDer;

use crate::local;
use crate::node::{Node, all_linked, config, free_port, until};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A node's certificate by one authority, which believes in another one.
fn tls(issuer: &Authority, believes_in: &Authority) -> MeshTls {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["some.name".into()]).unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let identity = Identity::new(vec![certificate.der().clone()], key).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(believes_in.der().clone()).unwrap();
    MeshTls::new(&identity, Arc::new(roots)).unwrap()
}

#[tokio::test]
async fn certificates_of_one_authority_link_whatever_their_names() {
    local(async {
        let (port, ca) = (free_port(), authority());
        let with = |name| MeshConfig { tls: Some(tls(&ca, &ca)), ..config(name, port) };
        let one = Node::start(with("1")).await;
        let two = Node::start(with("2")).await;
        all_linked(&[&one, &two]).await;
        one.say("2", "x".repeat(1 << 20));
        two.say("1", "short".into());
        until("both have come", || one.heard("2").len() + two.heard("1").len() == 2).await;
        two.mesh.stop().await;
        until("it is down", || one.peers().is_empty()).await;
    })
    .await;
}

#[tokio::test]
async fn other_authorities_and_plain_connections_are_refused() {
    local(async {
        let (port, [ours, theirs, third]) = (free_port(), [(); 3].map(|()| authority()));
        let with = |name, tls| MeshConfig { tls: Some(tls), ..config(name, port) };
        let one = Node::start(with("1", tls(&ours, &ours))).await;
        let wrong_client = Node::start(with("2", tls(&theirs, &ours))).await;
        let wrong_server = Node::start(with("3", tls(&ours, &third))).await;
        let plain = Node::start(config("4", port)).await;
        let nodes = [&one, &wrong_client, &wrong_server, &plain];
        for node in nodes {
            let tried = || node.mesh.counters().dialled.get() + node.mesh.counters().accepted.get();
            until("connections were tried", || tried() > 5).await;
        }
        assert_eq!(nodes.map(|node| node.mesh.answered()), [0; 4]);
    })
    .await;
}

#[tokio::test]
async fn connections_begin_with_the_certificates_of_the_moment() {
    local(async {
        let (port, [old, new]) = (free_port(), [(); 2].map(|()| authority()));
        let with =
            |name, tls: &MeshTls| MeshConfig { tls: Some(tls.clone()), ..config(name, port) };
        let (changing, renewed) = (tls(&old, &old), tls(&new, &new));
        let one = Node::start(with("1", &changing)).await;
        let two = Node::start(with("2", &renewed)).await;
        let tried = || one.mesh.counters().dialled.get() + one.mesh.counters().accepted.get();
        until("connections were tried", || tried() > 2).await;
        assert_eq!(one.mesh.answered(), 0);
        changing.replace(&renewed);
        all_linked(&[&one, &two]).await;
    })
    .await;
}
