//! The fields of an app, in the spelling of configurations, SQL tables and DynamoDB. Must not know
//! what a field means.

/// One field of an app in three spellings.
pub(crate) struct Field {
    /// In a configuration.
    pub(crate) name: &'static str,
    /// As a column; the case does not matter.
    #[cfg_attr(not(feature = "sql"), expect(dead_code, reason = "only SQL tables have columns"))]
    pub(crate) column: &'static str,
    /// As an attribute.
    #[cfg_attr(not(feature = "dynamodb"), expect(dead_code, reason = "only DynamoDB has them"))]
    pub(crate) attribute: &'static str,
}

/// All of them: soketi's, and two of our own, which a table may have as well.
#[rustfmt::skip]
pub(crate) const FIELDS: [Field; 20] = [
    field("id", "id", "AppId"),
    field("key", "key", "AppKey"),
    field("secret", "secret", "AppSecret"),
    field("maxConnections", "max_connections", "MaxConnections"),
    field("enableClientMessages", "enable_client_messages", "EnableClientMessages"),
    field("enabled", "enabled", "Enabled"),
    field("maxBackendEventsPerSecond", "max_backend_events_per_sec", "MaxBackendEventsPerSecond"),
    field("maxClientEventsPerSecond", "max_client_events_per_sec", "MaxClientEventsPerSecond"),
    field("maxReadRequestsPerSecond", "max_read_req_per_sec", "MaxReadRequestsPerSecond"),
    field("webhooks", "webhooks", "Webhooks"),
    field("maxPresenceMembersPerChannel", "max_presence_members_per_channel", "MaxPresenceMembersPerChannel"),
    field("maxPresenceMemberSizeInKb", "max_presence_member_size_in_kb", "MaxPresenceMemberSizeInKb"),
    field("maxChannelNameLength", "max_channel_name_length", "MaxChannelNameLength"),
    field("maxEventChannelsAtOnce", "max_event_channels_at_once", "MaxEventChannelsAtOnce"),
    field("maxEventNameLength", "max_event_name_length", "MaxEventNameLength"),
    field("maxEventPayloadInKb", "max_event_payload_in_kb", "MaxEventPayloadInKb"),
    field("maxEventBatchSize", "max_event_batch_size", "MaxEventBatchSize"),
    field("enableUserAuthentication", "enable_user_authentication", "EnableUserAuthentication"),
    field("enableSubscriptionCount", "enable_subscription_count", "EnableSubscriptionCount"),
    field("allowedOrigins", "allowed_origins", "AllowedOrigins"),
];

const fn field(name: &'static str, column: &'static str, attribute: &'static str) -> Field {
    Field { name, column, attribute }
}
