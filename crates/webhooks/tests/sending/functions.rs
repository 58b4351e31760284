//! Functions of AWS Lambda, at an endpoint that records every byte, and at moto.

use config::ClientOptions;
use serde_json::{Value, json};
use testkit::moto;

use super::target::{Reply, Target};
use super::*;

const REGION: &str = "eu-central-1";
const BODY: &str = r#"{"time_ms":1,"events":[{"name":"channel_occupied","channel":"a"}]}"#;

fn function(asynchronous: bool, endpoint: &str) -> WebhookTarget {
    of_user("my-function", asynchronous, endpoint, ["AKIDTEST", "s3cret"])
}

fn of_user(name: &str, asynchronous: bool, endpoint: &str, key: [&str; 2]) -> WebhookTarget {
    let options = json!({
        "endpoint": endpoint,
        "credentials": { "accessKeyId": key[0], "secretAccessKey": key[1] },
    });
    let Value::Object(options) = options else { unreachable!("it is an object") };
    WebhookTarget::Lambda {
        function: name.to_owned(),
        asynchronous,
        region: Some(REGION.to_owned()),
        client_options: ClientOptions(options),
    }
}

fn invocation(target: WebhookTarget) -> Job {
    job_for("app", &webhook(target, &[("X-Custom", "mine"), ("x-pusher-key", "forged")]), "a", BODY)
}

#[tokio::test]
async fn a_function_gets_the_body_and_the_headers() {
    for (asynchronous, kind, status) in [(true, "Event", 202), (false, "RequestResponse", 200)] {
        let target = Target::start(move |_, _| Reply::with(status, &[], "")).await;
        let sender = sender(settings());
        let outcome = send(&sender, invocation(function(asynchronous, &target.url("")))).await;
        assert_eq!(outcome, Outcome::Delivered);
        let received = &target.received()[0];
        let line = received.head.lines().next().unwrap();
        assert!(line.starts_with("POST /2015-03-31/functions/my-function/invocations"), "{line}");
        assert_eq!(received.header("X-Amz-Invocation-Type"), Some(kind));
        let signed = received.header("Authorization").unwrap();
        let scope = "Credential=AKIDTEST/";
        assert!(signed.contains(scope) && signed.contains("/eu-central-1/lambda/"), "{signed}");
        let body = std::str::from_utf8(&received.body).unwrap();
        assert!(body.starts_with(&format!(r#"{{"payload":{BODY},"headers":{{"#)), "{body}");
        let headers = &serde_json::from_str::<Value>(body).unwrap()["headers"];
        assert_eq!(headers["X-Pusher-Key"], "key of app");
        assert_eq!(headers["Content-Type"], "application/json");
        assert_eq!(headers["X-Custom"], "mine");
        let secret = protocol::auth::Secret::new(apps::SECRET.as_bytes());
        assert!(secret.verify(&[BODY], headers["X-Pusher-Signature"].as_str().unwrap()));
        assert_eq!(headers.as_object().unwrap().len(), 5, "{headers}");
        assert_eq!(&*counted(&sender).target, "lambda:my-function");
    }
}

#[tokio::test]
async fn a_function_that_fails_is_invoked_again() {
    let target = Target::start(|number, _| match number {
        0 => Reply::with(200, &[("X-Amz-Function-Error", "Unhandled")], "\"it broke\""),
        1 => Reply::with(429, &[("X-Amzn-ErrorType", "TooManyRequestsException")], "{}"),
        _ => Reply::with(200, &[], "null"),
    })
    .await;
    let sender = sender(settings());
    assert_eq!(
        send(&sender, invocation(function(false, &target.url("")))).await,
        Outcome::Delivered
    );
    assert_eq!(target.received().len(), 3);
    assert_eq!(counted(&sender).attempts.function, 2);
}

#[tokio::test]
async fn what_went_wrong_is_said() {
    let target = Target::start(|number, _| match number {
        0 => Reply::with(200, &[("X-Amz-Function-Error", "Unhandled")], "\"it broke\""),
        1 => Reply::with(502, &[], "<h1>Bad Gateway</h1>"),
        _ => Reply::with(
            404,
            &[("X-Amzn-ErrorType", "ResourceNotFoundException")],
            r#"{"Message":"no such function"}"#,
        ),
    })
    .await;
    let sender = sender(impatient());
    let invoke = || invocation(function(false, &target.url("")));
    let why = given_up(send(&sender, invoke()).await);
    assert!(why.ends_with("function failed: Unhandled: \"it broke\""), "{why}");
    let why = given_up(send(&sender, invoke()).await);
    assert!(why.ends_with("function failed: status 502: <h1>Bad Gateway</h1>"), "{why}");
    let why = given_up(send(&sender, invoke()).await);
    assert!(why.contains("function failed: ResourceNotFoundException"), "{why}");
    drop(target);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let why = given_up(send(&sender, invocation(function(true, &format!("http://{free}")))).await);
    assert!(why.contains("unreachable") && why.contains("refused"), "{why}");
}

#[tokio::test]
async fn an_endpoint_with_a_private_address_is_refused_if_the_options_say_so() {
    let target = Target::start(|_, _| Reply::status(200)).await;
    let denies = Settings { deny_private_targets: true, ..impatient() };
    let sender = sender(denies);
    for endpoint in [target.url(""), format!("http://localhost:{}", target.port)] {
        let why = given_up(send(&sender, invocation(function(true, &endpoint))).await);
        assert!(why.contains("has no public address"), "{why}");
    }
    assert_eq!(target.connections(), 0);
}

/// Who may invoke functions, as far as moto knows: the id and the secret of a key.
fn user_who_may_invoke() -> [String; 2] {
    let iam = |form: &str| {
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        moto::post("iam", REGION, "/", &[kind], &format!("Version=2010-05-08&{form}"))
    };
    let document = |json: Value| {
        percent_encoding::utf8_percent_encode(&json.to_string(), percent_encoding::NON_ALPHANUMERIC)
            .to_string()
    };
    let may = json!({ "Effect": "Allow", "Action": "lambda:Invoke*", "Resource": "*" });
    let policy = document(json!({ "Version": "2012-10-17", "Statement": [may] }));
    let trust = document(json!({ "Version": "2012-10-17", "Statement": [] }));
    iam(&format!("Action=CreateRole&RoleName=role&AssumeRolePolicyDocument={trust}"));
    iam("Action=CreateUser&UserName=user");
    iam(&format!("Action=PutUserPolicy&UserName=user&PolicyName=p&PolicyDocument={policy}"));
    let key = iam("Action=CreateAccessKey&UserName=user");
    ["AccessKeyId", "SecretAccessKey"].map(|name| {
        let (_, rest) = key.split_once(&format!("<{name}>")).unwrap();
        rest.split('<').next().unwrap().to_owned()
    })
}

/// moto knows neither whether a function is there when it runs none, nor who may invoke it before it
/// is told to look; so this is one test, step by step.
#[tokio::test]
async fn moto_takes_what_we_send() {
    let endpoint = format!("http://127.0.0.1:{}", moto::port());
    let key = user_who_may_invoke();
    let key = [&*key[0], &key[1]];
    let sender = sender(impatient());
    let invoke = async |name: &str, asynchronous, key| {
        send(&sender, invocation(of_user(name, asynchronous, &endpoint, key))).await
    };
    for asynchronous in [false, true] {
        let why = given_up(invoke("hook", asynchronous, key).await);
        assert!(why.contains("function failed: ResourceNotFoundException"), "{why}");
        assert!(why.contains("function:hook"), "{why}");
    }

    let tell = |path: &str, body: &str| moto::post("motoapi", REGION, path, &[], body);
    tell("/moto-api/config", r#"{"lambda":{"use_docker":false}}"#);
    let role = "arn:aws:iam::123456789012:role/role";
    let code = json!({ "ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==" });
    let hook = json!({
        "FunctionName": "hook", "Runtime": "python3.13", "Handler": "a.b", "Role": role, "Code": code,
    });
    let json = ("Content-Type", "application/json");
    moto::post("lambda", REGION, "/2015-03-31/functions", &[json], &hook.to_string());
    let arn = format!("arn:aws:lambda:{REGION}:123456789012:function:hook");
    // From here on signatures are verified, and permissions.
    tell("/moto-api/reset-auth", "0");
    for asynchronous in [false, true] {
        for name in ["hook", &arn] {
            assert_eq!(invoke(name, asynchronous, key).await, Outcome::Delivered, "{name}");
        }
        let why = given_up(invoke("hook", asynchronous, [key[0], "wrong"]).await);
        assert!(why.contains("status 403") && why.contains("SignatureDoesNotMatch"), "{why}");
        let why = given_up(invoke("hook", asynchronous, ["AKIDUNKNOWN", key[1]]).await);
        assert!(why.contains("status 403") && why.contains("InvalidClientTokenId"), "{why}");
    }
}
