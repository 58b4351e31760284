//! Events from one client to the others of a channel (W39 to W42).

use channels::{Publish, Runtime};
use protocol::channel;
use protocol::close::CLIENT_EVENT_REFUSED;
use protocol::data::Data;
use protocol::event_name;
use protocol::webhook::{Event, EventKind};

use super::Session;
use crate::apps::AppCounters;
use crate::frames;
use crate::hub::live;

/// Why a client event is dropped: an error code and its text; the connection stays open.
struct RefusedEvent(Option<u16>, String);

impl Session<'_> {
    pub(super) fn client_event(self, event: &str, channel: &str, data: Option<&Data<'_>>) {
        if let Err(RefusedEvent(code, message)) = self.try_client_event(event, channel, data) {
            self.reply(frames::error(code, &message, Some(channel)));
        }
    }

    fn try_client_event(
        self,
        event: &str,
        channel: &str,
        data: Option<&Data<'_>>,
    ) -> Result<(), RefusedEvent> {
        let settings = self.app.settings.load();
        let config = &settings.config;
        let limited = |message: String| RefusedEvent(Some(CLIENT_EVENT_REFUSED), message);
        if !config.enable_client_messages {
            return Err(limited("The app does not have client messaging enabled.".into()));
        }
        let most = config.limits.max_event_name_length.unwrap_or(usize::MAX);
        event_name::validate_client(event, most).map_err(|error| limited(error.to_string()))?;
        if !channel::classify(channel).allows_client_events() {
            let message = "Client events are allowed on private and presence channels only";
            return Err(RefusedEvent(None, message.into()));
        }
        let most = config.limits.max_event_payload.unwrap_or(usize::MAX);
        if data.is_some_and(|data| !data.fits(most)) {
            return Err(limited(format!("The event data must be no more than {most} bytes.")));
        }

        let mut state = self.shard.state.borrow_mut();
        let state = &mut *state;
        let topic = self.subscribers(channel);
        let at = state.channels.find(&state.connections, self.id.index, &topic);
        let has_place =
            |_: &usize| !self.shard.channels.has_no_place(&topic, self.shard.own(self.id));
        let Some(at) = at.filter(has_place) else {
            let message = format!(
                "Cannot broadcast client event (connection not subscribed to channel {channel})"
            );
            return Err(RefusedEvent(None, message));
        };
        let Some(connection) = live(&mut state.connections, self.id) else { return Ok(()) };
        if let Some(rate) = config.max_client_events_per_second {
            let taken = connection.client_events.take(
                self.shard.channels.runtime().now().as_nanos() as u64,
                1,
                rate,
            );
            taken.map_err(|_| {
                limited(format!("The rate limit of {rate} client events per second is exceeded."))
            })?;
        }
        if !self.shard.channels.runtime().has_room() {
            return Err(limited("The server is overloaded, send it again later.".into()));
        }
        let member = connection.subscriptions[at].member.as_ref();
        let frame = frames::client_event(event, channel, data, member.map(|member| &*member.id));
        AppCounters::add(&self.app.counters.publishes, 1);
        self.shard.channels.publish(Publish {
            app: &self.app.id,
            channel,
            frame: &frame,
            except: Some(connection.socket_id),
            kept: None,
        });
        if settings.routes.want(EventKind::ClientEvent) {
            let (socket_id, user_id) =
                (connection.socket_id.to_string(), member.map(|member| &*member.id));
            let event = Event::ClientEvent { channel, event, data, socket_id: &socket_id, user_id };
            let channels = &self.shard.channels;
            channels.note_client_event(&topic.app, topic.channel, event.json());
        }
        Ok(())
    }
}
