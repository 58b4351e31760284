//! One connection to one server, with nothing on top.

use std::io;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncWriteExt, BufReader, ReadHalf, WriteHalf, split};
use tokio::time::timeout;

use crate::reply::{self, Reply};
use crate::stream::{self, RedisStream};
use crate::{Address, ConnectError, RedisOptions, Sentinels, TlsOptions, Topology};

/// How many bytes are read at once.
const READ_BUFFER: usize = 32 << 10;
/// An argument from this length on is written on its own instead of being copied before.
const LONG: usize = 4 << 10;

/// A connection on which the server has let us in and has answered. Nobody reads it in the
/// background: what the server sends waits until it is asked for.
pub struct Wire {
    address: Address,
    incoming: Incoming,
    outgoing: Outgoing,
}

/// The end of a [`Wire`] that is read.
pub struct Incoming(BufReader<ReadHalf<RedisStream>>);

/// The end of a [`Wire`] that is written.
pub struct Outgoing {
    to: WriteHalf<RedisStream>,
    /// What was put, and is not written.
    buffer: BytesMut,
}

/// Why a connection is of no use any more.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct WireError(#[from] io::Error);

/// Who we are for a server, and how we talk to it.
pub(crate) struct Login<'a> {
    username: Option<&'a str>,
    password: Option<&'a str>,
    tls: Option<&'a TlsOptions>,
}

impl<'a> Login<'a> {
    pub(crate) fn server(options: &'a RedisOptions) -> Self {
        Login {
            username: options.username.as_deref(),
            password: options.password.as_deref(),
            tls: options.tls.as_ref(),
        }
    }

    pub(crate) fn sentinel(sentinels: &'a Sentinels) -> Self {
        Login {
            username: sentinels.username.as_deref(),
            password: sentinels.password.as_deref(),
            tls: sentinels.tls.as_ref(),
        }
    }
}

impl RedisOptions {
    /// Connects to one server, within `connect_timeout`. Behind sentinels it has to be the master.
    ///
    /// # Errors
    /// There is no connection, or the server does not let us in or is no master.
    pub async fn open(&self, address: &Address) -> Result<Wire, ConnectError> {
        self.in_time(address, async {
            let mut wire = Wire::open(address, Login::server(self)).await?;
            if let Topology::Sentinel(_) = self.topology {
                wire.check_master().await?;
            }
            Ok(wire)
        })
        .await
    }

    /// Gives up after `connect_timeout`.
    pub(crate) async fn in_time<T>(
        &self,
        address: &Address,
        attempt: impl Future<Output = Result<T, ConnectError>>,
    ) -> Result<T, ConnectError> {
        let after = self.connect_timeout;
        let late = |_| ConnectError::TimedOut { address: address.clone(), after };
        timeout(after, attempt).await.map_err(late)?
    }
}

impl Wire {
    pub(crate) async fn open(address: &Address, login: Login<'_>) -> Result<Wire, ConnectError> {
        let stream = stream::open(address, login.tls).await?;
        let (incoming, outgoing) = split(stream);
        let mut wire = Wire {
            address: address.clone(),
            incoming: Incoming(BufReader::with_capacity(READ_BUFFER, incoming)),
            outgoing: Outgoing { to: outgoing, buffer: BytesMut::new() },
        };
        match (login.username, login.password) {
            (Some(username), Some(password)) => wire.call(&["AUTH", username, password]).await?,
            (None, Some(password)) => wire.call(&["AUTH", password]).await?,
            (_, None) => Reply::Bulk(None),
        };
        // The system accepts connections for a server that is frozen, and one that wants a password
        // or is not ready says so only when it is asked for something.
        wire.call(&["PING"]).await?;
        Ok(wire)
    }

    /// Who is at the other end.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Sends a command and waits for its answer. For connections on which nothing else comes.
    ///
    /// # Errors
    /// The connection broke, or the server refused the command.
    pub async fn call(&mut self, command: &[&str]) -> Result<Reply, ConnectError> {
        let command: Vec<_> = command.iter().map(|argument| argument.as_bytes()).collect();
        let (incoming, outgoing) = (&mut self.incoming, &mut self.outgoing);
        let exchange = async {
            outgoing.put(&command).await?;
            outgoing.flush().await?;
            incoming.next().await
        };
        let reply = exchange.await.map_err(|WireError(error)| {
            let address = self.address.clone();
            ConnectError::Network { address, error }
        })?;
        match reply {
            Reply::Error(error) => {
                Err(ConnectError::Refused { address: self.address.clone(), error })
            }
            reply => Ok(reply),
        }
    }

    /// Something that the server should not have answered.
    pub(crate) fn unexpected(&self, what: impl Into<String>) -> ConnectError {
        ConnectError::Unexpected { address: self.address.clone(), what: what.into() }
    }

    /// Both ends, so that one can wait while the other goes on.
    pub fn split(self) -> (Incoming, Outgoing) {
        (self.incoming, self.outgoing)
    }

    /// The inside of a connection on which nothing has been read ahead.
    pub(crate) fn into_stream(self) -> Option<RedisStream> {
        let nothing_read = self.incoming.0.buffer().is_empty();
        nothing_read.then(|| self.incoming.0.into_inner().unsplit(self.outgoing.to))
    }
}

impl Incoming {
    /// What comes next. If this is dropped before it is done, the connection is of no use.
    ///
    /// # Errors
    /// The connection broke, or the server sends what is no RESP2.
    pub async fn next(&mut self) -> Result<Reply, WireError> {
        Ok(reply::read(&mut self.0).await?)
    }
}

impl Outgoing {
    /// Adds a command, which the server gets at the latest with the next
    /// [`flush`](Self::flush); waits only for long arguments.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn put(&mut self, command: &[&[u8]]) -> Result<(), WireError> {
        self.length(b'*', command.len());
        for argument in command {
            self.length(b'$', argument.len());
            if argument.len() >= LONG {
                self.write_buffer().await?;
                self.to.write_all(argument).await?;
            } else {
                self.buffer.put_slice(argument);
            }
            self.buffer.put_slice(b"\r\n");
        }
        if self.buffer.len() >= READ_BUFFER {
            self.write_buffer().await?;
        }
        Ok(())
    }

    /// Hands everything to the system.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn flush(&mut self) -> Result<(), WireError> {
        self.write_buffer().await?;
        Ok(self.to.flush().await?)
    }

    fn length(&mut self, kind: u8, length: usize) {
        self.buffer.put_u8(kind);
        self.buffer.put_slice(length.to_string().as_bytes());
        self.buffer.put_slice(b"\r\n");
    }

    async fn write_buffer(&mut self) -> Result<(), WireError> {
        let whole: Bytes = self.buffer.split().freeze();
        Ok(self.to.write_all(&whole).await?)
    }
}
