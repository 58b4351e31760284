//! Scripts that Redis runs as one step. They are called by their digest, and sent once more in full to
//! a server that does not know them.

use std::fmt::Write as _;
use std::sync::OnceLock;

use redis::{Cmd, FromRedisValue, RedisResult, ToRedisArgs, cmd};
use redis_client::Commands;
use sha1::{Digest, Sha1};

/// A script's text; its first comment says what it does.
pub(crate) struct Script {
    text: &'static str,
    digest: OnceLock<String>,
}

pub(crate) static PUSH: Script = Script::new(include_str!("scripts/push.lua"));
pub(crate) static READ: Script = Script::new(include_str!("scripts/read.lua"));
pub(crate) static LEAVE: Script = Script::new(include_str!("scripts/leave.lua"));
pub(crate) static ANNOUNCE: Script = Script::new(include_str!("scripts/announce.lua"));
pub(crate) static CLAIM: Script = Script::new(include_str!("scripts/claim.lua"));
pub(crate) static RELEASE: Script = Script::new(include_str!("scripts/release.lua"));
pub(crate) static DEPTH: Script = Script::new(include_str!("scripts/depth.lua"));

impl Script {
    const fn new(text: &'static str) -> Self {
        Script { text, digest: OnceLock::new() }
    }

    /// A call of the script.
    pub(crate) fn call(&'static self, keys: &[String], arguments: impl ToRedisArgs) -> Call {
        let mut call = cmd("EVALSHA");
        call.arg(self.digest()).arg(keys.len()).arg(keys).arg(arguments);
        Call { script: self, call }
    }

    fn digest(&self) -> &str {
        self.digest.get_or_init(|| {
            let mut text = String::with_capacity(40);
            for byte in Sha1::digest(self.text) {
                let _ = write!(text, "{byte:02x}");
            }
            text
        })
    }
}

/// A script with what it is called with.
pub(crate) struct Call {
    script: &'static Script,
    call: Cmd,
}

impl Call {
    /// Makes it, with the script's text if need be.
    pub(crate) async fn make<T: FromRedisValue>(&self, commands: &mut Commands) -> RedisResult<T> {
        match self.call.query_async(commands).await {
            Err(error) if error.code() == Some("NOSCRIPT") => {
                // In a Redis Cluster, to all masters.
                cmd("SCRIPT").arg("LOAD").arg(self.script.text).exec_async(commands).await?;
                self.call.query_async(commands).await
            }
            answer => answer,
        }
    }
}
