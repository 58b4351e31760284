//! A client that connects again by itself.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis::cmd;
use redis_client::{CallError, Client, ConnectionChange, RedisOptions};
use testkit::redis::RedisServer;
use tokio::time::{Instant, sleep, timeout};

use crate::at;

const CALL_TIMEOUT: Duration = Duration::from_millis(300);

/// What a client has told of its connection: whether it stands.
type Told = Arc<Mutex<Vec<bool>>>;

fn client(server: &RedisServer) -> (Arc<Client>, Told) {
    let told = Told::default();
    let (telling, connect_timeout) = (told.clone(), Duration::from_millis(300));
    let client = Client::new(RedisOptions { connect_timeout, ..at(server) }, CALL_TIMEOUT)
        .on_change(move |change| telling.lock().unwrap().push(change == ConnectionChange::Up));
    (Arc::new(client), told)
}

async fn ping(client: &Client) -> Result<String, CallError> {
    client.query(&cmd("PING")).await
}

async fn works_again(client: &Client) {
    let works = async {
        while ping(client).await.is_err() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), works).await.unwrap();
}

#[tokio::test]
async fn a_call_connects_and_connects_again() {
    let mut server = RedisServer::start("");
    let (client, told) = client(&server);
    assert!(!client.is_up());
    assert_eq!(ping(&client).await.unwrap(), "PONG");
    server.stop();
    assert!(matches!(ping(&client).await, Err(CallError::Away(_))));
    assert!(!client.is_up() && Instant::now() < client.not_before());
    // In the pause nobody waits, and nobody asks.
    let began = Instant::now();
    assert!(matches!(ping(&client).await, Err(CallError::Away(_))));
    assert!(began.elapsed() < Duration::from_millis(50));
    server.start_again();
    works_again(&client).await;
    assert_eq!(*told.lock().unwrap(), [true, false, true]);
}

#[tokio::test]
async fn one_that_is_frozen_is_away_and_one_that_refuses_is_not() {
    let server = RedisServer::start("");
    let (client, told) = client(&server);
    let nonsense = client.query::<()>(&cmd("NONSENSE")).await;
    assert!(matches!(nonsense, Err(CallError::Refused(_))));
    assert!(client.is_up());
    server.freeze();
    let calls = [(); 8].map(|()| ping(&client));
    for call in calls {
        assert!(matches!(call.await, Err(CallError::Away(_))));
    }
    server.thaw();
    works_again(&client).await;
    assert_eq!(*told.lock().unwrap(), [true, false, true]);
}

#[tokio::test]
async fn one_that_is_kept_connected_needs_no_call() {
    let mut server = RedisServer::start("");
    server.stop();
    let (client, told) = client(&server);
    let keeping = client.clone();
    let keeper = tokio::spawn(async move { keeping.keep_connected().await });
    let until = async |up: bool| {
        let is_so = async {
            while client.is_up() != up || told.lock().unwrap().last() != Some(&up) {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(10), is_so).await.unwrap();
    };
    until(false).await;
    server.start_again();
    until(true).await;
    server.stop();
    assert!(ping(&client).await.is_err());
    server.start_again();
    until(true).await;
    assert_eq!(*told.lock().unwrap(), [false, true, false, true]);
    keeper.abort();
}
