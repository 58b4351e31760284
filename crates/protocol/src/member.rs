//! Who is on the other end: presence members (W29, W32) and signed-in users (W45, W49).
//! It must not know who is present; signatures are checked before anything here is called.

use serde_json::value::RawValue;

use crate::clip::{ECHO, clip};
use crate::json::{self, Raw, Text, object};

/// Longest user id in characters (W29).
pub const MAX_USER_ID: usize = 128;
/// Most users that one connection watches (W49).
pub const MAX_WATCHLIST: usize = 100;
/// Biggest number that every client reads exactly (W29).
const MAX_NUMBER: u64 = 1 << 53;

/// A member of a presence channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The identity: the user id in its string form, so 1 and "1" are the same member (W32).
    pub id: Box<str>,
    /// The user id as JSON text of its original type, for `member_added` and `member_removed`.
    pub id_json: Box<str>,
    /// The user info as JSON text exactly as received, `None` if missing or null.
    pub info_json: Option<Box<str>>,
}

/// The user that a connection is signed in as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user id in its string form, not empty.
    pub id: String,
    /// The user info as JSON text exactly as received, `None` if missing or null.
    pub info_json: Option<Box<str>>,
    /// The users to watch: distinct, at most [`MAX_WATCHLIST`].
    pub watchlist: Vec<String>,
    /// Whether the list was longer than [`MAX_WATCHLIST`] (error 4302, W49).
    pub watchlist_cut: bool,
}

impl User {
    /// The user as a member of a presence channel, subscribed to without `channel_data` (W34).
    ///
    /// # Errors
    /// [`MemberError::InfoTooLarge`] if the JSON text of the user info has over `max_info_bytes`.
    pub fn to_member(&self, max_info_bytes: usize) -> Result<Member, MemberError> {
        Ok(Member {
            id: self.id.as_str().into(),
            id_json: json::string_literal(&self.id).into(),
            info_json: limited(self.info_json.as_deref(), max_info_bytes)?.map(Box::from),
        })
    }
}

/// Why signed member or user data is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemberError {
    /// The text is not a JSON object.
    #[error("Invalid {0}: must be a JSON object")]
    NotObject(&'static str),
    /// The id is missing, null or of a type that is no id.
    #[error("Invalid {0}: must be a non-empty string or an integer within 2^53")]
    Id(&'static str),
    /// The id has too many characters.
    #[error("Invalid {field}: '{id}..' is too long, at most {MAX_USER_ID} characters are allowed")]
    IdTooLong {
        /// The name of the member that holds the id.
        field: &'static str,
        /// The beginning of the id.
        id: String,
    },
    /// The user info is bigger than the limit.
    #[error("Invalid user_info: it has {size} bytes, at most {max} are allowed")]
    InfoTooLarge {
        /// Its size in bytes of JSON text.
        size: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// The watchlist is not an array of user ids.
    #[error("Invalid watchlist: must be an array of user ids")]
    Watchlist,
}

object! {
    struct ChannelData<'a> {
        user_id: Raw<'a>,
        user_info: Raw<'a>,
    }
}

object! {
    struct UserData<'a> {
        id: Raw<'a>,
        user_info: Raw<'a>,
        watchlist: Raw<'a>,
    }
}

/// Reads the `channel_data` of a presence subscription whose signature is good (W29).
///
/// `max_info_bytes` limits the JSON text of `user_info`, which may be any JSON value: Laravel sends
/// `true` for a user without attributes.
pub fn parse_channel_data(raw: &str, max_info_bytes: usize) -> Result<Member, MemberError> {
    let data: ChannelData<'_> =
        serde_json::from_str(raw).map_err(|_| MemberError::NotObject("channel_data"))?;
    let (id, id_json) = parse_id(data.user_id.0, "user_id")?;
    let info_json = limited(data.user_info.present(), max_info_bytes)?.map(Box::from);
    Ok(Member { id: id.into(), id_json: id_json.into(), info_json })
}

/// Reads the `user_data` of a sign-in whose signature is good (W45).
pub fn parse_user_data(raw: &str) -> Result<User, MemberError> {
    let data: UserData<'_> =
        serde_json::from_str(raw).map_err(|_| MemberError::NotObject("user_data"))?;
    let (id, _) = parse_id(data.id.0, "id")?;
    let info_json = data.user_info.present().map(Box::from);
    let mut watchlist = Vec::new();
    let mut watchlist_cut = false;
    if let Some(list) = data.watchlist.present() {
        let (ids, count) =
            json::array::<&RawValue>(list, MAX_WATCHLIST).map_err(|_| MemberError::Watchlist)?;
        watchlist_cut = count > MAX_WATCHLIST;
        for id in ids {
            let (id, _) = parse_id(Some(id), "watchlist").map_err(|_| MemberError::Watchlist)?;
            if !watchlist.contains(&id) {
                watchlist.push(id);
            }
        }
    }
    Ok(User { id, info_json, watchlist, watchlist_cut })
}

/// The string form of an id, and its JSON text in its original type (W32).
fn parse_id(raw: Option<&RawValue>, field: &'static str) -> Result<(String, String), MemberError> {
    let text = raw.map(RawValue::get).unwrap_or_default();
    if !text.starts_with('"') {
        let number = text.parse::<i64>().ok().filter(|n| n.unsigned_abs() <= MAX_NUMBER);
        let id = number.ok_or(MemberError::Id(field))?.to_string();
        return Ok((id.clone(), id));
    }
    let decoded = serde_json::from_str::<Text<'_>>(text).ok().and_then(Text::string);
    let id = decoded.filter(|id| !id.is_empty()).ok_or(MemberError::Id(field))?;
    if id.len() > MAX_USER_ID && id.chars().count() > MAX_USER_ID {
        return Err(MemberError::IdTooLong { field, id: clip(&id, ECHO).to_owned() });
    }
    let id_json = json::string_literal(&id);
    Ok((id.into_owned(), id_json))
}

fn limited(info: Option<&str>, max: usize) -> Result<Option<&str>, MemberError> {
    match info {
        Some(info) if info.len() > max => Err(MemberError::InfoTooLarge { size: info.len(), max }),
        info => Ok(info),
    }
}
