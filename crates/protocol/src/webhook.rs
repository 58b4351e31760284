//! Signatures of webhooks (K1). It must not know where they go, nor what they say.

use crate::auth::Secret;
use crate::hex;

/// The `X-Pusher-Signature` header of a webhook: lower-case hex over the exact bytes sent.
pub fn sign(secret: &Secret, body: &[u8]) -> String {
    hex::encode(&secret.sign(&[body]))
}
