//! Subscribing and unsubscribing (W21 to W35).

use std::sync::Arc;

use channels::registry::Member;
use channels::{Subscribed, Subscription, Topic};
use protocol::auth::verify_subscription;
use protocol::channel;
use protocol::member::parse_channel_data;

use super::Session;
use crate::apps::AppSettings;
use crate::frames::Refused;
use crate::hub::{ShardState, SignedIn, live};

impl Session<'_> {
    pub(super) fn subscribe(self, channel: &str, auth: Option<&str>, channel_data: Option<&str>) {
        if let Err(refused) = self.try_subscribe(channel, auth, channel_data) {
            refused.frames(&self.app.id, channel).into_iter().for_each(|frame| self.reply(frame));
        }
    }

    fn try_subscribe(
        self,
        channel: &str,
        auth: Option<&str>,
        channel_data: Option<&str>,
    ) -> Result<(), Refused> {
        let settings = self.app.settings.load();
        let longest = settings.config.limits.max_channel_name_length.unwrap_or(usize::MAX);
        let class = channel::validate(channel, longest).map_err(|e| Refused::invalid(&e))?;

        let mut state = self.shard.state.borrow_mut();
        let state = &mut *state;
        let Some(connection) = live(&mut state.connections, self.id) else { return Ok(()) };
        if class.requires_auth() {
            let (key, socket_id) = (&settings.config.key, connection.socket_id.text());
            let auth = auth.unwrap_or_default();
            verify_subscription(key, &settings.secret, auth, &socket_id, channel, channel_data)
                .map_err(|error| Refused::unauthorized(&error))?;
            connection.authorized = true;
        }
        let user = connection.user.as_deref();
        if class.is_user() && user.is_none_or(|user| channel::user_id(channel) != Some(&user.id)) {
            let message = "Only connections that are signed in as the user may subscribe to it";
            return Err(Refused::unauthorized(&message));
        }
        let member = match class.is_presence() {
            true => Some(Arc::new(member(user, &settings, channel_data)?)),
            false => None,
        };

        let subscribed = connection.subscriptions.len();
        let topic = self.subscribers(channel);
        if state.channels.find(&state.connections, self.id.index, &topic).is_some() {
            let who = self.shard.own(self.id);
            self.shard.channels.subscribe_again(&topic, settings.interests, who);
            return Ok(());
        }
        let most = self.shard.config.connection.max_subscriptions;
        if subscribed >= most {
            let message = format!("A connection may be subscribed to {most} channels at a time.");
            return Err(Refused::new("LimitReached", 4004, message));
        }
        self.join(state, &topic, member, &settings)
    }

    fn join(
        self,
        state: &mut ShardState,
        topic: &Topic,
        member: Option<Arc<Member>>,
        settings: &AppSettings,
    ) -> Result<(), Refused> {
        let max_members = settings.config.limits.max_presence_members;
        let interests = settings.interests;
        let ShardState { connections, channels, .. } = state;
        channels.attach(connections, self.id.index, topic, member.clone());
        let subscription = Subscription {
            who: self.shard.own(self.id),
            member: member.as_ref(),
            max_members,
            asked: true,
        };
        if self.shard.channels.subscribe(topic, interests, subscription) == Subscribed::Full {
            if let Some(at) = channels.find(connections, self.id.index, topic) {
                channels.detach(connections, self.id.index, at);
            }
            return Err(Refused::full(max_members.unwrap_or_default()));
        }
        Ok(())
    }

    /// There is no reply (W21). What is sent to a user goes to all of its connections whether they
    /// subscribe or not (W48), so that channel is not left before the connection is.
    pub(super) fn unsubscribe(self, channel: &str) {
        if channel::user_id(channel).is_none() {
            let topic = self.subscribers(channel);
            self.shard.leave(&mut self.shard.state.borrow_mut(), self.id.index, &topic);
        }
    }
}

/// The member that a presence subscription speaks for: what was signed, or else the user that the
/// connection is signed in as (W34).
fn member(
    user: Option<&SignedIn>,
    settings: &AppSettings,
    channel_data: Option<&str>,
) -> Result<Member, Refused> {
    let limit = settings.config.limits.max_presence_member_size.unwrap_or(usize::MAX);
    match (channel_data, user) {
        (Some(data), _) => {
            let parsed = parse_channel_data(data, limit).map_err(|e| Refused::invalid(&e))?;
            let protocol::Member { id, id_json, info_json } = parsed;
            Ok(Member { id, id_json, info_json })
        }
        (None, Some(user)) => {
            let size = user.info_json.as_ref().map_or(0, |info| info.len());
            if size > limit {
                let message = format!("user_info has {size} bytes, {limit} are allowed");
                return Err(Refused::invalid(&message));
            }
            Ok(Member {
                id: (&*user.id).into(),
                id_json: protocol::json::string_literal(&user.id).into(),
                info_json: user.info_json.clone(),
            })
        }
        (None, None) => {
            let message =
                "A presence channel needs channel_data with a user_id, or a sign-in before it.";
            Err(Refused::new("AuthError", 401, message))
        }
    }
}
