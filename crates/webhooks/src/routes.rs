//! Which of an app's targets want to hear of what (K6).

use std::sync::Arc;

use config::Webhook;
use protocol::webhook::EventKind;

use crate::Destination;

/// An app's targets, ready to be asked. Made once per version of an app's settings.
#[derive(Clone, Debug, Default)]
pub struct Routes(Vec<Route>);

#[derive(Clone, Debug)]
struct Route {
    to: Arc<Destination>,
    kinds: Vec<EventKind>,
    starts_with: String,
    ends_with: String,
}

impl Routes {
    /// The routes that an app's webhooks make. Event types that no webhook tells of are left out.
    pub fn new(app: &str, hooks: &[Webhook]) -> Self {
        let app: Arc<str> = app.into();
        let routes = hooks.iter().map(|hook| Route {
            to: Arc::new(Destination::new(app.clone(), hook)),
            kinds: hook.event_types.iter().filter_map(|name| EventKind::from_name(name)).collect(),
            starts_with: hook.channel_name_starts_with.clone().unwrap_or_default(),
            ends_with: hook.channel_name_ends_with.clone().unwrap_or_default(),
        });
        Routes(routes.filter(|route| !route.kinds.is_empty()).collect())
    }

    /// Whether anybody wants to hear of this kind of event, on whichever channel.
    pub fn want(&self, kind: EventKind) -> bool {
        self.0.iter().any(|route| route.kinds.contains(&kind))
    }

    /// Who wants to hear of it. Both filters must match (K6).
    pub fn to<'a>(
        &'a self,
        kind: EventKind,
        channel: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Destination>> {
        let wanting = self.0.iter().filter(move |route| {
            route.kinds.contains(&kind)
                && channel.starts_with(&route.starts_with)
                && channel.ends_with(&route.ends_with)
        });
        wanting.map(|route| &route.to)
    }
}
