//! A client that stops reading while its channel is busy.

use socket2::{Domain, Socket, Type};
use testkit::ws::{Client, Frame, upgrade};

use super::Scene;

/// A client whose kernel takes little for it.
fn narrow(scene: &Scene) -> Client {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&scene.server.address().into()).unwrap();
    let mut client = Client::over(socket.into());
    client.write(&upgrade("/app/app-key?protocol=7", &[]));
    client.upgraded();
    client.established();
    client.subscribe("busy");
    client
}

#[test]
fn a_slow_reader_is_closed_alone_and_counted() {
    let mut scene = Scene::with(&[("CONNECTION_MAX_PENDING_KB", "64")]);
    let mut slow = narrow(&scene);
    let mut good: Vec<Client> = (0..3).map(|_| scene.server.connect()).collect();
    good.iter_mut().for_each(|client| client.subscribe("busy"));

    let filling = "x".repeat(20_000);
    let mut http = scene.server.http();
    let mut sent = 0;
    while scene.server.metrics().sum("slow_consumers_total") == 0.0 {
        assert!(sent < 5000, "the backlog is not bounded");
        let data = format!("{sent}-{filling}");
        let body = serde_json::json!({"name": "E", "channel": "busy", "data": data}).to_string();
        assert_eq!(http.post(&scene.app, "/events", body.as_bytes()).status, 200);
        // The others read along: everything, in order.
        good.iter_mut().for_each(|client| client.expect_event("E", "busy", &data));
        assert!(scene.server.metrics().sum("pending_bytes") <= 100_000.0);
        sent += 1;
    }
    let metrics = scene.server.wait_for("the slow one is gone", |metrics| {
        metrics.labelled("connected", "app_id=\"app-id\"") == 4.0
    });
    assert_eq!(metrics.sum("slow_consumers_total"), 1.0);
    assert_eq!(metrics.sum("pending_bytes"), 0.0);
    good.iter_mut().for_each(Client::expect_silence);
    scene.is_calm("a slow reader");

    // What it had been sent was in order, and then the connection was cut.
    for n in 0..sent {
        match slow.next() {
            Frame::Text(text) => assert!(text.contains(&format!("\"{n}-xxx")), "{n}"),
            Frame::End => break,
            other => panic!("{other:?}"),
        }
    }
    good.into_iter().for_each(Client::close);
    drop(http);
    scene.ends();
}

#[test]
fn one_that_reads_again_in_time_has_missed_nothing() {
    let mut scene = Scene::with(&[("CONNECTION_MAX_PENDING_KB", "65536")]);
    let mut slow = narrow(&scene);
    let filling = "x".repeat(20_000);
    let mut http = scene.server.http();
    let mut sent = 0;
    while scene.server.metrics().sum("pending_bytes") < 500_000.0 {
        assert!(sent < 5000, "nothing waits");
        let body = serde_json::json!({"name": "E", "channel": "busy",
            "data": format!("{sent}-{filling}")});
        assert_eq!(http.post(&scene.app, "/events", body.to_string().as_bytes()).status, 200);
        sent += 1;
    }
    scene.is_calm("a backlog");
    (0..sent).for_each(|n| slow.expect_event("E", "busy", &format!("{n}-{filling}")));
    slow.expect_silence();
    scene.server.wait_for("the backlog is gone", |metrics| metrics.sum("pending_bytes") == 0.0);
    slow.close();
    drop(http);
    scene.ends();
}
