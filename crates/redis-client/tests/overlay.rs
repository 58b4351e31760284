//! Options in the spelling of ioredis.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use redis_client::{Address, OptionError, Pem, RedisOptions, Sentinels, TlsOptions, Topology};
use serde_json::{Value, json};

fn lay(options: &mut RedisOptions, laid: Value) -> Result<(), OptionError> {
    options.overlay(laid.as_object().unwrap())
}

fn laid(value: Value) -> RedisOptions {
    let mut options = RedisOptions::default();
    lay(&mut options, value).unwrap();
    options
}

fn refused(value: Value) -> String {
    let mut options = RedisOptions::default();
    let told = lay(&mut options, value).unwrap_err().to_string();
    assert_eq!(options, RedisOptions::default(), "nothing was changed");
    told
}

#[test]
fn everything_of_one_server() {
    let options = laid(json!({
        "host": "redis.test", "port": "6380", "username": "some", "password": 1234, "db": 2,
        "keyPrefix": "p:", "connectTimeout": 1500, "tls": {
            "ca": ["/etc/ca.pem", "-----BEGIN CERTIFICATE-----"], "cert": "/etc/cert.pem",
            "key": "/etc/key.pem", "servername": "other.test", "rejectUnauthorized": "false",
        },
    }));
    let text = Pem::Text("-----BEGIN CERTIFICATE-----".into());
    let expected = RedisOptions {
        topology: Topology::Standalone(Address::new("redis.test", 6380)),
        username: Some("some".into()),
        password: Some("1234".into()),
        database: 2,
        key_prefix: "p:".into(),
        tls: Some(TlsOptions {
            ca: vec![Pem::File("/etc/ca.pem".into()), text],
            certificate: Some(Pem::File("/etc/cert.pem".into())),
            key: Some(Pem::File("/etc/key.pem".into())),
            server_name: Some("other.test".into()),
            verify: false,
        }),
        connect_timeout: Duration::from_millis(1500),
    };
    assert_eq!(options, expected);
}

#[test]
fn what_is_not_mentioned_stays_and_null_is_the_default() {
    let mut options = laid(json!({ "host": "one", "password": "secret", "tls": {}, "db": 1 }));
    lay(&mut options, json!({ "port": 1, "db": null })).unwrap();
    assert_eq!(options.topology, Topology::Standalone(Address::new("one", 1)));
    assert_eq!((options.password.as_deref(), options.database), (Some("secret"), 0));
    assert_eq!(options.tls, Some(TlsOptions::default()));
    let nothing = json!({ "host": null, "port": null, "password": "", "tls": false, "nodes": [],
        "sentinels": null, "name": null });
    lay(&mut options, nothing).unwrap();
    assert_eq!(options, RedisOptions::default());
}

#[test]
fn sentinels_and_clusters() {
    let nodes = json!([{ "host": "s1", "port": 26379 }, { "host": "s2", "port": "26380" }]);
    let addresses = vec![Address::new("s1", 26379), Address::new("s2", 26380)];
    let mut options = laid(json!({
        "sentinels": nodes, "name": "some", "sentinelUsername": "u", "sentinelPassword": "p",
        "sentinelTLS": true,
    }));
    let mut expected = Sentinels {
        nodes: addresses.clone(),
        master: "some".into(),
        username: Some("u".into()),
        password: Some("p".into()),
        tls: Some(TlsOptions::default()),
    };
    assert_eq!(options.topology, Topology::Sentinel(expected.clone()));
    lay(&mut options, json!({ "sentinels": [{ "host": "s3", "port": 1 }] })).unwrap();
    expected.nodes = vec![Address::new("s3", 1)];
    assert_eq!(options.topology, Topology::Sentinel(expected));
    options.check().unwrap();

    lay(&mut options, json!({ "nodes": nodes })).unwrap();
    assert_eq!(options.topology, Topology::Cluster(addresses));
    let told = lay(&mut options, json!({ "host": "x" })).unwrap_err().to_string();
    assert_eq!(
        told,
        "Redis option \"host\" has no effect in a Redis Cluster, it must be left out there"
    );
    lay(&mut options, json!({ "nodes": [], "host": "x" })).unwrap();
    assert_eq!(options.topology, Topology::Standalone(Address::new("x", 6379)));
}

#[test]
fn what_is_wrong_is_named() {
    let cases = [
        (json!({ "hots": "x" }), "unknown Redis option \"hots\"; known are connectTimeout, db, "),
        (json!({ "tls": { "certificate": "x" } }), "\"tls.certificate\"; known are ca, cert, key"),
        (json!({ "nodes": [{ "hots": "x" }] }), "\"nodes.hots\"; known are host, port"),
        (json!({ "port": 0 }), "\"port\" is 0, it must be a port from 1 to 65535"),
        (json!({ "port": "x" }), "\"port\" is \"x\", it must be a port"),
        (json!({ "db": -1 }), "\"db\" is -1, it must be the number of a database, from 0 up"),
        (json!({ "connectTimeout": 0 }), "\"connectTimeout\" is 0, it must be a number of mill"),
        (json!({ "host": [] }), "\"host\" is [], it must be a text"),
        (json!({ "tls": 1 }), "\"tls\" is no object, it must be an object, true or false"),
        (json!({ "tls": { "rejectUnauthorized": 2 } }), "\"tls.rejectUnauthorized\" is 2, it must"),
        (json!({ "tls": { "key": "/key" } }), "has one of \"cert\" and \"key\", it must have both"),
        (json!({ "sentinels": [{ "host": "x" }] }), "it must be a list of {\"host\", \"port\"}"),
        (json!({ "nodes": "x" }), "\"nodes\" is \"x\", it must be a list of"),
        (json!({ "name": "x" }), "\"name\" has no effect without sentinels"),
        (
            json!({ "sentinels": [{ "host": "x", "port": 1 }], "port": 2 }),
            "\"port\" has no effect behind sentinels",
        ),
    ];
    for (options, expected) in cases {
        let told = refused(options);
        assert!(told.contains(expected), "{told:?} does not say {expected:?}");
    }
}

#[test]
fn what_does_not_fit_together_is_named() {
    let check = |topology, change: &dyn Fn(&mut RedisOptions)| {
        let mut options = RedisOptions { topology, ..RedisOptions::default() };
        change(&mut options);
        options.check().unwrap_err().to_string()
    };
    let unchanged = &|_: &mut RedisOptions| {};
    assert!(check(Topology::Cluster(vec![]), unchanged).contains("\"nodes\" is empty"));
    let nobody = Topology::Sentinel(Sentinels::default());
    assert!(check(nobody, unchanged).contains("\"sentinels\" is empty"));
    let cluster = Topology::Cluster(vec![Address::new("x", 1)]);
    let told = check(cluster, &|options| options.database = 1);
    assert!(told.contains("\"db\" is 1, in a Redis Cluster it must be 0"));
    let told = check(Topology::default(), &|options| options.username = Some("u".into()));
    assert!(told.contains("\"password\" must be set, too"));
}

#[test]
fn no_secret_is_shown() {
    let options = laid(json!({
        "password": "hidden", "sentinels": [{ "host": "x", "port": 1 }],
        "sentinelPassword": "hidden", "tls": { "cert": "a", "key": "-----BEGIN hidden" },
    }));
    assert!(!format!("{options:?}").contains("hidden"));
    let wrong = [json!({ "password": ["hidden"] }), json!({ "tls": { "key": ["hidden"] } })];
    for wrong in wrong {
        assert!(!refused(wrong).contains("hidden"));
    }
}
