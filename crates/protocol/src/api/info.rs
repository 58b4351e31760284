//! The `info` parameter: which attributes of channels a request asks for (H2, H6, H7).
//! It must not know any channel's state.

use super::ApiError;
use crate::channel::Class;
use crate::clip::{ECHO, clip};

/// The attributes asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// How many distinct users a presence channel has.
    pub user_count: bool,
    /// How many connections are subscribed.
    pub subscription_count: bool,
    /// The cached event of a cache channel.
    pub cache: bool,
}

impl Info {
    /// Whether nothing is asked for.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// `info` of a published event (H2): user counts are given for presence channels only, silently.
pub fn for_event(info: Option<&str>) -> Result<Info, ApiError> {
    parse(info, false)
}

/// `info` of the list of channels (H6): user counts need a `filter_by_prefix` of `presence-..`.
pub fn for_channels(info: Option<&str>, filter_by_prefix: Option<&str>) -> Result<Info, ApiError> {
    let info = parse(info, false)?;
    if info.user_count && !filter_by_prefix.is_some_and(|prefix| prefix.starts_with("presence-")) {
        // Pusher's own words, its spelling included.
        return Err(ApiError::bad_request(
            "user_count may only be requested for presence channels - please supply \
             filter_by_prefix begining with presence-",
        ));
    }
    Ok(info)
}

/// `info` of one channel (H7): user counts are for presence channels; `cache` of a channel without
/// a cache is null, not an error.
pub fn for_channel(info: Option<&str>, class: Class) -> Result<Info, ApiError> {
    let info = parse(info, true)?;
    if info.user_count && !class.is_presence() {
        return Err(ApiError::bad_request(
            "Cannot retrieve the user count unless the channel is a presence channel",
        ));
    }
    Ok(info)
}

/// The list of a channel's users (H8): presence channels only, and there is no `info`.
pub fn for_users(info: Option<&str>, class: Class) -> Result<(), ApiError> {
    if !class.is_presence() {
        return Err(ApiError::bad_request("Users can only be retrieved for presence channels"));
    }
    if info.is_some() {
        return Err(ApiError::bad_request(
            "The following query string parameters are extraneous: info",
        ));
    }
    Ok(())
}

fn parse(info: Option<&str>, cache_allowed: bool) -> Result<Info, ApiError> {
    let mut parsed = Info::default();
    let names = info.unwrap_or_default().split(',').map(str::trim);
    for name in names.filter(|name| !name.is_empty()) {
        match name {
            "user_count" => parsed.user_count = true,
            "subscription_count" => parsed.subscription_count = true,
            "cache" if cache_allowed => parsed.cache = true,
            _ => {
                return Err(ApiError::bad_request(format!(
                    "Invalid info attribute: '{}' must be one of user_count, subscription_count{}",
                    clip(name, ECHO),
                    if cache_allowed { ", cache" } else { "" }
                )));
            }
        }
    }
    Ok(parsed)
}
