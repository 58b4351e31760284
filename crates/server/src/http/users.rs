//! What a backend may do to a user.

use channels::rates::Spending;
use protocol::api::response;
use protocol::channel::user_channel;
use protocol::close::Close;

use super::answer::{Answer, ErrorAnswer, json};
use super::api::Call;

/// `POST /apps/{id}/users/{user}/terminate_connections` (W51)
pub(super) async fn terminate(call: &Call<'_>, user: &str) -> Result<Answer, ErrorAnswer> {
    call.spend(Spending::Events, 1).await?;
    call.node.channels.close_subscribers(&call.app.id, &user_channel(user), &Close::terminated());
    Ok(json(200, response::EMPTY))
}
