//! A node that starts while its database is not there.

use testkit::eventually;
use testkit::http::AppKeys;
use testkit::process::Process;
use testkit::ws::Client;

use super::databases::{Database, borrowed, cached};

pub(crate) fn is_told_and_waited_for<D: Database>() {
    let mut database = D::own();
    database.stop();
    let env = cached(&database, "apps", 10);
    let node = Process::start(&borrowed(&env));
    let ready = || node.http().ask("GET", "/ready", &[], b"");
    let store = env.iter().find(|(name, _)| *name == "APP_MANAGER_DRIVER").unwrap().1.as_str();
    assert!(node.greeting.contains("is not ready yet"), "{}", node.greeting);
    assert!(node.greeting.contains(&format!("The apps are in {store}")), "{}", node.greeting);
    for _ in 0..3 {
        let answer = ready();
        assert_eq!(answer.status, 503);
        assert!(answer.text().contains(store), "{}", answer.text());
        assert_eq!(node.http().ask("GET", "/", &[], b"").status, 200);
        Client::open(node.address, "/app/app-key").expect_refusal(4100);
        assert_eq!(node.get("/channels", &[]).status, 503);
    }
    assert_eq!(node.logged("apps cannot be looked up"), 1);
    // Its table is made last: until then it has not been reached, either.
    database.start_again();
    assert_eq!(ready().status, 503);
    database.apps("apps", &[AppKeys::default()]);
    eventually("it is ready", || ready().status == 200);
    let mut client = node.connect();
    client.subscribe("a");
    node.publish("a", "e", "x");
    client.expect_event("e", "a", "x");
    assert_eq!(node.metrics().sum("panics_total"), 0.0);
}
