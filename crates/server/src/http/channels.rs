//! Reading who is where: channels, their users, the app's connections (H6 to H8). All answers come
//! from this node's registry, which holds the union of all nodes.

use std::sync::Arc;

use channels::Runtime;
use channels::rates::Spending;
use channels::registry::{Entry, Member};
use protocol::api::info::{self, Info};
use protocol::api::response::{self, Cached, ChannelState, Counts};
use protocol::channel::{self, Class};
use protocol::data::Data;

use super::answer::{Answer, ErrorAnswer, json};
use super::api::Call;
use crate::cache::last_is_known;

/// `GET /apps/{id}/channels`
pub(super) async fn list(call: &Call<'_>) -> Result<Answer, ErrorAnswer> {
    call.spend(Spending::Reads, 1).await?;
    let prefix = call.param("filter_by_prefix");
    let info = info::for_channels(call.param("info").as_deref(), prefix.as_deref())?;
    let prefix = prefix.unwrap_or_default();
    let mut occupied: Vec<(Arc<str>, Counts)> = Vec::new();
    call.node.channels.registry().for_each(&call.app.id, |name, entry| {
        // What is sent to users goes over channels of its own, which are nobody's business.
        if entry.is_occupied() && name.starts_with(&*prefix) && !name.starts_with('#') {
            occupied.push((name.clone(), counts(Some(entry), info)));
        }
    });
    occupied.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let mut body = Vec::new();
    response::channels(&mut body, occupied);
    Ok(json(200, body))
}

/// `GET /apps/{id}/channels/{channel}`
pub(super) async fn one(call: &Call<'_>, name: &str) -> Result<Answer, ErrorAnswer> {
    call.spend(Spending::Reads, 1).await?;
    let class = class(call, name)?;
    let info = info::for_channel(call.param("info").as_deref(), class)?;
    let (occupied, counts) = call.node.channels.registry().read(&call.app.id, name, |_, found| {
        let entry = found.map(|found| found.entry);
        (entry.is_some_and(Entry::is_occupied), counts(entry, info))
    });
    if info.cache {
        last_is_known(&call.node.channels, &call.app.id, name).await;
    }
    let (now, last_events) = (call.node.outside().now(), call.node.channels.last_events());
    let event = info.cache.then(|| last_events.get(&call.app.id, name, now)).flatten();
    let data = event.as_ref().and_then(|event| Data::from_literal(&event.data).ok());
    let cached = event
        .as_ref()
        .zip(data.as_ref())
        .map(|(event, data)| Cached { data, ttl: event.expires.saturating_sub(now).as_secs() });
    let state = ChannelState { occupied, counts, cache: info.cache.then_some(cached) };
    let mut body = Vec::new();
    response::channel(&mut body, &state);
    Ok(json(200, body))
}

/// `GET /apps/{id}/channels/{channel}/users`
pub(super) async fn users(call: &Call<'_>, name: &str) -> Result<Answer, ErrorAnswer> {
    call.spend(Spending::Reads, 1).await?;
    info::for_users(call.param("info").as_deref(), class(call, name)?)?;
    let with_info = call.param("with_user_info").is_some_and(|wanted| wanted == "1");
    let roster: Vec<Arc<Member>> =
        call.node.channels.registry().read(&call.app.id, name, |_, found| {
            found.map(|found| found.entry.roster().members().cloned().collect()).unwrap_or_default()
        });
    let info = |member: &Arc<Member>| member.info_json.clone().filter(|_| with_info);
    let mut body = Vec::new();
    response::users(&mut body, roster.iter().map(|member| (&member.id, info(member))));
    Ok(json(200, body))
}

/// `GET /apps/{id}/channels/{channel}/stats`, deprecated.
pub(super) async fn stats(call: &Call<'_>, name: &str) -> Result<Answer, ErrorAnswer> {
    call.spend(Spending::Reads, 1).await?;
    let class = class(call, name)?;
    let info = Info { user_count: class.is_presence(), subscription_count: true, cache: false };
    let registry = call.node.channels.registry();
    let counts =
        registry.read(&call.app.id, name, |_, found| counts(found.map(|found| found.entry), info));
    let mut body = Vec::new();
    response::stats(&mut body, counts.user_count, counts.subscription_count.unwrap_or(0));
    Ok(json(200, body))
}

/// `GET /apps/{id}/connections`
pub(super) async fn connections(call: &Call<'_>) -> Result<Answer, ErrorAnswer> {
    call.spend(Spending::Reads, 1).await?;
    let mut body = Vec::new();
    let count = call.app.connections() + call.node.channels.peer_connections(&call.app.id);
    response::connections(&mut body, u64::from(count));
    Ok(json(200, body))
}

/// The counts that were asked for.
pub(super) fn counts(entry: Option<&Entry>, info: Info) -> Counts {
    let users = || entry.map_or(0, |entry| entry.roster().len() as u64);
    let subscriptions = || entry.map_or(0, |entry| entry.subscribers().total());
    Counts {
        user_count: info.user_count.then(users),
        subscription_count: info.subscription_count.then(subscriptions),
    }
}

fn class(call: &Call<'_>, name: &str) -> Result<Class, ErrorAnswer> {
    channel::validate(name, call.limits().max_channel_name)
        .map_err(|error| ErrorAnswer::new(400, &error.to_string()))
}
