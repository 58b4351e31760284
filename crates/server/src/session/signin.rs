//! Signing in, and watching other users (W45 to W49).

use channels::{Subscription, Topic};
use protocol::auth::verify_signin;
use protocol::channel::user_channel;
use protocol::close::WATCHLIST_LIMIT;
use protocol::member::{MAX_WATCHLIST, User, parse_user_data};

use super::Session;
use crate::frames;
use crate::hub::{ShardState, SignedIn, live};
use crate::inbox::Op;

impl Session<'_> {
    /// Always answered, and never a reason to close (W46).
    pub(super) fn signin(self, auth: &str, user_data: &str) {
        if let Err(message) = self.try_signin(auth, user_data) {
            tracing::debug!(app = %self.app.id, reason = message, "a sign-in is refused");
            self.reply(frames::error(None, &message, None));
        }
    }

    fn try_signin(self, auth: &str, user_data: &str) -> Result<(), String> {
        let settings = self.app.settings.load();
        let mut state = self.shard.state.borrow_mut();
        let state = &mut *state;
        let Some(connection) = live(&mut state.connections, self.id) else { return Ok(()) };
        let (key, socket_id) = (&settings.config.key, connection.socket_id.text());
        verify_signin(key, &settings.secret, auth, &socket_id, user_data)
            .map_err(|error| error.to_string())?;
        let user = parse_user_data(user_data).map_err(|error| error.to_string())?;

        match &connection.user {
            Some(known) if *known.id != *user.id => {
                let id = &known.id;
                return Err(format!("This connection is signed in as user {id} already"));
            }
            Some(_) => self.reply(frames::signin_success(user_data)),
            None => {
                connection.authorized = true;
                connection.user = Some(Box::new(SignedIn {
                    id: user.id.as_str().into(),
                    info_json: user.info_json.clone(),
                    gathering: None,
                }));
                self.reply(frames::signin_success(user_data));
                self.receive_as(state, &user);
                self.watch(state, &user);
            }
        }
        Ok(())
    }

    /// Every connection of a user receives what is sent to the user (W48).
    fn receive_as(self, state: &mut ShardState, user: &User) {
        let own = self.subscribers(&user_channel(&user.id));
        state.channels.attach(&mut state.connections, self.id.index, &own, None);
        let who = self.shard.own(self.id);
        let subscription = Subscription { who, member: None, max_members: None, asked: false };
        let interests = self.app.settings.load().interests;
        self.shard.channels.subscribe(&own, interests, subscription);
    }

    fn watch(self, state: &mut ShardState, user: &User) {
        if user.watchlist_cut {
            let message = format!("The watchlist is cut to its first {MAX_WATCHLIST} users");
            self.reply(frames::error(Some(WATCHLIST_LIMIT), &message, None));
        }
        if user.watchlist.is_empty() {
            return;
        }
        if let Some(signed_in) = &mut state.connections[self.id.index as usize].user {
            signed_in.gathering = Some(Vec::with_capacity(user.watchlist.len()));
        }
        for watched in &user.watchlist {
            let channel = user_channel(watched);
            let topic = Topic::watchers(&self.app.id, channel.as_str().into());
            let ShardState { connections, channels, .. } = state;
            if channels.find(connections, self.id.index, &topic).is_none() {
                channels.attach(connections, self.id.index, &topic, None);
                let (who, user_id) = (self.shard.own(self.id), watched.as_str().into());
                self.shard.channels.watch(&topic, who, user_id);
            }
        }
        self.shard.inbox().send(Op::WatchlistReady { to: self.id });
    }
}
