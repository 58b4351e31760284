//! H2, H6, H7, H8: what may be asked about channels.

use protocol::api::info::{Info, for_channel, for_channels, for_event, for_users};
use protocol::channel::classify;

#[test]
fn attributes_are_a_comma_separated_list() {
    let both = Info { user_count: true, subscription_count: true, cache: false };
    for info in [
        "user_count,subscription_count",
        " subscription_count , user_count,",
        "user_count,user_count,subscription_count",
    ] {
        assert_eq!(for_event(Some(info)), Ok(both), "{info}");
    }
    assert_eq!(for_event(None), Ok(Info::default()));
    assert_eq!(for_event(Some("")), Ok(Info::default()));
    let error = for_event(Some("user_count,x")).unwrap_err();
    assert_eq!(error.status, 400);
    assert_eq!(
        error.message,
        "Invalid info attribute: 'x' must be one of user_count, subscription_count"
    );
    assert!(for_event(Some(&"x".repeat(100_000))).unwrap_err().message.len() < 300);
}

#[test]
fn h6_user_counts_of_many_channels_need_a_presence_prefix() {
    let text = "user_count may only be requested for presence channels - please supply \
                filter_by_prefix begining with presence-";
    for prefix in [None, Some(""), Some("presence"), Some("private-"), Some("xpresence-")] {
        let error = for_channels(Some("user_count"), prefix).unwrap_err();
        assert_eq!((error.status, error.message.as_str()), (400, text), "{prefix:?}");
        assert!(for_channels(Some("subscription_count"), prefix).is_ok());
    }
    for prefix in ["presence-", "presence-a"] {
        assert!(for_channels(Some("user_count"), Some(prefix)).unwrap().user_count);
    }
    assert!(for_channels(Some("cache"), None).is_err());
}

#[test]
fn h7_one_channel() {
    assert!(for_channel(Some("user_count"), classify("presence-a")).unwrap().user_count);
    for channel in ["a", "private-a", "#server-to-user-a"] {
        assert_eq!(for_channel(Some("user_count"), classify(channel)).unwrap_err().status, 400);
        assert!(for_channel(Some("subscription_count"), classify(channel)).is_ok());
    }
    for channel in ["cache-a", "a"] {
        assert!(for_channel(Some("cache"), classify(channel)).unwrap().cache);
    }
}

#[test]
fn h8_users() {
    assert_eq!(for_users(None, classify("presence-a")), Ok(()));
    let error = for_users(None, classify("private-a")).unwrap_err();
    assert_eq!(error.message, "Users can only be retrieved for presence channels");
    let error = for_users(Some("user_count"), classify("presence-a")).unwrap_err();
    assert_eq!(error.message, "The following query string parameters are extraneous: info");
}
