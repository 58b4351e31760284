//! W18, W23, W45, K1: signatures by the vectors of the specification (2.5).

use protocol::auth::{
    AuthError, Secret, sign_signin, sign_subscription, verify_signin, verify_subscription,
};
use protocol::{hex, webhook};

const KEY: &str = "278d425bdf160c739803";
const ID: &str = "1234.1234";
const PRIVATE: &str = "58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4";
const PRESENCE: &str = "31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80";
const SIGNIN: &str = "4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba";
const CHANNEL_DATA: &str = r#"{"user_id":10,"user_info":{"name":"Mr. Channels"}}"#;

fn secret() -> Secret {
    Secret::new(b"7ad3773142a6692b25b8")
}

#[test]
fn w23_vectors() {
    let secret = secret();
    let auth = format!("{KEY}:{PRIVATE}");
    assert_eq!(sign_subscription(KEY, &secret, ID, "private-foobar", None), auth);
    assert_eq!(verify_subscription(KEY, &secret, &auth, ID, "private-foobar", None), Ok(()));

    let auth = format!("{KEY}:{PRESENCE}");
    let (channel, data) = ("presence-foobar", Some(CHANNEL_DATA));
    assert_eq!(sign_subscription(KEY, &secret, ID, channel, data), auth);
    assert_eq!(verify_subscription(KEY, &secret, &auth, ID, channel, data), Ok(()));
}

#[test]
fn w45_vector() {
    let (secret, auth) = (secret(), format!("{KEY}:{SIGNIN}"));
    assert_eq!(sign_signin(KEY, &secret, ID, r#"{"id":"12345"}"#), auth);
    assert_eq!(verify_signin(KEY, &secret, &auth, ID, r#"{"id":"12345"}"#), Ok(()));
    let other = verify_signin(KEY, &secret, &auth, ID, r#"{"id": "12345"}"#);
    assert!(matches!(other, Err(AuthError::Signature { .. })), "whitespace is signed too");
}

#[test]
fn k1_vector() {
    let body =
        br#"{"time_ms":1403175510755,"events":[{"channel":"test_channel","name":"channel_vacated"}]}"#;
    let signature = "c17257e92037cd7de407ebc1ed174ceb7b2e518db127f44411b9ffc4f5b28cc5";
    assert_eq!(webhook::sign(&Secret::new(b"tofu"), body), signature);
}

#[test]
fn w23_channel_data_is_signed_on_private_channels_too() {
    let secret = secret();
    let auth = sign_subscription(KEY, &secret, ID, "private-a", Some("x"));
    let verify = |data| verify_subscription(KEY, &secret, &auth, ID, "private-a", data);
    assert_eq!(verify(Some("x")), Ok(()));
    assert!(verify(None).is_err() && verify(Some("y")).is_err() && verify(Some("")).is_err());
}

#[test]
fn h16_upper_case_hex_is_accepted() {
    let auth = format!("{KEY}:{}", PRIVATE.to_uppercase());
    assert_eq!(verify_subscription(KEY, &secret(), &auth, ID, "private-foobar", None), Ok(()));
}

#[test]
fn w18_texts() {
    let refusal = |auth: &str, data| {
        verify_subscription("KEY", &secret(), auth, "1.2", "private-a", data)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refusal("KEY:00", None),
        "Invalid signature: Expected HMAC SHA256 hex digest of 1.2:private-a, but got 00"
    );
    assert_eq!(
        refusal("KEY:", Some("{}")),
        "Invalid signature: Expected HMAC SHA256 hex digest of 1.2:private-a:{}, but got "
    );
    let key = format!("key:{PRIVATE}");
    assert_eq!(refusal(&key, None), "Invalid key in subscription auth data: 'key'");
    assert_eq!(
        refusal("KEY", None),
        "Invalid auth data: 'KEY' should be of the format 'key:signature'"
    );
}

#[test]
fn w18_echoes_are_cut() {
    let long = "é".repeat(100_000);
    for auth in [long.clone(), format!("{long}:00"), format!("{KEY}:{long}")] {
        let error = verify_subscription(KEY, &secret(), &auth, ID, "private-a", Some(&long));
        assert!(error.unwrap_err().to_string().chars().count() < 600);
    }
}

#[test]
fn w23_signature_of_another_length_or_alphabet() {
    let (short, long) = (&PRIVATE[..62], format!("{PRIVATE}00"));
    let odd = format!("{}g", &PRIVATE[..63]);
    let spaced = format!(" {PRIVATE}");
    for signature in [short, &long, &odd, &spaced, "", "é"] {
        let auth = format!("{KEY}:{signature}");
        let verdict = verify_subscription(KEY, &secret(), &auth, ID, "private-foobar", None);
        assert!(matches!(verdict, Err(AuthError::Signature { .. })), "{signature}");
    }
}

#[test]
fn hex_round_trip_and_refusals() {
    assert_eq!(hex::encode(&[0x00, 0x9f, 0xff]), "009fff");
    assert_eq!(hex::decode(b"009fFF"), Some([0x00, 0x9f, 0xff]));
    for text in [&b"009ff"[..], b"009fff00", b"009fg0", b"+09fff"] {
        assert_eq!(hex::decode::<3>(text), None);
    }
}

#[test]
fn a_secret_does_not_print_itself() {
    assert_eq!(format!("{:?}", Secret::new(b"hush")), "Secret(..)");
}
