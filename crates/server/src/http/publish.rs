//! Publishing: one event to several channels, or a batch (H1 to H5, H9).

use channels::rates::Spending;
use channels::{Publish, Runtime};
use protocol::api::info::Info;
use protocol::api::publish::{self, Event};
use protocol::api::response::{self, Counts};
use protocol::channel;

use super::answer::{Answer, ErrorAnswer, json};
use super::api::Call;
use crate::apps::AppCounters;
use crate::frames;

/// `POST /apps/{id}/events`
pub(super) async fn event(call: &Call<'_>) -> Result<Answer, ErrorAnswer> {
    let event = publish::event(call.body, &call.limits())?;
    admit(call, 1).await?;
    send(call, &event);
    if event.info.is_empty() {
        return Ok(json(200, response::EMPTY));
    }
    let channels = event.channels.iter().map(|name| (name, counts(call, name, event.info)));
    let mut body = Vec::new();
    response::channels(&mut body, channels);
    Ok(json(200, body))
}

/// `POST /apps/{id}/batch_events`: all of it is valid and sent, or nothing is (H3).
pub(super) async fn batch(call: &Call<'_>) -> Result<Answer, ErrorAnswer> {
    let events = publish::batch(call.body, &call.limits())?;
    admit(call, events.len()).await?;
    events.iter().for_each(|event| send(call, event));
    let info: Vec<Option<Counts>> = events
        .iter()
        .map(|event| {
            let channel = event.channels.first().filter(|_| !event.info.is_empty())?;
            Some(counts(call, channel, event.info))
        })
        .collect();
    let mut body = Vec::new();
    response::batch(&mut body, &info);
    Ok(json(200, body))
}

/// `POST /apps/{id}/channels/{channel}/events`, deprecated: the body is the data.
pub(super) async fn channel_event(call: &Call<'_>, channel: &str) -> Result<Answer, ErrorAnswer> {
    let (name, socket_id) = (call.param("name"), call.param("socket_id"));
    let limits = call.limits();
    let event =
        publish::channel_event(channel, name.as_deref(), socket_id.as_deref(), call.body, &limits)?;
    admit(call, 1).await?;
    send(call, &event);
    Ok(json(202, response::EMPTY))
}

async fn admit(call: &Call<'_>, events: usize) -> Result<(), ErrorAnswer> {
    call.spend(Spending::Events, events).await?;
    if call.node.outside().has_room() { Ok(()) } else { Err(ErrorAnswer::overloaded()) }
}

fn send(call: &Call<'_>, event: &Event<'_>) {
    for name in &event.channels {
        let frame = frames::event(&event.name, name, &event.data);
        let kept = channel::classify(name).is_cache().then(|| event.data.literal());
        AppCounters::add(&call.app.counters.publishes, 1);
        call.node.channels.publish(Publish {
            app: &call.app.id,
            channel: name,
            frame: &frame,
            except: event.socket_id,
            kept,
        });
    }
}

/// What was asked about a channel; users are counted on presence channels only (H2).
fn counts(call: &Call<'_>, name: &str, info: Info) -> Counts {
    let user_count = info.user_count && channel::classify(name).is_presence();
    let info = Info { user_count, ..info };
    call.node.channels.registry().read(&call.app.id, name, |_, found| {
        super::channels::counts(found.map(|found| found.entry), info)
    })
}
